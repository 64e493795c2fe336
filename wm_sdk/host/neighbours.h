/* The commands beside the library's own: their state as after a power-up. */
#ifndef NEIGHBOURS_H
#define NEIGHBOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "at_inside.h"

struct neighbours_options {
    /* Whether the board may join its Wi-Fi when it boots. */
    bool wifi;
    /* How long an address takes after AT+CWJAP. */
    uint32_t dhcp_delay_ms;
};

/* With the network and the storage started, and before the AT server. From a task, which waits for an address. */
void neighbours_boot(const struct neighbours_options *options, const struct neighbours_sources *sources);

#endif
