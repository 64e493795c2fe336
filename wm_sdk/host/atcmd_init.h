/* The serial line's way to the AT server. */
#ifndef ATCMD_INIT_H
#define ATCMD_INIT_H

#include "wm_atcmd.h"

typedef int (*atcmd_register)(wm_atcmd_dev_type_e type, wm_dev_ops_t functions);

/*
 * Registers the UART with the server, which is initialised, says "ready" through it, and lets the line's input in.
 * `with` is what registers; NULL for wm_atcmd_dev_register. WM_ERR_SUCCESS, or another of its kind.
 */
int atcmd_init_uart(atcmd_register with);

#endif
