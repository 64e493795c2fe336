/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_at.h. First what reads the board, byte by byte; then what waits for an answer; then the commands. */
#include "mqtt_at.h"

#include <stdarg.h>
#include <string.h>

#define ANSWER_MS 12000u     /* The board answers within 10 s. */
#define DATA_PHASE_MS 25000u /* It gives up a data phase after 20 s of silence. */
#define SYNCHRONISE_MS 3000u
#define PAUSE_MS 800u /* Around `+++`. */
#define ALREADY_CLEAN 0x6003

/* Where the parser is: in a line, or in one of the fields of `+MQTTSUBRECV:<link>,"<topic>",<length>,<data>`. */
enum { ROW, LINK, QUOTE, TOPIC, COMMA, LENGTH, DATA };

/* What ends the wait for an answer: a final line, or a prompt with nothing but an error before it. */
enum { NOTHING, FINAL, PROMPT, PROMPTED };

#define UNDECIDED 1 /* No command returns it: error codes begin at 0x6001. */

/* --- reading --- */

static void tell(struct mqtt_at *at, enum mqtt_at_kind kind, const void *data, size_t count)
{
    struct mqtt_at_event event = {kind, at->link, at->topic, at->length, at->offset, data, count};
    if (!at->event)
        return;
    at->in_event = 1;
    at->event(at->context, &event);
    at->in_event = 0;
}

static uint32_t number(const char *text, uint32_t base)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;
    const char *digit;
    while (*text && (digit = strchr(digits, *text++)) != NULL && digit < digits + base)
        value = value * base + (uint32_t)(digit - digits);
    return value;
}

/* What the line means to the command that waits. */
static int outcome(const struct mqtt_at *at)
{
    static const char *const finals[] = {"OK",    "+MQTTPUB:OK",   "ERROR",         "CMD FORMAT ERR",
                                         "ready", "+MQTTPUB:FAIL", "CMD PARSE ERR", "busy ..."};
    static const int results[] = {MQTT_AT_OK,        MQTT_AT_OK,       MQTT_AT_ERROR, MQTT_AT_ERROR,
                                  MQTT_AT_RESTARTED, MQTT_AT_NOT_SENT, MQTT_AT_ERROR, MQTT_AT_BUSY};
    size_t i = at->waiting == PROMPT;
    for (; i < sizeof results / sizeof *results; i++)
        if (strcmp(at->row, finals[i]) == 0)
            return results[i] == MQTT_AT_ERROR && at->code ? at->code : results[i];
    return UNDECIDED;
}

static void end_of_row(struct mqtt_at *at)
{
    static const char *const heads[] = {"+MQTTCONNECTED:", "+MQTTDISCONNECTED:", "+MQTTINCOMPLETE:", "ready"};
    size_t i, length = at->row_length;
    const char *comma;
    at->row[length] = 0;
    at->row_length = 0;
    /* Empty lines stand before OK and behind a message's data. */
    if (length == 0)
        return;
    if (at->waiting && at->result == UNDECIDED)
        at->result = outcome(at);
    if (strncmp(at->row, "ERR CODE:0x", 11) == 0)
        at->code = (int)number(at->row + 11, 16);
    for (i = 0; i < sizeof heads / sizeof *heads && strncmp(at->row, heads[i], strlen(heads[i])) != 0; i++)
        ;
    comma = strchr(at->row, ',');
    at->link = i < 3 ? (int)number(at->row + strlen(heads[i]), 10) : 0;
    at->length = i == 2 && comma ? number(comma + 1, 10) : 0;
    at->offset = 0;
    tell(at, (enum mqtt_at_kind)(MQTT_AT_CONNECTED + i), at->row, length);
}

static void in_row(struct mqtt_at *at, char byte)
{
    static const char message[] = "+MQTTSUBRECV:";
    if (byte == '\r' || byte == '\n')
        end_of_row(at);
    else if (byte == '>' && at->row_length == 0 && at->waiting == PROMPT)
        at->waiting = PROMPTED;
    else if (at->row_length < sizeof at->row - 1)
        at->row[at->row_length++] = byte;
    if (at->row_length == sizeof message - 1 && memcmp(at->row, message, sizeof message - 1) == 0) {
        at->row_length = at->topic_length = 0;
        at->length = at->offset = 0;
        at->link = at->escaped = 0;
        at->state = LINK;
    }
}

static void in_topic(struct mqtt_at *at, char byte)
{
    if (!at->escaped && byte == '"') {
        at->topic[at->topic_length] = 0;
        at->state = COMMA;
    } else if (!at->escaped && byte == '\\') {
        at->escaped = 1;
    } else {
        at->escaped = 0;
        if (at->topic_length < sizeof at->topic - 1)
            at->topic[at->topic_length++] = byte;
    }
}

