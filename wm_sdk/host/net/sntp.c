/* Network time, by lwIP's SNTP client. */
#include "interface.h"

#include "lwip/apps/sntp.h"
#include "lwip/netifapi.h"
#include "lwip/tcpip.h"

#define HOURLY_MS 3600000u

static uint32_t interval_ms = HOURLY_MS;
static net_time_listener time_listener;

void net_sntp_deliver(uint32_t seconds, uint32_t microseconds)
{
    if (time_listener != NULL) {
        time_listener(seconds, microseconds);
    }
}

uint32_t net_sntp_interval_ms(void)
{
    return interval_ms;
}

void interface_sntp_set_interval(uint32_t seconds)
{
    interval_ms = seconds * 1000;
}

static err_t start(struct netif *netif)
{
    (void)netif;
    sntp_stop();
    sntp_setoperatingmode(SNTP_OPMODE_POLL);
    sntp_init();
    return ERR_OK;
}

static err_t stop(struct netif *netif)
{
    (void)netif;
    sntp_stop();
    return ERR_OK;
}

/* Runs a function in lwIP's task and waits for it. */
static err_t run_in_lwip(netifapi_errt_fn function)
{
    return netifapi_netif_common(NULL, NULL, function);
}

int interface_sntp_start(const char *const *servers, size_t count, net_time_listener listener)
{
    if (count > SNTP_MAX_SERVERS) {
        return -1;
    }
    time_listener = listener;
    for (size_t i = 0; i < SNTP_MAX_SERVERS; i++) {
        sntp_setservername((u8_t)i, i < count ? servers[i] : NULL);
    }
    return run_in_lwip(start) == ERR_OK ? 0 : -1;
}

void interface_sntp_stop(void)
{
    run_in_lwip(stop);
}
