/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs the driver for a test: takes one command a line on standard input, prints its result as `= <result>`, and each
 * event as `<kind> <link> <length> <offset> <topic in hex> <data in hex>`. tests/driver.py is the same in Python.
 *
 *     driver DEVICE           a board on a terminal device
 *     driver --parse BYTES    no board: the driver reads standard input, so many bytes at a time
 */
#include "../mqtt_at.h"
#include "../posix_uart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[1 << 20];
static uint8_t data[sizeof line / 2];
static struct mqtt_at at;
static int nested; /* What a command in an event returned. */

static void print_hex(const void *bytes, size_t count)
{
    putchar(' ');
    for (size_t i = 0; i < count; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
}

static void on_event(void *context, const struct mqtt_at_event *event)
{
    (void)context;
    nested = mqtt_at_command(&at, 1000, "AT");
    printf("%d %d %lu %lu", (int)event->kind, event->link, (unsigned long)event->length, (unsigned long)event->offset);
    print_hex(event->topic, event->kind == MQTT_AT_MESSAGE ? strlen(event->topic) : 0);
    print_hex(event->data, event->count);
    putchar('\n');
}

static size_t from_hex(const char *text)
{
    size_t count = 0;
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        data[count++] = (uint8_t)byte;
    return count;
}

static int run(const char *name, char *first, char *second, char *third)
{
    if (strcmp(name, "synchronise") == 0)
        return mqtt_at_synchronise(&at, 60000);
    if (strcmp(name, "configure") == 0)
        return mqtt_at_configure(&at, 0, 1, first, "", "", "");
    if (strcmp(name, "connect") == 0)
        return mqtt_at_connect(&at, 0, first, (unsigned)atoi(second), atoi(third), 15000);
    if (strcmp(name, "subscribe") == 0)
        return mqtt_at_subscribe(&at, 0, first, atoi(second));
    if (strcmp(name, "unsubscribe") == 0)
        return mqtt_at_unsubscribe(&at, 0, first);
    if (strcmp(name, "publish") == 0)
        return mqtt_at_publish(&at, 0, first, data, from_hex(third), atoi(second), 0);
    if (strcmp(name, "data") == 0)
        return mqtt_at_data(&at, 12000, data, from_hex(second), "%s", first);
    if (strcmp(name, "command") == 0)
        return mqtt_at_command(&at, (uint32_t)atoi(second), "%s", first);
    if (strcmp(name, "clean") == 0)
        return mqtt_at_clean(&at, 0);
    if (strcmp(name, "nested") == 0)
        return nested;
    mqtt_at_poll(&at, (uint32_t)atoi(first));
    return MQTT_AT_OK;
}

static size_t piece;

static size_t read_input(void *context, uint8_t *bytes, size_t room)
{
    (void)context;
    return fread(bytes, 1, piece < room ? piece : room, stdin);
}

static uint32_t no_time(void *context)
{
    (void)context;
    return 0;
}

int main(int count, char **arguments)
{
    int descriptor = -1;
    at.read = posix_uart_read;
    at.write = posix_uart_write;
    at.now = posix_milliseconds;
    at.event = on_event;
    at.context = &descriptor;
    if (count == 3) {
        piece = (size_t)atoi(arguments[2]);
        at.read = read_input;
        at.now = no_time;
        mqtt_at_poll(&at, 0);
        return 0;
    }
    if (count != 2 || (descriptor = posix_uart_open(arguments[1])) < 0)
        return 2;
    while (fgets(line, sizeof line, stdin)) {
        char *fields[4] = {"", "", "", ""};
        size_t used = 0;
        for (char *field = strtok(line, " \n"); field && used < 4; field = strtok(NULL, " \n"))
            fields[used++] = field;
        printf("= %d\n", run(fields[0], fields[1], fields[2], fields[3]));
        fflush(stdout);
    }
    close(descriptor);
    return 0;
}
