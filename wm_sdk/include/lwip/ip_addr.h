/*
 * Addresses, in network byte order. With IPv6 switched off an address is the bare IPv4 one, with no type beside it.
 */
#ifndef W800_LWIP_IP_ADDR_H
#define W800_LWIP_IP_ADDR_H

#include "lwip/arch.h"
#include "lwip/opt.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lwip_ip_addr_type { IPADDR_TYPE_V4 = 0U, IPADDR_TYPE_V6 = 6U, IPADDR_TYPE_ANY = 46U };

#define IP4ADDR_STRLEN_MAX 16
#define IP6ADDR_STRLEN_MAX 46

typedef struct ip4_addr {
    u32_t addr;
} ip4_addr_t;

char *ip4addr_ntoa_r(const ip4_addr_t *addr, char *buf, int buflen);
int ip4addr_aton(const char *cp, ip4_addr_t *addr);

#if LWIP_IPV6

/* Without a zone: the SDK sets LWIP_IPV6_SCOPES to 0. */
typedef struct ip6_addr {
    u32_t addr[4];
} ip6_addr_t;

typedef struct ip_addr {
    union {
        ip6_addr_t ip6;
        ip4_addr_t ip4;
    } u_addr;
    u8_t type;
} ip_addr_t;

#define IPADDR_STRLEN_MAX IP6ADDR_STRLEN_MAX

char *ip6addr_ntoa_r(const ip6_addr_t *addr, char *buf, int buflen);
int ip6addr_aton(const char *cp, ip6_addr_t *addr);
char *ipaddr_ntoa_r(const ip_addr_t *addr, char *buf, int buflen);
int ipaddr_aton(const char *cp, ip_addr_t *addr);

#else

typedef ip4_addr_t ip_addr_t;

#define IPADDR_STRLEN_MAX IP4ADDR_STRLEN_MAX
#define ipaddr_ntoa_r(ipaddr, buf, buflen) ip4addr_ntoa_r(ipaddr, buf, buflen)
#define ipaddr_aton(cp, addr) ip4addr_aton(cp, addr)

#endif

#ifdef __cplusplus
}
#endif

#endif
