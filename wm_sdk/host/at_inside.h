/* Whom the commands for tests ask. */
#ifndef AT_INSIDE_H
#define AT_INSIDE_H

#include <stdbool.h>

/* Each answers with rows of text until its next call. */
struct neighbours_sources {
    /* For AT+SYSCPU; NULL where there is no simulated processor. NULL after beginning the marks of its stacks anew. */
    const char *(*cpu_figures)(bool begin_anew);
    /* For AT+SYSSTAT; NULL where nobody counts. */
    const char *(*statistics)(void);
};

void at_inside_start(const struct neighbours_sources *sources);

#endif
