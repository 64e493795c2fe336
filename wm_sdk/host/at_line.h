/*
 * Reading one command line: which command, in which form, with which parameters. Pure text, no state.
 */
#ifndef AT_LINE_H
#define AT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "wm_atcmd.h"

/* Whether a handler gets its parameters as typed, or without their quotes and escapes. */
enum at_argv_style { AT_ARGV_DECODED, AT_ARGV_RAW };

struct at_line {
    /* In upper case, with its "AT". */
    const char *name;
    wm_at_type_e type;
    int argc;
    char *argv[MAX_ARGC + 1];
};

/*
 * Cuts `text` (of `length` bytes and a NUL, without its line end) in place; `line` points into it.
 * WM_AT_RESULT_OK, WM_AT_RESULT_CMD_ERR for no command, WM_AT_RESULT_PARSE_FAIL for unreadable parameters.
 */
wm_at_result_e at_line_read(char *text, size_t length, enum at_argv_style style, struct at_line *line);

#endif
