/* Network time: AT+CIPSNTPCFG, AT+CIPSNTPINTV and AT+CIPSNTPTIME. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "at_handlers.h"
#include "at_values.h"
#include "atcmd.h"
#include "net/net.h"
#include "rtc.h"

#define SNTP_SERVERS 3
#define SERVER_BYTES 65
#define INTERVAL_SECONDS 3600
#define INTERVAL_MIN 15
#define INTERVAL_MAX 4294967
#define HOUR_SECONDS 3600
#define MINUTE_SECONDS 60
/* A time zone within these is in hours; beyond them it is hours and minutes as hhmm. */
#define ZONE_HOURS_MIN -12
#define ZONE_HOURS_MAX 14

static struct {
    bool enabled;
    long zone;
    size_t count;
    char servers[SNTP_SERVERS][SERVER_BYTES];
} sntp = {.count = SNTP_SERVERS, .servers = {"cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org"}};

static void time_arrived(uint32_t seconds, uint32_t microseconds)
{
    (void)microseconds;
    rtc_set(seconds);
}

static int show_sntp(void)
{
    char line[AT_RESULT_BUFFER_SIZE];
    char server[2 * SERVER_BYTES + 2];
    int length = snprintf(line, sizeof line, "+CIPSNTPCFG:%d,%ld", sntp.enabled, sntp.zone);
    for (size_t i = 0; i < sntp.count; i++) {
        quote(sntp.servers[i], server, sizeof server);
        length += snprintf(line + length, sizeof line - (size_t)length, ",%s", server);
    }
    atcmd_print(line);
    atcmd_print("\r\n");
    return WM_AT_RESULT_OK;
}

int at_time_ask(void)
{
    const char *servers[SNTP_SERVERS];
    for (size_t i = 0; i < sntp.count; i++) {
        servers[i] = sntp.servers[i];
    }
    net_sntp_stop();
    if (sntp.enabled && net_sntp_start(servers, sntp.count, time_arrived) != 0) {
        return WM_AT_RESULT_FAIL;
    }
    return WM_AT_RESULT_OK;
}

static bool zone_is_hours(long zone)
{
    return zone >= ZONE_HOURS_MIN && zone <= ZONE_HOURS_MAX;
}

static bool zone_is_valid(long zone)
{
    return zone_is_hours(zone) || (zone_is_hours(zone / 100) && labs(zone % 100) < 60);
}

static long zone_seconds(void)
{
    if (zone_is_hours(sntp.zone)) {
        return sntp.zone * HOUR_SECONDS;
    }
    return sntp.zone / 100 * HOUR_SECONDS + sntp.zone % 100 * MINUTE_SECONDS;
}

int at_sntp(wm_at_type_e type, int argc, char **argv)
{
    long enable;
    long zone;
    if (type == AT_TYPE_QUERY) {
        return show_sntp();
    }
    if (type != AT_TYPE_EXEC || argc < 2 || argc > 2 + SNTP_SERVERS || !number_of(argv[0], &enable) ||
        !number_of(argv[1], &zone) || enable < 0 || enable > 1 || !zone_is_valid(zone)) {
        return WM_AT_RESULT_FAIL;
    }
    size_t servers = (size_t)(argc - 2);
    for (size_t i = 0; i < servers; i++) {
        if (!text_of(argv[2 + i], sntp.servers[i], SERVER_BYTES)) {
            return WM_AT_RESULT_FAIL;
        }
    }
    sntp.count = servers ? servers : sntp.count;
    sntp.enabled = enable == 1;
    sntp.zone = zone;
    return at_time_ask();
}

int at_sntp_time(wm_at_type_e type, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    char text[64];
    struct tm parts;
    time_t now = rtc_is_set() ? time(NULL) + zone_seconds() : 0;
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "+CIPSNTPTIME:%a %b %e %H:%M:%S %Y\r\n", &parts);
    atcmd_print(text);
    return WM_AT_RESULT_OK;
}

int at_sntp_interval(wm_at_type_e type, int argc, char **argv)
{
    static long interval = INTERVAL_SECONDS;
    int result = at_number("CIPSNTPINTV", type, argc, argv, &interval, INTERVAL_MIN, INTERVAL_MAX);
    if (type == AT_TYPE_EXEC && result == WM_AT_RESULT_OK) {
        net_sntp_set_interval((uint32_t)interval);
    }
    return result;
}
