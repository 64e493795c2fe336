/*
 * A product with little memory whose switches are the other way round: small records, no MBEDTLS_HAVE_TIME_DATE,
 * addresses that carry their family (IPv6), commands without usage texts and rows without a place for one, as the SDK's
 * documentation has them.
 *
 * W800_SIM_CONFIG=<this folder> builds the board and the library with it: the folder comes first on the include path.
 */
#ifndef OPPOSITE_WMSDK_CONFIG_H
#define OPPOSITE_WMSDK_CONFIG_H

#include_next <wmsdk_config.h>

#undef CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN
#define CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN 4096
#undef CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN
#define CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN 2048

#define W800_WITHOUT_TIME_DATE

#define CONFIG_LWIP_ENABLE_IPV6 1

#undef CONFIG_WM_ATCMD_USAGE_ENABLE
#define W800_ATCMD_ROWS_AS_DOCUMENTED

#endif
