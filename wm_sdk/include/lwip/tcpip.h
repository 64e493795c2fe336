/* The way into lwIP's own task. */
#ifndef W800_LWIP_TCPIP_H
#define W800_LWIP_TCPIP_H

#include "lwip/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*tcpip_callback_fn)(void *ctx);

err_t tcpip_callback(tcpip_callback_fn function, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
