/*
 * The board's side of the network: lwIP's interface, the Wi-Fi task that feeds it, and the link's ups and downs.
 */
#include "net.h"

#include <stdio.h>
#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netif.h"
#include "lwip/netifapi.h"
#include "lwip/tcpip.h"
#include "netif/ethernet.h"

#include "hosts.h"
#include "radio.h"
#include "virtual_servers.h"

#define WIFI_TASK_STACK 4096
#define MTU 1500
#define FAULT_NAME_BYTES 16

/* How long who waits for an address waits before it looks whether it still shall. */
#define LOOK_MS 100
#define HOSTNAME_BYTES 33

static uint8_t hardware_address[NET_MAC_BYTES] = {0x02, 0x57, 0x38, 0x00, 0x00, 0x01};
static char hostname[HOSTNAME_BYTES] = "w800";

/* Set by hand, where DHCP is not to give them. */
static struct {
    bool addresses;
    bool dns;
    ip4_addr_t ip;
    ip4_addr_t gateway;
    ip4_addr_t netmask;
    ip_addr_t dns_servers[NET_DNS_SERVERS];
} by_hand;

static struct hosts hosts;
static struct netif wifi;
static wm_os_sem_t *frames_waiting;
static wm_os_sem_t *address_changed;

static void on_receive(void)
{
    wm_os_internal_sem_release(frames_waiting);
}

/* A frame that finds no memory or no room in lwIP's mailbox is lost, as on the chip. */
static void pass_to_lwip(const struct frame *frame)
{
    struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)frame->length, PBUF_POOL);
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
        wm_os_internal_sem_acquire_ms(frames_waiting, WM_OS_WAIT_TIME_MAX);
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
    netif->hostname = hostname;
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, hardware_address, NET_MAC_BYTES);
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

static int parse_hosts(const struct net_options *options)
{
    for (size_t i = 0; i < options->hosts_count; i++) {
        const char *reason = hosts_add(&hosts, options->open, options->hosts[i]);
        if (reason != NULL) {
            fprintf(stderr, "hosts: \"%s\": %s\n", options->hosts[i], reason);
            return -1;
        }
    }
    return 0;
}

static int set_fault(const char *entry)
{
    char name[FAULT_NAME_BYTES] = "";
    size_t length = strcspn(entry, "=");
    const char *value = entry[length] == '=' ? entry + length + 1 : "";
    memcpy(name, entry, length < sizeof name ? length : sizeof name - 1);
    if (radio_set_fault(name, value)) {
        return 0;
    }
    fprintf(stderr, "--net-%s cannot be \"%s\"\n", name, value);
    return -1;
}

