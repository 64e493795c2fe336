/*
 * The configuration that the declarations in this folder depend on.
 *
 * This folder declares the small part of lwIP 2.1.3 that the firmware library calls, with the values it has under
 * the SDK's options. It is read by bindgen only: code that is compiled against lwIP itself never sees it. That both
 * agree is proved by wm_sdk/host/net/abi_check.c.
 */
#ifndef W800_LWIP_OPT_H
#define W800_LWIP_OPT_H

#include <wmsdk_config.h>

#define LWIP_IPV4 1

#if defined(CONFIG_LWIP_ENABLE_IPV6) && CONFIG_LWIP_ENABLE_IPV6
#define LWIP_IPV6 1
#else
#define LWIP_IPV6 0
#endif

/*
 * The SDK builds lwIP with LWIP_COMPAT_SOCKETS 2, which renames the socket functions themselves: the symbol that the
 * chip's archive holds is `socket`, not `lwip_socket`. The virtual board cannot do that, its C library has them.
 */
#ifndef LWIP_COMPAT_SOCKETS
#if defined(__csky__) || defined(__CSKY__)
#define LWIP_COMPAT_SOCKETS 2
#else
#define LWIP_COMPAT_SOCKETS 0
#endif
#endif

#endif
