/*
 * lwIP's sockets.
 *
 * A send or receive time-out is a `struct timeval`, whose size is the C library's choice: a caller that only needs to
 * wait is better served by lwip_poll. FIONBIO is the portable way to a non-blocking socket: the value of O_NONBLOCK
 * depends on what lwIP's own build happened to include.
 */
#ifndef W800_LWIP_SOCKETS_H
#define W800_LWIP_SOCKETS_H

#include <sys/time.h>

#include "lwip/err.h"
#include "lwip/errno.h"
#include "lwip/inet.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef u8_t sa_family_t;
typedef u16_t in_port_t;
typedef u32_t socklen_t;

#define SIN_ZERO_LEN 8

struct sockaddr {
    u8_t sa_len;
    sa_family_t sa_family;
    char sa_data[14];
};

struct sockaddr_in {
    u8_t sin_len;
    sa_family_t sin_family;
    in_port_t sin_port;
    struct in_addr sin_addr;
    char sin_zero[SIN_ZERO_LEN];
};

#if LWIP_IPV6
struct sockaddr_in6 {
    u8_t sin6_len;
    sa_family_t sin6_family;
    in_port_t sin6_port;
    u32_t sin6_flowinfo;
    struct in6_addr sin6_addr;
    u32_t sin6_scope_id;
};
#endif

struct sockaddr_storage {
    u8_t s2_len;
    sa_family_t ss_family;
    char s2_data1[2];
    u32_t s2_data2[3];
#if LWIP_IPV6
    u32_t s2_data3[3];
#endif
};

struct linger {
    int l_onoff;
    int l_linger;
};

#define AF_UNSPEC 0
#define AF_INET 2
#if LWIP_IPV6
#define AF_INET6 10
#else
#define AF_INET6 AF_UNSPEC
#endif
#define PF_UNSPEC AF_UNSPEC
#define PF_INET AF_INET
#define PF_INET6 AF_INET6

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3

#define IPPROTO_IP 0
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

#define SOL_SOCKET 0xfff
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_LINGER 0x0080
#define SO_RCVBUF 0x1002
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008

/* TCP_KEEPALIVE counts milliseconds, TCP_KEEPIDLE and TCP_KEEPINTVL seconds. */
#define TCP_NODELAY 0x01
#define TCP_KEEPALIVE 0x02
#define TCP_KEEPIDLE 0x03
#define TCP_KEEPINTVL 0x04
#define TCP_KEEPCNT 0x05

#define MSG_PEEK 0x01
#define MSG_WAITALL 0x02
#define MSG_OOB 0x04
#define MSG_DONTWAIT 0x08
#define MSG_MORE 0x10
#define MSG_NOSIGNAL 0x20

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#ifndef F_GETFL
#define F_GETFL 3
#endif
#ifndef F_SETFL
#define F_SETFL 4
#endif
#ifndef O_NONBLOCK
#define O_NONBLOCK 1
#endif

/* BSD's encoding: direction, size of the argument, group and number. The argument itself is an int. */
#ifndef FIONREAD
#define FIONREAD ((long)(0x40000000UL | (sizeof(unsigned long) << 16) | ('f' << 8) | 127))
#endif
#ifndef FIONBIO
#define FIONBIO ((long)(0x80000000UL | (sizeof(unsigned long) << 16) | ('f' << 8) | 126))
#endif

#define POLLIN 0x1
#define POLLOUT 0x2
#define POLLERR 0x4
#define POLLNVAL 0x8
#define POLLRDNORM 0x10
#define POLLRDBAND 0x20
#define POLLPRI 0x40
#define POLLWRNORM 0x80
#define POLLWRBAND 0x100
#define POLLHUP 0x200

typedef unsigned int nfds_t;

struct pollfd {
    int fd;
    short events;
    short revents;
};

#if LWIP_COMPAT_SOCKETS == 2
#define lwip_shutdown shutdown
#define lwip_setsockopt setsockopt
#define lwip_getsockopt getsockopt
#define lwip_close close
#define lwip_connect connect
#define lwip_recv recv
#define lwip_send send
#define lwip_socket socket
#define lwip_poll poll
#define lwip_ioctl ioctl
#endif

/* Allocates, and gives back, what lwIP keeps for the calling task. A task calls the second one before it ends. */
void lwip_socket_thread_init(void);
void lwip_socket_thread_cleanup(void);

int lwip_socket(int domain, int type, int protocol);
int lwip_connect(int s, const struct sockaddr *name, socklen_t namelen);
int lwip_shutdown(int s, int how);
int lwip_close(int s);
ssize_t lwip_recv(int s, void *mem, size_t len, int flags);
ssize_t lwip_send(int s, const void *dataptr, size_t size, int flags);
int lwip_getsockopt(int s, int level, int optname, void *optval, socklen_t *optlen);
int lwip_setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen);
int lwip_ioctl(int s, long cmd, void *argp);
int lwip_fcntl(int s, int cmd, int val);

/* `timeout` is in ms, negative for ever. An end of stream or an error is POLLIN too: the next receive tells which. */
int lwip_poll(struct pollfd *fds, nfds_t nfds, int timeout);

#ifdef __cplusplus
}
#endif

#endif
