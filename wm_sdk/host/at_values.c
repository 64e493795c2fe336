/* See at_values.h. */
#include "at_values.h"

#include <stdlib.h>
#include <string.h>

bool text_of(const char *parameter, char *to, size_t size)
{
    size_t length = strlen(parameter);
    bool quoted = length >= 2 && parameter[0] == '"' && parameter[length - 1] == '"';
    const char *from = parameter + (quoted ? 1 : 0);
    const char *end = parameter + length - (quoted ? 1 : 0);
    size_t written = 0;
    while (from < end && written + 1 < size) {
        from += quoted && *from == '\\' && from + 1 < end ? 1 : 0;
        to[written++] = *from++;
    }
    to[written] = '\0';
    return from == end;
}

bool number_of(const char *parameter, long *number)
{
    char *end;
    *number = strtol(parameter, &end, 10);
    return end != parameter && *end == '\0';
}

void quote(const char *text, char *to, size_t size)
{
    size_t written = 0;
    to[written++] = '"';
    for (; *text && written + 3 < size; text++) {
        if (*text == '"' || *text == '\\') {
            to[written++] = '\\';
        }
        to[written++] = *text;
    }
    to[written++] = '"';
    to[written] = '\0';
}

bool is_plain(wm_at_type_e type, int argc)
{
    return type == AT_TYPE_EXEC && argc == 0;
}

int at_number(const char *name, wm_at_type_e type, int argc, char **argv, long *value, long least, long most)
{
    long wanted;
    if (type == AT_TYPE_QUERY) {
        wm_atcmd_print_result("+%s:%ld\r\n", name, *value);
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc != 1 || !number_of(argv[0], &wanted) || wanted < least || wanted > most) {
        return WM_AT_RESULT_FAIL;
    }
    *value = wanted;
    return WM_AT_RESULT_OK;
}
