/* How the interface comes to its addresses, to its name servers and to who it is. */
#ifndef W800_NET_ADDRESSES_H
#define W800_NET_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "interface.h"

#define NET_ADDRESS_BYTES 16
#define NET_DNS_SERVERS 2
/* What the documents name for a board that is told none. */
#define NET_DNS_DEFAULTS "208.67.222.222", "8.8.8.8"

struct net_addresses {
    char ip[NET_ADDRESS_BYTES];
    char gateway[NET_ADDRESS_BYTES];
    char netmask[NET_ADDRESS_BYTES];
};

/* What the interface has now. */
void net_get_mac(uint8_t mac[NET_MAC_BYTES]);
void net_get_dns_server(unsigned index, char address[NET_ADDRESS_BYTES]);

/*
 * What it is to have, at once and at each joining: these addresses, or with NULL those that DHCP gives (the default).
 * An address that is "0.0.0.0" leaves it without one. False for what is no address. From a task.
 */
bool net_set_addresses(const struct net_addresses *addresses);
void net_set_mac(const uint8_t mac[NET_MAC_BYTES]);
/* In DHCP's questions. */
void net_set_hostname(const char *name);
/* In the place of those that DHCP gives, or of the defaults; an empty list gives its place back at the next joining. */
bool net_set_dns_servers(const char *const *addresses, size_t count);

/* As net_get_addresses() and net_await_address(), where lwIP runs here. */
void addresses_get(struct net_addresses *addresses);
int addresses_await(uint32_t timeout_ms, bool (*goes_on)(void *), void *context);

#endif
