/* See at_line.h; the rules are those of the SDK's "AT Command Set" introduction. */
#include "at_line.h"

#include <ctype.h>
#include <string.h>

/* Ends of a cut parameter: where the next one starts, NULL after the last. */
typedef bool (*cutter)(char *start, char **next);

/* As typed: up to a comma that is neither quoted nor escaped. */
static bool cut_raw(char *start, char **next)
{
    bool quoted = false;
    for (char *at = start; *at; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (*at == ',' && !quoted) {
            *at = '\0';
            *next = at + 1;
            return true;
        }
    }
    *next = NULL;
    return !quoted;
}

static bool cut_unquoted(char *start, char **next)
{
    char *comma = strchr(start, ',');
    if (comma) {
        *comma = '\0';
    }
    *next = comma ? comma + 1 : NULL;
    return true;
}

/* Quoted: up to the next quote that is not escaped, behind which only a comma or the end may come. */
static bool cut_decoded(char *start, char **next)
{
    if (*start != '"') {
        return cut_unquoted(start, next);
    }
    char *to = start;
    char *from = start + 1;
    while (*from && *from != '"') {
        if (*from == '\\' && from[1]) {
            from++;
        }
        *to++ = *from++;
    }
    if (*from != '"') {
        return false;
    }
    char after = from[1];
    *to = '\0';
    *next = after == ',' ? from + 2 : NULL;
    return after == ',' || after == '\0';
}

static bool cut_parameters(char *text, cutter cut, struct at_line *line)
{
    char *next = text;
    while (next) {
        if (line->argc == MAX_ARGC) {
            return false;
        }
        line->argv[line->argc++] = next;
        if (!cut(next, &next)) {
            return false;
        }
    }
    return true;
}

static void to_upper(char *text, const char *end)
{
    for (; text < end; text++) {
        *text = (char)toupper((unsigned char)*text);
    }
}

wm_at_result_e at_line_read(char *text, size_t length, enum at_argv_style style, struct at_line *line)
{
    bool is_text = strlen(text) == length;
    char *mark = text + strcspn(text, "?=");
    char kind = *mark;
    memset(line, 0, sizeof *line);
    *mark = '\0';
    to_upper(text, mark);
    line->name = text;
    line->type = kind == '?' ? AT_TYPE_QUERY : AT_TYPE_EXEC;
    if (strncmp(text, "AT", 2) != 0) {
        return WM_AT_RESULT_CMD_ERR;
    }
    if (!is_text) {
        return WM_AT_RESULT_PARSE_FAIL;
    }
    if (kind == '\0') {
        return WM_AT_RESULT_OK;
    }
    if (kind == '?') {
        return mark[1] == '\0' ? WM_AT_RESULT_OK : WM_AT_RESULT_CMD_ERR;
    }
    if (strcmp(mark + 1, "?") == 0) {
        line->type = AT_TYPE_TEST;
        return WM_AT_RESULT_OK;
    }
    bool cut = cut_parameters(mark + 1, style == AT_ARGV_RAW ? cut_raw : cut_decoded, line);
    return cut ? WM_AT_RESULT_OK : WM_AT_RESULT_PARSE_FAIL;
}
