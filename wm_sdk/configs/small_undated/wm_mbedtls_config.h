/*
 * A product with little memory that does not check certificates' dates: small records, no MBEDTLS_HAVE_TIME_DATE.
 *
 * W800_SIM_CONFIG=<this folder> builds the board and the library with it: the folder comes first on the include path.
 */
#ifndef SMALL_UNDATED_MBEDTLS_CONFIG_H
#define SMALL_UNDATED_MBEDTLS_CONFIG_H

#include "wmsdk_config.h"

#undef CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN
#define CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN 4096
#undef CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN
#define CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN 2048

#define W800_WITHOUT_TIME_DATE

#include_next "wm_mbedtls_config.h"

#endif
