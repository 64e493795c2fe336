/* lwIP's interface, the Wi-Fi task that feeds it, and the link's ups and downs; see interface.h. */
#include "interface.h"

#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "lwip/netifapi.h"
#include "lwip/tcpip.h"
#include "netif/ethernet.h"

#include "radio.h"

#define WIFI_TASK_STACK 4096
#define MTU 1500
/* How long who waits for an address waits before it looks whether it still shall. */
#define LOOK_MS 100

struct interface_identity interface_identity = {.mac = {0x02, 0x57, 0x38, 0x00, 0x00, 0x01}, .hostname = "w800"};

static struct netif wifi;
static wm_os_sem_t *address_changed;
static bool runs;

/* A frame that finds no memory or no room in lwIP's mailbox is lost, as on the chip. */
static void pass_to_lwip(const struct frame *frame)
{
    struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)frame->length, PBUF_RAM);
    if (buffer == NULL) {
        return;
    }
    pbuf_take(buffer, frame->bytes, (u16_t)frame->length);
    if (wifi.input(buffer, &wifi) != ERR_OK) {
        pbuf_free(buffer);
    }
}

static void run_wifi(void *argument)
{
    (void)argument;
    for (;;) {
        interface_wait_for_frames();
        const struct frame *frame;
        while ((frame = radio_received()) != NULL) {
            if (netif_is_link_up(&wifi)) {
                pass_to_lwip(frame);
            }
            radio_release();
        }
    }
}

static err_t send_frame(struct netif *netif, struct pbuf *buffer)
{
    (void)netif;
    struct frame *slot = radio_transmit_slot();
    if (slot == NULL) {
        return ERR_MEM;
    }
    if (buffer->tot_len > sizeof slot->bytes) {
        return ERR_BUF;
    }
    slot->length = pbuf_copy_partial(buffer, slot->bytes, buffer->tot_len, 0);
    radio_transmit();
    return ERR_OK;
}

static err_t set_up_interface(struct netif *netif)
{
    netif->name[0] = 'w';
    netif->name[1] = 'l';
    netif->hostname = interface_identity.hostname;
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, interface_identity.mac, NET_MAC_BYTES);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    netif->output = etharp_output;
#if LWIP_IPV6
    netif->output_ip6 = ethip6_output;
#endif
    netif->linkoutput = send_frame;
    return ERR_OK;
}

static void on_interface_event(struct netif *netif, netif_nsc_reason_t reason,
                               const netif_ext_callback_args_t *arguments)
{
    (void)netif;
    (void)arguments;
    if (reason & (LWIP_NSC_IPV4_ADDRESS_CHANGED | LWIP_NSC_IPV4_SETTINGS_CHANGED)) {
        wm_os_internal_sem_release(address_changed);
    }
}

static void add_interface(void *argument)
{
    (void)argument;
    NETIF_DECLARE_EXT_CALLBACK(events)
    netif_add_ext_callback(&events, on_interface_event);
    netif_add_noaddr(&wifi, NULL, set_up_interface, tcpip_input);
    netif_set_default(&wifi);
}

int interface_start(void)
{
    wm_os_task_t task;
    if (wm_os_internal_sem_create(&address_changed, 0) != WM_OS_STATUS_SUCCESS ||
        wm_os_internal_task_create(&task, "wifi", run_wifi, NULL, WIFI_TASK_STACK, WM_TASK_WIFI_DRV_PRIO, 0) !=
            WM_OS_STATUS_SUCCESS) {
        return -1;
    }
    tcpip_init(add_interface, NULL);
    runs = true;
    return 0;
}

bool interface_runs(void)
{
    return runs;
}

struct netif *interface_netif(void)
{
    return &wifi;
}

bool interface_has_address(void)
{
    return netif_is_up(&wifi) && !ip4_addr_isany_val(*netif_ip4_addr(&wifi));
}

int interface_await_address(uint32_t timeout_ms, bool (*goes_on)(void *), void *context)
{
    uint32_t start = wm_os_internal_get_time_ms();
    while (!interface_has_address()) {
        if ((goes_on != NULL && !goes_on(context)) || wm_os_internal_get_time_ms() - start >= timeout_ms) {
            return -1;
        }
        wm_os_internal_sem_acquire_ms(address_changed, LOOK_MS);
    }
    return 0;
}

void interface_associate(void)
{
    radio_set_link(true);
    netifapi_netif_set_up(&wifi);
    netifapi_netif_set_link_up(&wifi);
}

int interface_link_up(uint32_t timeout_ms)
{
    interface_associate();
    netifapi_dhcp_start(&wifi);
    return interface_await_address(timeout_ms, NULL, NULL);
}

void interface_link_down(void)
{
    radio_set_link(false);
    netifapi_netif_set_link_down(&wifi);
    netifapi_dhcp_release_and_stop(&wifi);
    netifapi_netif_set_down(&wifi);
}

char *interface_address(char *buffer, size_t length)
{
    if (ip4addr_ntoa_r(netif_ip4_addr(&wifi), buffer, (int)length) == NULL && length > 0) {
        buffer[0] = '\0';
    }
    return buffer;
}
