/* See at_line.h; but for the strict kind the rules are those of the SDK's "AT Command Set" introduction. */
#include "at_line.h"

#include <ctype.h>
#include <string.h>

#define STRICT_PARAMETERS 8
#define STRICT_BYTES 150
#define BUSY_LINE "busy ...\r\n"

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

static bool accept_any(const char *parameters)
{
    (void)parameters;
    return true;
}

/* Whether a quote stands where a parameter begins or ends. */
static bool is_at_an_edge(const char *parameters, const char *quote)
{
    return quote == parameters || quote[-1] == ',' || quote[1] == ',' || quote[1] == '\0';
}

/* Quotes in pairs around whole parameters, none of them escaped: it knows of no escapes. */
static bool accept_plain_quotes(const char *parameters)
{
    bool even = true;
    for (const char *at = strchr(parameters, '"'); at; at = strchr(at + 1, '"')) {
        if (!is_at_an_edge(parameters, at)) {
            return false;
        }
        even = !even;
    }
    return even;
}

static const struct at_rules rules_of[] = {
    [AT_ARGV_DECODED] = {cut_decoded, accept_any, MAX_ARGC, AT_CMD_RECV_BUFF_LEN, BUSY_LINE},
    [AT_ARGV_RAW] = {cut_raw, accept_any, MAX_ARGC, AT_CMD_RECV_BUFF_LEN, BUSY_LINE},
    [AT_ARGV_STRICT] = {cut_decoded, accept_plain_quotes, STRICT_PARAMETERS, STRICT_BYTES, ""},
};

const struct at_rules *at_rules_of(enum at_argv_style style)
{
    return &rules_of[style];
}

static bool cut_parameters(char *text, const struct at_rules *rules, struct at_line *line)
{
    char *next = text;
    if (!rules->accepts(text)) {
        return false;
    }
    while (next) {
        if (line->argc == rules->parameters_max) {
            return false;
        }
        line->argv[line->argc++] = next;
        if (!rules->cut(next, &next)) {
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

wm_at_result_e at_line_read(char *text, size_t length, const struct at_rules *rules, struct at_line *line)
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
    bool cut = cut_parameters(mark + 1, rules, line);
    return cut ? WM_AT_RESULT_OK : WM_AT_RESULT_PARSE_FAIL;
}
