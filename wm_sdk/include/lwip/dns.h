/*
 * Name lookup by call-back. These run in lwIP's own task only: reach them through tcpip_callback.
 */
#ifndef W800_LWIP_DNS_H
#define W800_LWIP_DNS_H

#include "lwip/err.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LWIP_DNS_ADDRTYPE_IPV4 0
#define LWIP_DNS_ADDRTYPE_IPV6 1
#define LWIP_DNS_ADDRTYPE_IPV4_IPV6 2
#define LWIP_DNS_ADDRTYPE_IPV6_IPV4 3
#if LWIP_IPV6
#define LWIP_DNS_ADDRTYPE_DEFAULT LWIP_DNS_ADDRTYPE_IPV4_IPV6
#else
#define LWIP_DNS_ADDRTYPE_DEFAULT LWIP_DNS_ADDRTYPE_IPV4
#endif

/* `ipaddr` is NULL where the name has no address or no answer came. */
typedef void (*dns_found_callback)(const char *name, const ip_addr_t *ipaddr, void *callback_arg);

/* ERR_OK: `addr` is set and `found` is not called. ERR_INPROGRESS: `found` will be called once. */
err_t dns_gethostbyname(const char *hostname, ip_addr_t *addr, dns_found_callback found, void *callback_arg);
err_t dns_gethostbyname_addrtype(const char *hostname, ip_addr_t *addr, dns_found_callback found, void *callback_arg,
                                 u8_t dns_addrtype);

#ifdef __cplusplus
}
#endif

#endif
