/* The commands beside the library's own: their state as after a power-up. */
#ifndef NEIGHBOURS_H
#define NEIGHBOURS_H

#include <stdbool.h>

/* Whom the commands for tests ask. Each answers with rows of text until its next call. */
struct neighbours_sources {
    /* For AT+SYSCPU; NULL where there is no simulated processor. NULL after beginning the marks of its stacks anew. */
    const char *(*cpu_figures)(bool begin_anew);
    /* For AT+SYSSTAT; NULL where nobody counts. */
    const char *(*statistics)(void);
};

void neighbours_start(const struct neighbours_sources *sources);

/* Whether the board has joined its Wi-Fi, as AT+CWJAP and AT+CWQAP are to find it. */
void neighbours_set_joined(bool joined);

#endif
