/*
 * lwIP on the radio: its interface, the Wi-Fi task, its client of network time. Compiled for the host and, in a whole
 * image, for the chip.
 */
#ifndef W800_NET_INTERFACE_H
#define W800_NET_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_MAC_BYTES 6
#define NET_HOSTNAME_BYTES 33

/* Answers of network time, in lwIP's task: seconds since 1970. */
typedef void (*net_time_listener)(uint32_t seconds, uint32_t microseconds);

/* Whose stack is on the radio. Its functions do what net.h says of those so named; `start` comes before the radio's. */
struct net_stack {
    int (*start)(void);
    int (*link_up)(uint32_t timeout_ms);
    void (*link_down)(void);
    char *(*address)(char *buffer, size_t length);
    int (*sntp_start)(const char *const *servers, size_t count, net_time_listener listener);
    void (*sntp_stop)(void);
};

/* Who the board is to others: the sender of its frames, and its name in DHCP's questions. */
struct interface_identity {
    uint8_t mac[NET_MAC_BYTES];
    char hostname[NET_HOSTNAME_BYTES];
};
extern struct interface_identity interface_identity;

int interface_start(void);
/* Whether it has been: not where the simulated processor has the stack. */
bool interface_runs(void);
/* lwIP's interface, for those who set its addresses. */
struct netif *interface_netif(void);
/* Frames pass from now on. */
void interface_associate(void);
bool interface_has_address(void);
/* Waits for an address. 0, or -1 at the time-out and where `goes_on`, which may be NULL, is false. */
int interface_await_address(uint32_t timeout_ms, bool (*goes_on)(void *), void *context);
int interface_link_up(uint32_t timeout_ms);
void interface_link_down(void);
char *interface_address(char *buffer, size_t length);
int interface_sntp_start(const char *const *servers, size_t count, net_time_listener listener);
void interface_sntp_stop(void);
void interface_sntp_set_interval(uint32_t seconds);

/* Waits until the radio has frames; the Wi-Fi task calls it. */
void interface_wait_for_frames(void);

#endif
