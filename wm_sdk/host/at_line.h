/*
 * Reading one command line: which command, in which form, with which parameters. Pure text, no state.
 */
#ifndef AT_LINE_H
#define AT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "wm_atcmd.h"

/*
 * Kinds of AT servers: a handler gets its parameters without their quotes and escapes, as typed, or without quotes and
 * only where nothing about them is unusual.
 */
enum at_argv_style { AT_ARGV_DECODED, AT_ARGV_RAW, AT_ARGV_STRICT };

/* What a kind of server does its own way. */
struct at_rules {
    /* Ends a cut parameter: where the next one starts, NULL after the last. False for one that it cannot read. */
    bool (*cut)(char *start, char **next);
    /* Whether it looks at these parameters at all. */
    bool (*accepts)(const char *parameters);
    int parameters_max;
    /* Of a line that it reads, its end included. */
    size_t bytes_max;
    /* What it prints for a line that came while a command ran; may be empty. */
    const char *dropped;
};

const struct at_rules *at_rules_of(enum at_argv_style style);

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
wm_at_result_e at_line_read(char *text, size_t length, const struct at_rules *rules, struct at_line *line);

#endif
