/*
 * The default configuration with IPv6: addresses carry their family. W800_SIM_CONFIG=<this folder> builds with it.
 */
#ifndef IPV6_WMSDK_CONFIG_H
#define IPV6_WMSDK_CONFIG_H

#include_next <wmsdk_config.h>

#define CONFIG_LWIP_ENABLE_IPV6 1

#endif
