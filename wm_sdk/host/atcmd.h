/* The virtual board's AT server, as its owner sees it; wm_atcmd.h is what commands see. */
#ifndef ATCMD_H
#define ATCMD_H

#include <stdbool.h>

#include "at_line.h"
#include "wm_atcmd.h"

struct atcmd_options {
    enum at_argv_style argv_style;
    /* Read no further while a command runs, as a script on a pipe wants it; otherwise its line is lost to "busy". */
    bool wait_while_busy;
    /* Called from the receive task when the device has ended and the last command is done; may be NULL. */
    void (*at_end)(void);
};

/* Before wm_atcmd_init. */
void atcmd_configure(const struct atcmd_options *options);

/* Commands to know in place of those between wm_at_table_start and wm_at_table_end. Before wm_atcmd_init. */
void atcmd_set_table(const struct wm_atcmd_item *first, const struct wm_atcmd_item *end);

/*
 * A device's receive function may return this: nothing will ever come any more.
 * Otherwise it returns the number of bytes, 0 after `timeout` ms.
 */
#define ATCMD_RECV_END -1

/* Text appended to the answer in progress, in one piece. */
void atcmd_print(const char *text);

/* To be done by the task that runs commands once the answer of the one that is running has been printed. */
void atcmd_after_answer(void (*step)(void));

/* ATE0, ATE1. */
void atcmd_set_echo(bool on);

#endif
