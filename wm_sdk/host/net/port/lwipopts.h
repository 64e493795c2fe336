/*
 * lwIP's options: the values that the SDK sets, with its Kconfig defaults, so that limits, windows, time-outs and
 * memory use are those of the chip. The board has them natively and, in a whole image, compiled for the chip.
 *
 * What differs, and why:
 * - LWIP_COMPAT_SOCKETS is 0 on a PC, whose C library has functions of those names.
 * - DHCP_DOES_ARP_CHECK is 0: nobody else is on this network, and the check takes seven seconds.
 * - SNTP starts at once and takes the time as it is, hands it to net.h's listener, and asks again at net.h's interval.
 * - The hooks for several interfaces and for multicast socket options are left out: there is one interface.
 */
#ifndef W800_NET_LWIPOPTS_H
#define W800_NET_LWIPOPTS_H

#include <stdint.h>

#include "wm_osal.h"
#include "wm_task_config.h"
#include "wmsdk_config.h"

/* Tasks. */
#define NO_SYS 0
#define SYS_LIGHTWEIGHT_PROT 1
#define TCPIP_THREAD_NAME "tcpip"
#define TCPIP_THREAD_PRIO WM_TASK_TCPIP_PRIO
#define TCPIP_THREAD_STACKSIZE WM_TASK_TCPIP_STACK
#define LWIP_TCPIP_CORE_LOCKING 0
#define LWIP_TCPIP_CORE_LOCKING_INPUT 0
#define LWIP_TCPIP_TIMEOUT 1
#define LWIP_NETCONN_SEM_PER_THREAD 1
#define LWIP_NETCONN_FULLDUPLEX 1
#define LWIP_NETCONN_THREAD_SEM_ALLOC() ((void)net_thread_semaphore())
#define LWIP_NETCONN_THREAD_SEM_GET() net_thread_semaphore()
#define LWIP_NETCONN_THREAD_SEM_FREE() net_thread_semaphore_free()
#include "arch/sys_arch.h"

/* Memory: everything is on the board's heap and counted there. */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_USE_POOLS 0
#define MEMP_USE_CUSTOM_POOLS 0
#define MEMP_OVERFLOW_CHECK 0
#define MEM_ALIGNMENT __SIZEOF_POINTER__
#define mem_clib_malloc wm_os_internal_malloc
#define mem_clib_calloc wm_os_internal_calloc
#define mem_clib_free wm_os_internal_free
#define LWIP_ALLOW_MEM_FREE_FROM_OTHER_CONTEXT 0

/* Layers. */
#define LWIP_STATS 0
#define LWIP_RAW 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_ARP 1
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define ETHARP_TABLE_MATCH_NETIF 0
#define ARP_QUEUEING 1
#define LWIP_IPV4 1
#define LWIP_IGMP 1
#define LWIP_DHCP 1
#define DHCP_DOES_ARP_CHECK 0
#if defined(CONFIG_LWIP_ENABLE_IPV6) && CONFIG_LWIP_ENABLE_IPV6
#define LWIP_IPV6 1
#define LWIP_IPV6_DHCP6 1
#define LWIP_IPV6_MLD 1
/* Pointers of 64 bits do not fit where lwIP would keep them in a fragment's header. */
#define IPV6_FRAG_COPYHEADER 1
#else
#define LWIP_IPV6 0
#define LWIP_IPV6_DHCP6 0
#endif
#define LWIP_IPV6_SCOPES 0
#define LWIP_ND6_MAX_MULTICAST_SOLICIT 10
#define LWIP_DNS 1
#define LWIP_HAVE_LOOPIF 0
#define LWIP_NETIF_API 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_RAND rand

/* TCP. */
#define TCP_MSS 1460
#define TCP_WND (8 * TCP_MSS)
#define TCP_SND_BUF (6 * TCP_MSS)
#define TCP_SND_QUEUELEN 30
#define MEMP_NUM_TCP_SEG 32
#define TCP_MAXRTX 3
#define TCP_SYNMAXRTX 4
#define TCP_MSL 2000UL
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 8
#define LWIP_TCP_KEEPALIVE 1

/* Sockets. */
#define LWIP_NETCONN 1
#define LWIP_SOCKET 1
#ifdef __csky__
#define LWIP_COMPAT_SOCKETS 2
#else
#define LWIP_COMPAT_SOCKETS 0
#endif
#define LWIP_SOCKET_OFFSET 1
#define LWIP_SOCKET_SELECT 1
#define LWIP_SOCKET_POLL 1
#define MEMP_NUM_NETCONN 8
#define TCPIP_MBOX_SIZE 32
#define DEFAULT_TCP_RECVMBOX_SIZE 10
#define DEFAULT_UDP_RECVMBOX_SIZE 6
#define DEFAULT_RAW_RECVMBOX_SIZE 2
#define DEFAULT_ACCEPTMBOX_SIZE 5
#define RECV_BUFSIZE_DEFAULT 65536
#define LWIP_SO_LINGER 1
#define LWIP_SO_RCVTIMEO 1
#define LWIP_SO_SNDTIMEO 1
#define LWIP_SO_RCVBUF 1
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 1
#define LWIP_TIMEVAL_PRIVATE 0

/* Time. */
#define SNTP_SERVER_DNS 1
#define SNTP_MAX_SERVERS 3
#define SNTP_STARTUP_DELAY 0
/* lwIP would have the compiler check a number. */
#define SNTP_SUPPRESS_DELAY_CHECK
#define SNTP_UPDATE_DELAY net_sntp_interval_ms()
uint32_t net_sntp_interval_ms(void);
#define SNTP_SET_SYSTEM_TIME_US(seconds, microseconds) net_sntp_deliver((seconds), (microseconds))
void net_sntp_deliver(uint32_t seconds, uint32_t microseconds);

#endif
