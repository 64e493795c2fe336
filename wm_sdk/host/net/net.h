/*
 * The virtual board's network: lwIP on a Wi-Fi that leads to the host's loopback.
 *
 * The board is 10.0.2.15 by DHCP; the host's 127.0.0.1 is 10.0.2.2 to it. Names are answered from a list that is given
 * at the start, and network time from the clock of the host or from a server on its loopback. Nothing else is reached:
 * a packet for another address is answered with ICMP "net unreachable", and a name that is not listed does not exist.
 * Only where the network is open do they go where the host's routes lead and to the host's resolver.
 */
#ifndef W800_NET_H
#define W800_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addresses.h"
#include "interface.h"

struct net_options {
    /* Whether the board reaches more than the host's loopback. */
    bool open;
    /* Entries `name=address`, `name=address@500ms` (answered that much later) or `name=drop` (never answered). */
    const char *const *hosts;
    size_t hosts_count;
    /* The faults of the network from the start: `name=value`, by the names and values of impair.h. */
    const char *const *faults;
    size_t faults_count;
    /* A UDP port of the host's loopback where a time server listens; 0 takes the host's clock. */
    uint16_t time_server_port;
    /* NULL for the board's own. */
    const struct net_stack *stack;
};

/* Starts lwIP's task and the radio. 0, or -1 after a line on stderr. Once per process. */
int net_start(const struct net_options *options);

/* Joins the access point and waits for an address. 0, or -1 at the time-out. From a task. */
int net_link_up(uint32_t timeout_ms);

/* The same in two steps: frames pass, then there is an address. `goes_on` false ends the waiting. From a task. */
void net_associate(void);
int net_await_address(uint32_t timeout_ms, bool (*goes_on)(void *), void *context);

/* Leaves it: frames are lost in both directions, the address is gone and with it every connection. From a task. */
void net_link_down(void);

/* What the interface has now; of another's stack the address alone. */
void net_get_addresses(struct net_addresses *addresses);

/* The board's IPv4 address as text, "0.0.0.0" where it has none. Returns `buffer`. */
char *net_address(char *buffer, size_t length);

/* Asks for a name's IPv4 address, as lwIP does. 0 or -1. From a task. */
int net_resolve(const char *name, char address[NET_ADDRESS_BYTES]);

/* Sends an ICMP echo request and waits for its answer: milliseconds, or -1 where none comes in time. From a task. */
int net_ping(const char *host, uint32_t timeout_ms);

/* Stops the radio. lwIP's task stays, and hears nothing any more. */
void net_stop(void);

/*
 * Asks up to three servers for the time, at once and then hourly unless another interval is set. `listener` runs in
 * lwIP's task with the seconds since 1970. On a closed network their names are known: unless the list of hosts has
 * them, they are the virtual time server's. From a task.
 */
int net_sntp_start(const char *const *servers, size_t count, net_time_listener listener);
void net_sntp_stop(void);
/* From the next answer on. */
void net_sntp_set_interval(uint32_t seconds);

#endif
