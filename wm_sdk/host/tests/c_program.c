/*
 * A product in C on the virtual board, linked with libw800_mqtt_at.a as firmware is: all that w800_mqtt_at.h offers.
 *
 *     c_program [raw | strict]
 *
 * The AT port is a pseudo-terminal, named on standard output. Each unsolicited line is described on standard error with
 * the statistics that go with it: a JSON object in a line. When the board is told to stop, the last line has those of
 * the end.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "w800_mqtt_at.h"

#define HEAP_BYTES (100 * 1024)
#define SHOWN_BYTES 48

const void *const mqtt_commands = w800_mqtt_at_table;

/* The line that is being told. */
struct line {
    char head[SHOWN_BYTES + 1];
    size_t length;
    unsigned pieces;
    uint32_t sum;
};

static void print_statistics(uint8_t link)
{
    struct w800_mqtt_at_statistics now;
    if (w800_mqtt_at_get_statistics(link, &now) != 0) {
        fprintf(stderr, "null");
        return;
    }
    const struct {
        const char *name;
        uint32_t value;
    } rows[] = {
        {"bytes_sent", now.bytes_sent},       {"bytes_received", now.bytes_received},
        {"messages_sent", now.messages_sent}, {"messages_received", now.messages_received},
        {"reconnections", now.reconnections}, {"stack_size", now.stack_size},
        {"stack_peak", now.stack_peak},       {"heap_used", now.heap_used},
        {"heap_peak", now.heap_peak},         {"arena_size", now.arena_size},
        {"arena_used", now.arena_used},       {"arena_peak", now.arena_peak},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        fprintf(stderr, "%s\"%s\":%u", row == 0 ? "{" : ",", rows[row].name, (unsigned)rows[row].value);
    }
    fprintf(stderr, "}");
}

static void describe(const struct line *line, uint8_t link)
{
    fprintf(stderr, "{\"link\":%u,\"head\":\"", (unsigned)link);
    for (const char *c = line->head; *c && *c != '\r'; c++) {
        fprintf(stderr, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    fprintf(stderr, "\",\"length\":%zu,\"pieces\":%u,\"sum\":%u,\"statistics\":", line->length, line->pieces,
            (unsigned)line->sum);
    print_statistics(link);
    fprintf(stderr, "}\n");
}

static void on_line(void *context, uint8_t link, const void *bytes, size_t length)
{
    struct line *line = context;
    if (length == 0) {
        describe(line, link);
        memset(line, 0, sizeof *line);
        return;
    }
    const unsigned char *from = bytes;
    for (size_t i = 0; i < length; i++, line->length++) {
        if (line->length < SHOWN_BYTES) {
            line->head[line->length] = (char)from[i];
        }
        line->sum += from[i];
    }
    line->pieces++;
}

static struct line line;

/* In the SDK's main task. */
static void start_product(void)
{
    static const char rubbish[] = "-----BEGIN RUBBISH-----";
    bool refused = w800_mqtt_at_set_line_hook(on_line, &line) == 0 &&
                   w800_mqtt_at_set_credential(0, W800_MQTT_AT_CA, rubbish, sizeof rubbish) == -1 &&
                   w800_mqtt_at_set_credential(9, W800_MQTT_AT_CA, NULL, 0) == -1 &&
                   w800_mqtt_at_set_credential(0, W800_MQTT_AT_KEY, NULL, 0) == 0;
    fprintf(stderr, "{\"version\":\"%s\",\"agrees\":%s,\"refused\":%s,\"nobody\":%s}\n", w800_mqtt_at_version(),
            strcmp(w800_mqtt_at_version(), W800_MQTT_AT_VERSION) == 0 ? "true" : "false", refused ? "true" : "false",
            w800_mqtt_at_get_statistics(9, NULL) == -1 && w800_mqtt_at_get_statistics(0, NULL) == -1 ? "true"
                                                                                                     : "false");
}

static enum at_argv_style style_of(const char *name)
{
    return strcmp(name, "raw") == 0 ? AT_ARGV_RAW : strcmp(name, "strict") == 0 ? AT_ARGV_STRICT : AT_ARGV_DECODED;
}

int main(int argc, char **argv)
{
    const struct board_options options = {
        .argv_style = argc > 1 ? style_of(argv[argc - 1]) : AT_ARGV_DECODED,
        .log_level = WM_LOG_LEVEL_NONE,
        .heap_limit = HEAP_BYTES,
        .rtc = -1,
        .product = start_product,
        .register_device = w800_mqtt_at_dev_register,
    };
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (board_start(&options, sizeof options) != 0) {
        return 1;
    }
    int status = board_wait();
    /* Nobody listens from here on: what the board's end does to the link is not told. */
    if (w800_mqtt_at_set_line_hook(NULL, NULL) != 0) {
        status = 1;
    }
    print_statistics(0);
    fprintf(stderr, "\n");
    board_stop();
    return status;
}
