/*
 * The virtual W800 as a program starts it: one board per process.
 *
 * The order of the calls: board_start, board_wait, board_stop.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atcmd.h"
#include "atcmd_init.h"
#include "credentials.h"
#include "heap.h"
#include "neighbours.h"
#include "uart.h"
#include "wm_log.h"

struct board_options {
    struct uart_options uart;
    enum at_argv_style argv_style;
    wm_log_level_t log_level;
    /* Bytes. */
    size_t heap_limit;
    /* From the start; AT+SYSHEAPFAIL changes it. */
    struct heap_failing heap_failing;
    /* Where the ms counter starts. */
    uint32_t uptime_ms;
    /* For kernel_preempt; 0 for none. */
    uint32_t preempt_seed;
    /* The clock at boot, in seconds since 1970; negative leaves it unset. */
    int64_t rtc;
    bool wifi_off;
    /* How long an address takes after AT+CWJAP. */
    uint32_t dhcp_delay_ms;
    /* See net.h. */
    bool net_open;
    /* `name=address` entries for the resolver. */
    const char *const *hosts;
    size_t hosts_count;
    const char *const *faults;
    size_t faults_count;
    uint16_t time_server_port;
    /* The file of the non-volatile storage; NULL forgets it at the end. */
    const char *nvs;
    struct credential_files credentials;
    /* What a product's own code does before the AT server starts, in the SDK's main task; or NULL. */
    void (*product)(void);
    /* Whose network stack it is; NULL for the board's own. */
    const struct net_stack *stack;
    /* Registers the serial line with the AT server; NULL for wm_atcmd_dev_register. */
    atcmd_register register_device;
    struct neighbours_sources sources;
};

/*
 * 0, or -1 after a line on stderr. From the program's first thread, before it starts others. `size` is that of the
 * options as the caller knows them.
 */
int board_start(const struct board_options *options, size_t size);

/* Returns when the board is told to stop (SIGINT, SIGTERM) or its input has ended: the exit status. */
int board_wait(void);

void board_stop(void);

#endif
