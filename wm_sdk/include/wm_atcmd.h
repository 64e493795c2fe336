/*
 * The SDK's AT server: how a command is registered, how it answers, and the passthrough ("data") phase.
 */
#ifndef WM_ATCMD_H
#define WM_ATCMD_H

#include <wmsdk_config.h>
#include "wm_osal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most parameters one command may have. */
#ifndef MAX_ARGC
#define MAX_ARGC 20
#endif

/* Longest command line in bytes, its CR LF included. */
#ifndef AT_CMD_RECV_BUFF_LEN
#define AT_CMD_RECV_BUFF_LEN 256
#endif

/* Most that one wm_atcmd_print_result prints, its final NUL included. */
#ifndef AT_RESULT_BUFFER_SIZE
#define AT_RESULT_BUFFER_SIZE 256
#endif

#define AT_WAITING_FOREVER -1

typedef enum wm_atcmd_exit_passthrough_reason {
    WM_ATCMD_EXIT_REASON_USER_ACTIVE = 0,
    WM_ATCMD_EXIT_REASON_RECV_EXIT_CODE,
    WM_ATCMD_EXIT_REASON_TIMEOUT,
    WM_ATCMD_EXIT_REASON_NO_MEM,
    WM_ATCMD_EXIT_REASON_MAX
} wm_atcmd_exit_passthrough_reason_e;

typedef enum wm_atcmd_dev_type {
    WM_ATCMD_DEV_TYPE_UART = 0,
    WM_ATCMD_DEV_TYPE_SPI,
    WM_ATCMD_DEV_TYPE_I2C,
    WM_ATCMD_DEV_TYPE_NET,
    WM_ATCMD_DEV_TYPE_BT,
    WM_ATCMD_DEV_TYPE_BLE,
    WM_ATCMD_DEV_TYPE_MAX
} wm_atcmd_dev_type_e;

/* How a command was typed: `?`, `=?`, and everything else. */
typedef enum wm_at_type { AT_TYPE_QUERY = 0, AT_TYPE_TEST = 1, AT_TYPE_EXEC = 2, AT_TYPE_MAX } wm_at_type_e;

/* What a handler returns; the server prints the matching last line, or nothing for NULL. */
typedef enum wm_at_result {
    WM_AT_RESULT_OK = 0,
    WM_AT_RESULT_FAIL,
    WM_AT_RESULT_NULL,
    WM_AT_RESULT_CMD_ERR,
    WM_AT_RESULT_PARSE_FAIL,
    AT_RESULT_MAX
} wm_at_result_e;

/* The serial line. `timeout` is in ms, AT_WAITING_FOREVER for none; receive returns the count, 0 on time-out. */
typedef struct wm_dev_ops {
    int (*atcmd_send)(const void *buffer, int size);
    int (*atcmd_recv)(void *buffer, int *size, int timeout);
} wm_dev_ops_t;

typedef int (*wm_atcmd_act)(wm_at_type_e type, int argc, char **argv);
typedef int (*wm_atcmd_tx_passthrough)(void *buffer, int size, void *priv);
typedef int (*wm_atcmd_tx_passthrough_exit_notify)(wm_atcmd_exit_passthrough_reason_e reason, void *priv);

/*
 * One row of the command table; the name carries its "AT" prefix, the usage text may be NULL. The SDK's documentation
 * has rows without the member where usage texts are off, its header has it always: W800_ATCMD_ROWS_AS_DOCUMENTED makes
 * the documented ones.
 */
typedef struct wm_atcmd_item {
    char *cmd_name;
    wm_atcmd_act cmd_handle;
#if CONFIG_WM_ATCMD_USAGE_ENABLE || !defined W800_ATCMD_ROWS_AS_DOCUMENTED
    char *cmd_usg;
#endif
} wm_atcmd_item_t;

/* The server walks this section between wm_at_table_start and wm_at_table_end. */
#define WM_ATCMD_SECTION ".wm_at_table"

#if CONFIG_WM_ATCMD_USAGE_ENABLE
#define WM_ATCMD_USAGE(text) .cmd_usg = (text),
#else
#define WM_ATCMD_USAGE(text)
#endif

/* Aligned as its members ask for and no further: rows must follow each other without gaps. */
#define WM_ATCMD_DEFINE(cmd, func, usage)                                                                              \
    static const struct wm_atcmd_item __atcmd_##func                                                                   \
        __attribute__((used, section(WM_ATCMD_SECTION), aligned(sizeof(void *)))) = {                                  \
            .cmd_name = (cmd), .cmd_handle = (func), WM_ATCMD_USAGE(usage)};

int wm_atcmd_init(void);
int wm_atcmd_dev_register(wm_atcmd_dev_type_e dev_type, wm_dev_ops_t ops);

/* Each call is one uninterrupted piece of output. */
void wm_atcmd_print_result(char *format, ...);
void wm_atcmd_print_raw_data(const void *data, int len);

/*
 * From now on what the host sends goes to `pt_tx_handle` instead of being read as commands. `timeout` is in ms.
 * `pt_exit_notify` is told once when the phase is over.
 */
int wm_atcmd_enter_passthrough(wm_atcmd_tx_passthrough pt_tx_handle, wm_atcmd_tx_passthrough_exit_notify pt_exit_notify,
                               void *priv, uint32_t timeout);
void wm_atcmd_exit_passthrough(wm_atcmd_exit_passthrough_reason_e reason);

#ifdef __cplusplus
}
#endif

#endif
