/* The addresses inside socket addresses, in network byte order. */
#ifndef W800_LWIP_INET_H
#define W800_LWIP_INET_H

#include "lwip/arch.h"
#include "lwip/opt.h"

typedef u32_t in_addr_t;

struct in_addr {
    in_addr_t s_addr;
};

#if LWIP_IPV6
struct in6_addr {
    union {
        u32_t u32_addr[4];
        u8_t u8_addr[16];
    } un;
};
#endif

#endif
