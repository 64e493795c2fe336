/* The handlers of the board's own commands, as the table in neighbour_table.h has them, and what they share. */
#ifndef AT_HANDLERS_H
#define AT_HANDLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "wm_atcmd.h"

#define NEIGHBOUR(command, handler, usage, truth, does) int handler(wm_at_type_e type, int argc, char **argv);
#include "neighbour_table.h"
#undef NEIGHBOUR

/* At boot the Wi-Fi is joined where `allowed`, and where the settings say so. From a task, which it may hold up. */
void at_wifi_boot(bool allowed, uint32_t dhcp_delay_ms);

/* Asks the time servers anew, where they are to be asked. WM_AT_RESULT_OK, or that of a failure. From a task. */
int at_time_ask(void);

#endif
