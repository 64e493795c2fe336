/* Parameters and answers of the board's own commands. */
#ifndef AT_VALUES_H
#define AT_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "wm_atcmd.h"

/* A string parameter in either argv style, without quotes and escapes; false when it does not fit. */
bool text_of(const char *parameter, char *to, size_t size);

/* A whole decimal number; false for anything else. */
bool number_of(const char *parameter, long *number);

/* A string as answers show it. */
void quote(const char *text, char *to, size_t size);

/* Whether the command stands alone, without parameters or a question mark. */
bool is_plain(wm_at_type_e type, int argc);

/* A whole command: one number between two bounds that can be set, and shown as `+name:value`. */
int at_number(const char *name, wm_at_type_e type, int argc, char **argv, long *value, long least, long most);

#endif
