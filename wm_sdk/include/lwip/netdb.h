/* Name lookup that blocks the calling task. lwIP gives it no limit of time of its own. */
#ifndef W800_LWIP_NETDB_H
#define W800_LWIP_NETDB_H

#include "lwip/sockets.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EAI_NONAME 200
#define EAI_SERVICE 201
#define EAI_FAIL 202
#define EAI_MEMORY 203
#define EAI_FAMILY 204

#define AI_NUMERICHOST 0x04
#define AI_NUMERICSERV 0x08
#define AI_ADDRCONFIG 0x40

struct addrinfo {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    socklen_t ai_addrlen;
    struct sockaddr *ai_addr;
    char *ai_canonname;
    struct addrinfo *ai_next;
};

int lwip_getaddrinfo(const char *nodename, const char *servname, const struct addrinfo *hints, struct addrinfo **res);
void lwip_freeaddrinfo(struct addrinfo *ai);

#ifdef __cplusplus
}
#endif

#endif
