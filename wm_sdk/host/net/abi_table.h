/*
 * What the library may rely on in lwIP's interface: constants, layouts and function types.
 *
 * Two files include this table, one over our declarations and one over lwIP's own headers. Each makes an array of
 * numbers of it; the test compares them. The function types are checked as each of the files compiles.
 */
#ifndef W800_NET_ABI_TABLE_H
#define W800_NET_ABI_TABLE_H

#include "abi_rows.h"

#define ABI_CONSTANT(name) {#name, (long long)(name)}
#define ABI_TYPE(type)                                                                                                 \
    {"sizeof " #type, (long long)sizeof(type)},                                                                        \
    {                                                                                                                  \
        "alignof " #type, (long long)_Alignof(type)                                                                    \
    }
#define ABI_FIELD(type, field)                                                                                         \
    {"offset of " #type "." #field, (long long)offsetof(type, field)},                                                 \
    {                                                                                                                  \
        "sizeof " #type "." #field, (long long)sizeof(((type *)0)->field)                                              \
    }

#if LWIP_IPV6
#define ABI_IPV6_ROWS                                                                                                  \
    ABI_TYPE(struct sockaddr_in6), ABI_FIELD(struct sockaddr_in6, sin6_len),                                           \
        ABI_FIELD(struct sockaddr_in6, sin6_family), ABI_FIELD(struct sockaddr_in6, sin6_port),                        \
        ABI_FIELD(struct sockaddr_in6, sin6_flowinfo), ABI_FIELD(struct sockaddr_in6, sin6_addr),                      \
        ABI_FIELD(struct sockaddr_in6, sin6_scope_id), ABI_TYPE(ip6_addr_t), ABI_FIELD(ip6_addr_t, addr),              \
        ABI_FIELD(ip_addr_t, u_addr), ABI_FIELD(ip_addr_t, type), ABI_FIELD(struct sockaddr_storage, s2_data3),
#else
#define ABI_IPV6_ROWS
#endif

#define ABI_ROWS                                                                                                       \
    ABI_IPV6_ROWS                                                                                                      \
    ABI_CONSTANT(LWIP_IPV6), ABI_CONSTANT(AF_UNSPEC), ABI_CONSTANT(AF_INET), ABI_CONSTANT(AF_INET6),                   \
        ABI_CONSTANT(PF_UNSPEC), ABI_CONSTANT(PF_INET), ABI_CONSTANT(PF_INET6), ABI_CONSTANT(SOCK_STREAM),             \
        ABI_CONSTANT(SOCK_DGRAM), ABI_CONSTANT(SOCK_RAW), ABI_CONSTANT(IPPROTO_IP), ABI_CONSTANT(IPPROTO_TCP),         \
        ABI_CONSTANT(IPPROTO_UDP), ABI_CONSTANT(SOL_SOCKET), ABI_CONSTANT(SO_REUSEADDR), ABI_CONSTANT(SO_KEEPALIVE),   \
        ABI_CONSTANT(SO_LINGER), ABI_CONSTANT(SO_RCVBUF), ABI_CONSTANT(SO_SNDTIMEO), ABI_CONSTANT(SO_RCVTIMEO),        \
        ABI_CONSTANT(SO_ERROR), ABI_CONSTANT(SO_TYPE), ABI_CONSTANT(TCP_NODELAY), ABI_CONSTANT(TCP_KEEPALIVE),         \
        ABI_CONSTANT(TCP_KEEPIDLE), ABI_CONSTANT(TCP_KEEPINTVL), ABI_CONSTANT(TCP_KEEPCNT), ABI_CONSTANT(MSG_PEEK),    \
        ABI_CONSTANT(MSG_WAITALL), ABI_CONSTANT(MSG_OOB), ABI_CONSTANT(MSG_DONTWAIT), ABI_CONSTANT(MSG_MORE),          \
        ABI_CONSTANT(MSG_NOSIGNAL), ABI_CONSTANT(SHUT_RD), ABI_CONSTANT(SHUT_WR), ABI_CONSTANT(SHUT_RDWR),             \
        ABI_CONSTANT(F_GETFL), ABI_CONSTANT(F_SETFL), ABI_CONSTANT(O_NONBLOCK), ABI_CONSTANT(FIONREAD),                \
        ABI_CONSTANT(FIONBIO), ABI_CONSTANT(POLLIN), ABI_CONSTANT(POLLOUT), ABI_CONSTANT(POLLERR),                     \
        ABI_CONSTANT(POLLNVAL), ABI_CONSTANT(POLLRDNORM), ABI_CONSTANT(POLLRDBAND), ABI_CONSTANT(POLLPRI),             \
        ABI_CONSTANT(POLLWRNORM), ABI_CONSTANT(POLLWRBAND), ABI_CONSTANT(POLLHUP), ABI_CONSTANT(EAI_NONAME),           \
        ABI_CONSTANT(EAI_SERVICE), ABI_CONSTANT(EAI_FAIL), ABI_CONSTANT(EAI_MEMORY), ABI_CONSTANT(EAI_FAMILY),         \
        ABI_CONSTANT(AI_NUMERICHOST), ABI_CONSTANT(AI_NUMERICSERV), ABI_CONSTANT(AI_ADDRCONFIG),                       \
        ABI_CONSTANT(LWIP_DNS_ADDRTYPE_IPV4), ABI_CONSTANT(LWIP_DNS_ADDRTYPE_IPV6),                                    \
        ABI_CONSTANT(LWIP_DNS_ADDRTYPE_IPV4_IPV6), ABI_CONSTANT(LWIP_DNS_ADDRTYPE_IPV6_IPV4),                          \
        ABI_CONSTANT(LWIP_DNS_ADDRTYPE_DEFAULT), ABI_CONSTANT(IPADDR_TYPE_V4), ABI_CONSTANT(IPADDR_TYPE_V6),           \
        ABI_CONSTANT(IPADDR_TYPE_ANY), ABI_CONSTANT(IP4ADDR_STRLEN_MAX), ABI_CONSTANT(IPADDR_STRLEN_MAX),              \
        ABI_CONSTANT(ERR_OK), ABI_CONSTANT(ERR_MEM), ABI_CONSTANT(ERR_BUF), ABI_CONSTANT(ERR_TIMEOUT),                 \
        ABI_CONSTANT(ERR_RTE), ABI_CONSTANT(ERR_INPROGRESS), ABI_CONSTANT(ERR_VAL), ABI_CONSTANT(ERR_WOULDBLOCK),      \
        ABI_CONSTANT(ERR_USE), ABI_CONSTANT(ERR_ALREADY), ABI_CONSTANT(ERR_ISCONN), ABI_CONSTANT(ERR_CONN),            \
        ABI_CONSTANT(ERR_IF), ABI_CONSTANT(ERR_ABRT), ABI_CONSTANT(ERR_RST), ABI_CONSTANT(ERR_CLSD),                   \
        ABI_CONSTANT(ERR_ARG), ABI_CONSTANT(ENOMEM), ABI_CONSTANT(ENOBUFS), ABI_CONSTANT(EWOULDBLOCK),                 \
        ABI_CONSTANT(EAGAIN), ABI_CONSTANT(EHOSTUNREACH), ABI_CONSTANT(EINPROGRESS), ABI_CONSTANT(EINVAL),             \
        ABI_CONSTANT(EALREADY), ABI_CONSTANT(EISCONN), ABI_CONSTANT(ENOTCONN), ABI_CONSTANT(ECONNABORTED),             \
        ABI_CONSTANT(ECONNRESET), ABI_CONSTANT(ETIMEDOUT), ABI_CONSTANT(EIO), ABI_CONSTANT(EBADF), ABI_TYPE(err_t),    \
        ABI_TYPE(socklen_t), ABI_TYPE(nfds_t), ABI_TYPE(sa_family_t), ABI_TYPE(in_port_t), ABI_TYPE(ssize_t),          \
        ABI_TYPE(size_t), ABI_TYPE(struct in_addr), ABI_FIELD(struct in_addr, s_addr), ABI_TYPE(ip4_addr_t),           \
        ABI_FIELD(ip4_addr_t, addr), ABI_TYPE(ip_addr_t), ABI_TYPE(struct sockaddr),                                   \
        ABI_FIELD(struct sockaddr, sa_len), ABI_FIELD(struct sockaddr, sa_family),                                     \
        ABI_FIELD(struct sockaddr, sa_data), ABI_TYPE(struct sockaddr_in), ABI_FIELD(struct sockaddr_in, sin_len),     \
        ABI_FIELD(struct sockaddr_in, sin_family), ABI_FIELD(struct sockaddr_in, sin_port),                            \
        ABI_FIELD(struct sockaddr_in, sin_addr), ABI_FIELD(struct sockaddr_in, sin_zero),                              \
        ABI_TYPE(struct sockaddr_storage), ABI_FIELD(struct sockaddr_storage, s2_len),                                 \
        ABI_FIELD(struct sockaddr_storage, ss_family), ABI_TYPE(struct linger), ABI_FIELD(struct linger, l_onoff),     \
        ABI_FIELD(struct linger, l_linger), ABI_TYPE(struct pollfd), ABI_FIELD(struct pollfd, fd),                     \
        ABI_FIELD(struct pollfd, events), ABI_FIELD(struct pollfd, revents), ABI_TYPE(struct timeval),                 \
        ABI_FIELD(struct timeval, tv_sec), ABI_FIELD(struct timeval, tv_usec), ABI_TYPE(struct addrinfo),              \
        ABI_FIELD(struct addrinfo, ai_flags), ABI_FIELD(struct addrinfo, ai_family),                                   \
        ABI_FIELD(struct addrinfo, ai_socktype), ABI_FIELD(struct addrinfo, ai_protocol),                              \
        ABI_FIELD(struct addrinfo, ai_addrlen), ABI_FIELD(struct addrinfo, ai_addr),                                   \
        ABI_FIELD(struct addrinfo, ai_canonname), ABI_FIELD(struct addrinfo, ai_next)

#define ABI_FUNCTION(name, result, ...)                                                                                \
    _Static_assert(_Generic(&(name), result(*)(__VA_ARGS__): 1, default: 0), "the type of " #name)

ABI_FUNCTION(lwip_socket_thread_init, void, void);
ABI_FUNCTION(lwip_socket_thread_cleanup, void, void);
ABI_FUNCTION(lwip_socket, int, int, int, int);
ABI_FUNCTION(lwip_connect, int, int, const struct sockaddr *, socklen_t);
ABI_FUNCTION(lwip_shutdown, int, int, int);
ABI_FUNCTION(lwip_close, int, int);
ABI_FUNCTION(lwip_recv, ssize_t, int, void *, size_t, int);
ABI_FUNCTION(lwip_send, ssize_t, int, const void *, size_t, int);
ABI_FUNCTION(lwip_getsockopt, int, int, int, int, void *, socklen_t *);
ABI_FUNCTION(lwip_setsockopt, int, int, int, int, const void *, socklen_t);
ABI_FUNCTION(lwip_ioctl, int, int, long, void *);
ABI_FUNCTION(lwip_fcntl, int, int, int, int);
ABI_FUNCTION(lwip_poll, int, struct pollfd *, nfds_t, int);
ABI_FUNCTION(lwip_getaddrinfo, int, const char *, const char *, const struct addrinfo *, struct addrinfo **);
ABI_FUNCTION(lwip_freeaddrinfo, void, struct addrinfo *);
ABI_FUNCTION(tcpip_callback, err_t, tcpip_callback_fn, void *);
ABI_FUNCTION(dns_gethostbyname, err_t, const char *, ip_addr_t *, dns_found_callback, void *);
ABI_FUNCTION(dns_gethostbyname_addrtype, err_t, const char *, ip_addr_t *, dns_found_callback, void *, u8_t);
ABI_FUNCTION(ip4_route, struct netif *, const ip4_addr_t *);
ABI_FUNCTION(ip4addr_ntoa_r, char *, const ip4_addr_t *, char *, int);
ABI_FUNCTION(ip4addr_aton, int, const char *, ip4_addr_t *);
ABI_FUNCTION(err_to_errno, int, err_t);
_Static_assert(_Generic((dns_found_callback)0, void (*)(const char *, const ip_addr_t *, void *): 1, default: 0),
               "the type of dns_found_callback");
_Static_assert(_Generic((tcpip_callback_fn)0, void (*)(void *): 1, default: 0), "the type of tcpip_callback_fn");

#endif
