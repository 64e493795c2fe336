/*
 * What build.rs shows to bindgen: the SDK headers this library calls, and names for what
 * bindgen cannot see by itself (a constant behind an expression, a macro without a value).
 */
#include "wm_atcmd.h"
#include "wm_heap.h"
#include "wm_log.h"
#include "wm_osal.h"
#include "wm_task_config.h"
#include "wm_utils.h"

#include <errno.h>

#include "lwip/dns.h"
#include "lwip/ip4.h"
#include "lwip/ip_addr.h"
#include "lwip/netdb.h"
#include "lwip/sockets.h"
#include "lwip/tcpip.h"

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/entropy.h"
#include "mbedtls/net_sockets.h"
#include "mbedtls/pk.h"
#include "mbedtls/sha1.h"
#include "mbedtls/sha256.h"
#include "mbedtls/ssl.h"
#include "mbedtls/version.h"
#include "mbedtls/x509_crt.h"
#include "wm_nvs.h"

enum {
    W800_AT_TASK_PRIORITY = WM_TASK_ATCMD_PRIO,
    W800_ECONNRESET = ECONNRESET,
};

static const long W800_FIONBIO = (long)(FIONBIO);

#if LWIP_IPV6
#define W800_HAVE_LWIP_IPV6 1
#endif

#ifdef MBEDTLS_HAVE_TIME_DATE
#define W800_HAVE_TIME_DATE 1
#endif

#if CONFIG_WM_ATCMD_USAGE_ENABLE
#define W800_HAVE_USAGE_TEXTS 1
#endif
