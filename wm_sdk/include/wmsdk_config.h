/*
 * What the SDK's configuration tool writes for a W800 project with the AT component on and everything else at its
 * default. As there, an option that is off has no macro at all.
 *
 * The headers here include it in angle brackets: a variant's folder (W800_SIM_CONFIG) that comes first on the path may
 * then hold another, which includes this one by #include_next and changes what it wants.
 */
#ifndef WMSDK_CONFIG_H
#define WMSDK_CONFIG_H

#define CONFIG_BUILD_TYPE_W800 1
#define CONFIG_CHIP_HAVE_WIFI 1

#define CONFIG_COMPONENT_WM_ATCMD_ENABLED 1
#define CONFIG_WM_ATCMD_USAGE_ENABLE 1
#define CONFIG_WM_ATCMD_SYS_ENABLE 1
#define CONFIG_WM_ATCMD_WIFI_ENABLE 1
#define CONFIG_WM_ATCMD_TCP_ENABLE 1
#define CONFIG_WM_ATCMD_UART_PORT 1
#define CONFIG_WM_ATCMD_UART_DEVICE "uart1"

#define CONFIG_FREERTOS_HZ 1000
#define CONFIG_FREERTOS_TIMER_TASK_PRIORITY 15

/* With tracing on, the allocators are macros over their _tracing forms, which are the only ones the SDK then links. */
#define CONFIG_HEAP_USE_ASSERT 1
#define CONFIG_HEAP_USE_TRACING 1

#define CONFIG_COMPONENT_MBEDTLS_ENABLED 1
#define CONFIG_MBEDTLS_ENABLE_HARD_DRV 1
#define CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN 16384
#define CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN 4096

#define CONFIG_COMPONENT_NVS_ENABLED 1

#define CONFIG_COMPONENT_LOG_ENABLED 1
#define CONFIG_LOG_DEFAULT_LEVEL_INFO 1
#define CONFIG_LOG_DEFAULT_LEVEL 3

#endif
