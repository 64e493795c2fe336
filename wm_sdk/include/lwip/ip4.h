/*
 * Where an IPv4 packet would go. In lwIP's own task only: reach it through tcpip_callback.
 */
#ifndef W800_LWIP_IP4_H
#define W800_LWIP_IP4_H

#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

struct netif;

/* NULL where no interface that is up has an address. */
struct netif *ip4_route(const ip4_addr_t *dest);

#ifdef __cplusplus
}
#endif

#endif
