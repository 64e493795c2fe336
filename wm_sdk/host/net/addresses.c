/*
 * What the interface is to have: addresses, name servers, a MAC and a name, by DHCP or by hand. Where the simulated
 * processor has the stack, its own DHCP decides, and nothing is applied here.
 */
#include "addresses.h"

#include <stdio.h>
#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/netifapi.h"

/* Set by hand, where DHCP is not to give them. */
static struct {
    bool addresses;
    bool dns;
    ip4_addr_t ip;
    ip4_addr_t gateway;
    ip4_addr_t netmask;
    ip_addr_t dns_servers[NET_DNS_SERVERS];
} by_hand;

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
        netifapi_netif_set_addr(interface_netif(), &by_hand.ip, &by_hand.netmask, &by_hand.gateway);
    } else {
        netifapi_dhcp_start(interface_netif());
    }
}

int addresses_await(uint32_t timeout_ms, bool (*goes_on)(void *), void *context)
{
    begin_addressing();
    if (interface_await_address(timeout_ms, goes_on, context) != 0) {
        return -1;
    }
    if (by_hand.dns || by_hand.addresses) {
        netifapi_netif_common(NULL, NULL, take_dns_servers);
    }
    return 0;
}

void addresses_get(struct net_addresses *addresses)
{
    ip4addr_ntoa_r(netif_ip4_addr(interface_netif()), addresses->ip, sizeof addresses->ip);
    ip4addr_ntoa_r(netif_ip4_gw(interface_netif()), addresses->gateway, sizeof addresses->gateway);
    ip4addr_ntoa_r(netif_ip4_netmask(interface_netif()), addresses->netmask, sizeof addresses->netmask);
}

void net_get_mac(uint8_t mac[NET_MAC_BYTES])
{
    memcpy(mac, interface_identity.mac, NET_MAC_BYTES);
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
    if (interface_runs() && netif_is_link_up(interface_netif())) {
        netifapi_dhcp_release_and_stop(interface_netif());
        begin_addressing();
    }
    return true;
}

static err_t take_mac(struct netif *netif)
{
    memcpy(netif->hwaddr, interface_identity.mac, NET_MAC_BYTES);
    if (interface_has_address()) {
        etharp_gratuitous(netif);
    }
    return ERR_OK;
}

void net_set_mac(const uint8_t mac[NET_MAC_BYTES])
{
    memcpy(interface_identity.mac, mac, NET_MAC_BYTES);
    if (interface_runs()) {
        netifapi_netif_common(interface_netif(), NULL, take_mac);
    }
}

void net_set_hostname(const char *name)
{
    snprintf(interface_identity.hostname, sizeof interface_identity.hostname, "%s", name);
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
    if (by_hand.dns && interface_runs()) {
        netifapi_netif_common(NULL, NULL, take_dns_servers);
    }
    return true;
}
