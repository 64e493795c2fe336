/*
 * See atcmd_init.h. The SDK has an open source file for this too: whoever stands between the server and its device by
 * wrapping wm_atcmd_dev_register finds here what it finds there. "ready" is the server's first line, and passes through
 * that wrap as all others do.
 */
#include "atcmd_init.h"

#include <string.h>

#include "uart.h"

int atcmd_init_uart(atcmd_register with)
{
    static const char ready[] = "\r\nready\r\n";
    int status = (with ? with : wm_atcmd_dev_register)(WM_ATCMD_DEV_TYPE_UART, uart_device());
    if (status != WM_ERR_SUCCESS) {
        return status;
    }
    wm_atcmd_print_raw_data(ready, (int)strlen(ready));
    /* What a host has typed already waits until here: its answer must not come before "ready". */
    return uart_listen() ? WM_ERR_SUCCESS : WM_ERR_NO_MEM;
}
