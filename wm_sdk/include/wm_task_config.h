/*
 * Priorities and stack sizes of the SDK's tasks. A higher number runs first; stacks are in bytes (the OSAL divides by
 * the size of a stack word before it calls FreeRTOS).
 */
#ifndef WM_TASK_CONFIG_H
#define WM_TASK_CONFIG_H

#include <wmsdk_config.h>

#ifndef configMAX_PRIORITIES
#define configMAX_PRIORITIES (16)
#endif

#define WM_TASK_PRIO_MAX (configMAX_PRIORITIES)
#define WM_TASK_PRIO_MIN (0)

#define WM_TASK_WIFI_DRV_PRIO (WM_TASK_PRIO_MAX - 2)
#define WM_TASK_WPA_SUPPLICANT_PRIO (WM_TASK_PRIO_MAX - 3)
#define WM_TASK_TCPIP_PRIO (WM_TASK_PRIO_MAX - 5)
#define WM_TASK_EVENT_PRIO (WM_TASK_PRIO_MAX - 6)
#define WM_TASK_NET_MANAGER_PRIO (WM_TASK_PRIO_MAX - 7)
#define WM_TASK_LOG_PRIO (WM_TASK_PRIO_MAX - 8)
#define WM_TASK_CLI_PRIO (WM_TASK_PRIO_MAX - 8)
#define WM_TASK_ATCMD_PRIO (WM_TASK_PRIO_MAX - 9)
#define WM_TASK_MQTT_CLIENT_PRIO (WM_TASK_ATCMD_PRIO - 1)
#define WM_TASK_MAIN_PRIO (WM_TASK_PRIO_MIN + 1)

#define WM_TASK_TCPIP_STACK (4096)
#define WM_TASK_MQTT_CLIENT_STACK (8192)
#define WM_TASK_ATCMD_STACK (8192)
#define WM_TASK_MAIN_STACK (4096)

#endif