static int set_faults(const struct net_options *options)
{
    radio_faults_start();
    for (size_t i = 0; i < options->faults_count; i++) {
        if (set_fault(options->faults[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

static int start_wifi_task(void)
{
    wm_os_task_t task;
    if (wm_os_internal_sem_create(&frames_waiting, 0) != WM_OS_STATUS_SUCCESS ||
        wm_os_internal_sem_create(&address_changed, 0) != WM_OS_STATUS_SUCCESS ||
        wm_os_internal_task_create(&task, "wifi", run_wifi, NULL, WIFI_TASK_STACK, WM_TASK_WIFI_DRV_PRIO, 0) !=
            WM_OS_STATUS_SUCCESS) {
        fprintf(stderr, "virtual network: no memory for the Wi-Fi task\n");
        return -1;
    }
    return 0;
}

int net_start(const struct net_options *options)
{
    if (parse_hosts(options) != 0 || set_faults(options) != 0 || start_wifi_task() != 0) {
        return -1;
    }
    virtual_servers_set_time_server(options->time_server_port);
    tcpip_init(add_interface, NULL);
    return radio_start(&hosts, options->open, on_receive);
}

static bool has_address(void)
{
    return netif_is_up(&wifi) && !ip4_addr_isany_val(*netif_ip4_addr(&wifi));
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static err_t take_dns_servers(struct netif *netif)
{
    static const char *const defaults[NET_DNS_SERVERS] = {NET_DNS_DEFAULTS};
    (void)netif;
    for (u8_t i = 0; i < NET_DNS_SERVERS; i++) {
        ip_addr_t server = by_hand.dns_servers[i];
        if (by_hand.dns || ipaddr_aton(defaults[i], &server)) {
            dns_setserver(i, &server);
        }
    }
    return ERR_OK;
}

static void begin_addressing(void)
{
    if (by_hand.addresses) {
        netifapi_netif_set_addr(&wifi, &by_hand.ip, &by_hand.netmask, &by_hand.gateway);
    } else {
        netifapi_dhcp_start(&wifi);
    }
}

void net_associate(void)
{
    radio_set_link(true);
    netifapi_netif_set_up(&wifi);
    netifapi_netif_set_link_up(&wifi);
}

int net_await_address(uint32_t timeout_ms, bool (*goes_on)(void *), void *context)
{
    uint32_t start = wm_os_internal_get_time_ms();
    begin_addressing();
    while (!has_address()) {
        if (!goes_on(context) || wm_os_internal_get_time_ms() - start >= timeout_ms) {
            return -1;
        }
        wm_os_internal_sem_acquire_ms(address_changed, LOOK_MS);
    }
    if (by_hand.dns || by_hand.addresses) {
        netifapi_netif_common(NULL, NULL, take_dns_servers);
    }
    return 0;
}

int net_link_up(uint32_t timeout_ms)
{
    net_associate();
    return net_await_address(timeout_ms, always, NULL);
}

void net_link_down(void)
{
    radio_set_link(false);
    netifapi_netif_set_link_down(&wifi);
    netifapi_dhcp_release_and_stop(&wifi);
    netifapi_netif_set_down(&wifi);
}

char *net_address(char *buffer, size_t length)
{
    if (ip4addr_ntoa_r(netif_ip4_addr(&wifi), buffer, (int)length) == NULL && length > 0) {
        buffer[0] = '\0';
    }
    return buffer;
}

void net_get_addresses(struct net_addresses *addresses)
{
    ip4addr_ntoa_r(netif_ip4_addr(&wifi), addresses->ip, sizeof addresses->ip);
    ip4addr_ntoa_r(netif_ip4_gw(&wifi), addresses->gateway, sizeof addresses->gateway);
    ip4addr_ntoa_r(netif_ip4_netmask(&wifi), addresses->netmask, sizeof addresses->netmask);
}

void net_get_mac(uint8_t mac[NET_MAC_BYTES])
{
    memcpy(mac, hardware_address, NET_MAC_BYTES);
}

void net_get_dns_server(unsigned index, char address[NET_ADDRESS_BYTES])
{
    const ip_addr_t *server = dns_getserver((u8_t)index);
    if (!IP_IS_V4(server) || ip4addr_ntoa_r(ip_2_ip4(server), address, NET_ADDRESS_BYTES) == NULL) {
        address[0] = '\0';
    }
}

bool net_set_addresses(const struct net_addresses *addresses)
{
    ip4_addr_t ip;
    ip4_addr_t gateway;
    ip4_addr_t netmask;
    if (addresses != NULL && (!ip4addr_aton(addresses->ip, &ip) || !ip4addr_aton(addresses->gateway, &gateway) ||
                              !ip4addr_aton(addresses->netmask, &netmask))) {
        return false;
    }
    if (addresses != NULL) {
        ip4_addr_copy(by_hand.ip, ip);
        ip4_addr_copy(by_hand.gateway, gateway);
        ip4_addr_copy(by_hand.netmask, netmask);
    }
    by_hand.addresses = addresses != NULL;
    if (netif_is_link_up(&wifi)) {
        netifapi_dhcp_release_and_stop(&wifi);
        begin_addressing();
    }
    return true;
}

static err_t take_mac(struct netif *netif)
{
    memcpy(netif->hwaddr, hardware_address, NET_MAC_BYTES);
    if (has_address()) {
        etharp_gratuitous(netif);
    }
    return ERR_OK;
}

void net_set_mac(const uint8_t mac[NET_MAC_BYTES])
{
    memcpy(hardware_address, mac, NET_MAC_BYTES);
    netifapi_netif_common(&wifi, NULL, take_mac);
}

void net_set_hostname(const char *name)
{
    snprintf(hostname, sizeof hostname, "%s", name);
}

bool net_set_dns_servers(const char *const *addresses, size_t count)
{
    ip_addr_t servers[NET_DNS_SERVERS] = {0};
    for (size_t i = 0; i < count; i++) {
        if (i == NET_DNS_SERVERS || !ipaddr_aton(addresses[i], &servers[i])) {
            return false;
        }
    }
    by_hand.dns = count > 0;
    memcpy(by_hand.dns_servers, servers, sizeof servers);
    if (by_hand.dns) {
        netifapi_netif_common(NULL, NULL, take_dns_servers);
    }
    return true;
}

void net_stop(void)
{
    radio_set_link(false);
    radio_stop();
}