/* One byte of a message's head. What does not belong there ends it: the rest is a line like any other. */
static void in_head(struct mqtt_at *at, char byte)
{
    int digit = byte >= '0' && byte <= '9';
    switch (at->state) {
    case LINK:
        if (digit)
            at->link = at->link * 10 + (byte - '0');
        at->state = digit ? LINK : byte == ',' ? QUOTE : ROW;
        break;
    case QUOTE:
        at->state = byte == '"' ? TOPIC : ROW;
        break;
    case COMMA:
        at->state = byte == ',' ? LENGTH : ROW;
        break;
    default:
        if (digit)
            at->length = at->length * 10 + (uint32_t)(byte - '0');
        at->state = digit ? LENGTH : byte == ',' ? DATA : ROW;
        if (at->state == DATA && at->length == 0) {
            at->state = ROW;
            tell(at, MQTT_AT_MESSAGE, NULL, 0);
        }
    }
}

static size_t in_data(struct mqtt_at *at, const uint8_t *bytes, size_t count)
{
    uint32_t left = at->length - at->offset;
    if (count > left)
        count = left;
    if (count == left)
        at->state = ROW;
    tell(at, MQTT_AT_MESSAGE, bytes, count);
    at->offset += (uint32_t)count;
    return count;
}

static void parse(struct mqtt_at *at, const uint8_t *bytes, size_t count)
{
    size_t i = 0;
    while (i < count) {
        if (at->state == DATA) {
            i += in_data(at, bytes + i, count - i);
            continue;
        }
        if (at->state == ROW)
            in_row(at, (char)bytes[i++]);
        else if (at->state == TOPIC)
            in_topic(at, (char)bytes[i++]);
        else
            in_head(at, (char)bytes[i++]);
    }
}

static size_t receive(struct mqtt_at *at)
{
    uint8_t bytes[64];
    size_t count = at->read(at->context, bytes, sizeof bytes);
    parse(at, bytes, count);
    return count;
}

void mqtt_at_poll(struct mqtt_at *at, uint32_t wait_ms)
{
    uint32_t start = at->now(at->context);
    if (at->in_event)
        return;
    do {
        while (receive(at) > 0)
            if (at->now(at->context) - start > wait_ms)
                return;
    } while (at->now(at->context) - start < wait_ms);
}

/* --- sending, and waiting for an answer --- */

/* Reads on while the line is full: a board that has to print first takes nothing more until it could. */
static int send_all(struct mqtt_at *at, const uint8_t *bytes, size_t count)
{
    uint32_t start = at->now(at->context);
    while (count > 0) {
        size_t taken = at->write(at->context, bytes, count);
        bytes += taken;
        count -= taken;
        if (taken > 0)
            start = at->now(at->context);
        else if (receive(at) == 0 && at->now(at->context) - start > DATA_PHASE_MS)
            return MQTT_AT_TIMEOUT;
        /* The board has given up the data phase. */
        if (at->result != UNDECIDED)
            break;
    }
    return MQTT_AT_OK;
}

/* Until there is a result, or a prompt. The time in which a message's data arrives does not count: a slow line may take
 * long to print one, and the answer stands behind it. */
static int await(struct mqtt_at *at, uint32_t timeout_ms)
{
    uint8_t until = at->waiting;
    uint32_t last = at->now(at->context), waited = 0;
    while (at->result == UNDECIDED && at->waiting == until) {
        size_t count = receive(at);
        uint32_t now = at->now(at->context);
        if (count == 0 || at->state != DATA)
            waited += now - last;
        last = now;
        if (waited > timeout_ms && at->result == UNDECIDED && at->waiting == until)
            return MQTT_AT_TIMEOUT;
    }
    return at->result == UNDECIDED ? MQTT_AT_OK : at->result;
}

/* One line and its result; or, where the command has data, its prompt. */
static int exchange(struct mqtt_at *at, uint32_t timeout_ms, const void *bytes, size_t count, uint8_t until)
{
    int result;
    at->code = 0;
    at->result = UNDECIDED;
    at->waiting = until;
    result = send_all(at, bytes, count);
    if (result == MQTT_AT_OK)
        result = await(at, timeout_ms);
    if (at->waiting != PROMPTED)
        at->waiting = NOTHING;
    at->in_step = result != MQTT_AT_TIMEOUT;
    return result;
}

/* Bytes that a data phase still wants are not made up for: `+++` between two pauses ends it. The pause behind AT lets
 * an answer that came late be told from its own. */
int mqtt_at_synchronise(struct mqtt_at *at, uint32_t timeout_ms)
{
    uint32_t start = at->now(at->context), offset;
    int result;
    if (at->in_event)
        return MQTT_AT_IN_EVENT;
    do {
        offset = at->offset;
        result = exchange(at, SYNCHRONISE_MS, "\r\nAT\r\n", 6, FINAL);
        at->waiting = FINAL;
        at->result = UNDECIDED;
        mqtt_at_poll(at, PAUSE_MS);
        at->waiting = NOTHING;
        if (result == MQTT_AT_OK && at->result == UNDECIDED)
            return exchange(at, SYNCHRONISE_MS, "ATE0\r\n", 6, FINAL);
        if (result != MQTT_AT_TIMEOUT)
            continue;
        send_all(at, (const uint8_t *)"+++", 3);
        mqtt_at_poll(at, PAUSE_MS);
        /* A message that does not go on was none: bytes were lost, or it was in what was read first. */
        if (at->state == DATA && at->offset == offset)
            at->state = ROW;
    } while (at->now(at->context) - start < timeout_ms);
    return MQTT_AT_TIMEOUT;
}

