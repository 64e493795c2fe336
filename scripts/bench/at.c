/*
 * The host on the board's serial line: standard input is what the board sends, standard output what it reads.
 *
 *   at <board's process> <broker's port> publish|raw|receive <count> <bytes> <qos>
 *
 * A dialogue, as the AT reference has it: each command waits for the answer to the one before. Prints the board's
 * processor time and its heap's peak above what was in use before the first MQTT command.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

#define SILENCE_MS 20000
#define ANSWER_BYTES 4096
#define PIECE_BYTES 65536
/* Where the board finds this machine's loopback. */
#define BROKER "10.0.2.2"

struct heap {
    size_t free;
    size_t least;
};

static size_t read_some(char *bytes, size_t size)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got = poll(&input, 1, SILENCE_MS) == 1 ? read(STDIN_FILENO, bytes, size) : 0;
    if (got <= 0) {
        measure_fail("the board is silent", "");
    }
    return (size_t)got;
}

static void write_all(const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0 && errno != EINTR) {
            measure_fail("the board takes nothing", strerror(errno));
        }
        bytes += written > 0 ? written : 0;
        count -= written > 0 ? (size_t)written : 0;
    }
}

/* Reads until what has come ends with `end`, and returns all of it. */
static const char *await(const char *end)
{
    static char answer[ANSWER_BYTES];
    size_t length = 0;
    answer[0] = '\0';
    while (length < strlen(end) || strcmp(answer + length - strlen(end), end) != 0) {
        if (length + 1 == sizeof answer || strstr(answer, "ERR") || strstr(answer, "FAIL")) {
            measure_fail("unexpected answer", answer);
        }
        length += read_some(answer + length, sizeof answer - 1 - length);
        answer[length] = '\0';
    }
    return answer;
}

__attribute__((format(printf, 2, 3))) static const char *command(const char *end, const char *format, ...)
{
    char line[300];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    write_all(line, (size_t)length);
    return await(end);
}

#define OK "\r\nOK\r\n"
#define PROMPT "\r\nOK\r\n\r\n>"

static struct heap read_heap(void)
{
    struct heap heap;
    const char *answer = command(OK, "AT+SYSHEAP?\r\n");
    const char *row = strstr(answer, "+SYSHEAP:");
    if (!row || sscanf(row, "+SYSHEAP:%zu,%zu", &heap.free, &heap.least) != 2) {
        measure_fail("no figures of the heap", answer);
    }
    return heap;
}

static void connect_to(const char *port)
{
    command(OK, "AT+MQTTUSERCFG=0,1,\"bench-board\",\"\",\"\",0,0,\"\"\r\n");
    command(OK, "AT+MQTTCONN=0,\"" BROKER "\",%s,0\r\n", port);
}

/* The broker has taken all that came before: at QoS 0 an OK only says that it is on its way. */
static void await_broker(void)
{
    command(OK, "AT+MQTTPUB=0,\"end\",\"\",1,0\r\n");
}

static void publish(unsigned long count, size_t bytes, unsigned long qos)
{
    char line[300];
    char data[200] = {0};
    if (bytes >= sizeof data) {
        measure_fail("too long for a line", "");
    }
    memset(data, PAYLOAD_BYTE, bytes);
    int length = snprintf(line, sizeof line, "AT+MQTTPUB=0,\"" TOPIC "\",\"%s\",%lu,0\r\n", data, qos);
    for (unsigned long i = 0; i < count; i++) {
        write_all(line, (size_t)length);
        await(OK);
    }
    await_broker();
}

static void publish_raw(unsigned long count, size_t bytes, unsigned long qos)
{
    char *data = malloc(bytes);
    memset(data, PAYLOAD_BYTE, bytes);
    for (unsigned long i = 0; i < count; i++) {
        command(PROMPT, "AT+MQTTPUBRAW=0,\"" TOPIC "\",%zu,%lu,0\r\n", bytes, qos);
        write_all(data, bytes);
        await("\r\n+MQTTPUB:OK\r\n");
    }
    free(data);
    await_broker();
}

/* The whole line of one message, which is then compared with all that comes. */
static char *expected_line(size_t bytes, size_t *length)
{
    char *line = malloc(bytes + 64);
    int head = sprintf(line, "+MQTTSUBRECV:0,\"" TOPIC "\",%zu,", bytes);
    memset(line + head, PAYLOAD_BYTE, bytes);
    memcpy(line + head + bytes, "\r\n", 2);
    *length = (size_t)head + bytes + 2;
    return line;
}

static void receive(unsigned long count, size_t bytes)
{
    static char piece[PIECE_BYTES];
    size_t length;
    char *line = expected_line(bytes, &length);
    size_t at = 0;
    measure_ready();
    while (count > 0) {
        size_t wanted = length - at + (count - 1) * length;
        size_t got = read_some(piece, wanted < sizeof piece ? wanted : sizeof piece);
        for (size_t done = 0, part; done < got; done += part) {
            part = length - at < got - done ? length - at : got - done;
            if (memcmp(line + at, piece + done, part) != 0) {
                measure_fail("not the message that was sent", "");
            }
            at = at + part == length ? 0 : at + part;
            count -= at == 0 ? 1 : 0;
        }
    }
    free(line);
}

int main(int argc, char **argv)
{
    struct measure measure;
    clockid_t processor;
    if (argc != 7 || clock_getcpuclockid((pid_t)measure_number(argv[1]), &processor) != 0) {
        measure_fail("usage", "at <pid> <port> publish|raw|receive <count> <bytes> <qos>");
    }
    unsigned long count = measure_number(argv[4]);
    size_t bytes = measure_number(argv[5]);
    unsigned long qos = measure_number(argv[6]);
    bool receives = strcmp(argv[3], "receive") == 0;

    await("ready\r\n");
    struct heap before = read_heap();
    connect_to(argv[2]);
    if (receives) {
        command(OK, "AT+MQTTSUB=0,\"" TOPIC "\",%lu\r\n", qos);
    }
    measure_begin(&measure, processor);
    if (receives) {
        receive(count, bytes);
    } else if (strcmp(argv[3], "raw") == 0) {
        publish_raw(count, bytes, qos);
    } else {
        publish(count, bytes, qos);
    }
    measure_end(&measure);
    measure_print(&measure, before.free - read_heap().least);
    return EXIT_SUCCESS;
}