/* --- the line of a command --- */

struct line {
    char text[MQTT_AT_LINE];
    size_t length; /* More than fits when it is too long. */
};

static void put(struct line *line, char byte)
{
    if (line->length < sizeof line->text)
        line->text[line->length] = byte;
    line->length++;
}

static void put_text(struct line *line, const char *text, int quoted)
{
    if (quoted)
        put(line, '"');
    for (; *text; text++) {
        if (quoted && strchr("\\,\"", *text))
            put(line, '\\');
        put(line, *text);
    }
    if (quoted)
        put(line, '"');
}

static void put_number(struct line *line, unsigned value)
{
    if (value > 9)
        put_number(line, value / 10);
    put(line, (char)('0' + value % 10));
}

/* Formats the line and gives it to the board, once that is known to listen. */
static int give(struct mqtt_at *at, uint32_t timeout_ms, uint8_t until, const char *format, va_list values)
{
    struct line line;
    line.length = 0;
    for (; *format; format++) {
        if (*format != '%')
            put(&line, *format);
        else if (*++format == 'u')
            put_number(&line, va_arg(values, unsigned));
        else
            put_text(&line, va_arg(values, const char *), *format == 'q');
    }
    put_text(&line, "\r\n", 0);
    if (line.length > sizeof line.text)
        return MQTT_AT_TOO_LONG;
    if (at->in_event)
        return MQTT_AT_IN_EVENT;
    if (!at->in_step && mqtt_at_synchronise(at, DATA_PHASE_MS) != MQTT_AT_OK)
        return MQTT_AT_TIMEOUT;
    return exchange(at, timeout_ms, line.text, line.length, until);
}

int mqtt_at_command(struct mqtt_at *at, uint32_t timeout_ms, const char *format, ...)
{
    int result;
    va_list values;
    va_start(values, format);
    result = give(at, timeout_ms, FINAL, format, values);
    va_end(values);
    return result;
}

int mqtt_at_data(struct mqtt_at *at, uint32_t timeout_ms, const void *data, size_t count, const char *format, ...)
{
    int result;
    va_list values;
    va_start(values, format);
    result = give(at, ANSWER_MS, PROMPT, format, values);
    va_end(values);
    return at->waiting == PROMPTED ? exchange(at, timeout_ms, data, count, FINAL) : result;
}

/* --- the commands --- */

int mqtt_at_configure(struct mqtt_at *at, int link, int scheme, const char *client, const char *user,
                      const char *password, const char *path)
{
    return mqtt_at_command(at, ANSWER_MS, "AT+MQTTUSERCFG=%u,%u,%q,%q,%q,0,0,%q", (unsigned)link, (unsigned)scheme,
                           client, user, password, path);
}

int mqtt_at_connect(struct mqtt_at *at, int link, const char *host, unsigned port, int reconnect, uint32_t timeout_ms)
{
    return mqtt_at_command(at, timeout_ms + ANSWER_MS, "AT+MQTTCONN=%u,%q,%u,%u,%u", (unsigned)link, host, port,
                           (unsigned)reconnect, (unsigned)timeout_ms);
}

int mqtt_at_publish(struct mqtt_at *at, int link, const char *topic, const void *data, size_t count, int qos,
                    int retain)
{
    if (count == 0)
        return mqtt_at_command(at, ANSWER_MS, "AT+MQTTPUB=%u,%q,\"\",%u,%u", (unsigned)link, topic, (unsigned)qos,
                               (unsigned)retain);
    return mqtt_at_data(at, ANSWER_MS, data, count, "AT+MQTTPUBRAW=%u,%q,%u,%u,%u", (unsigned)link, topic,
                        (unsigned)count, (unsigned)qos, (unsigned)retain);
}

int mqtt_at_subscribe(struct mqtt_at *at, int link, const char *filter, int qos)
{
    return mqtt_at_command(at, ANSWER_MS, "AT+MQTTSUB=%u,%q,%u", (unsigned)link, filter, (unsigned)qos);
}

int mqtt_at_unsubscribe(struct mqtt_at *at, int link, const char *filter)
{
    return mqtt_at_command(at, ANSWER_MS, "AT+MQTTUNSUB=%u,%q", (unsigned)link, filter);
}

int mqtt_at_clean(struct mqtt_at *at, int link)
{
    int result = mqtt_at_command(at, ANSWER_MS, "AT+MQTTCLEAN=%u", (unsigned)link);
    return result == ALREADY_CLEAN ? MQTT_AT_OK : result;
}
