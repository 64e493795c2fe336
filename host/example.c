/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a device does with the driver: it connects, subscribes to commands, publishes a reading again and again, and
 * goes on when the network or the board has failed. On a PC, with the board on a terminal device:
 *
 *     cc -std=c99 -o example host/example.c host/mqtt_at.c host/posix_uart.c
 *     ./example /dev/ttyUSB0 192.168.1.10 1883
 *
 * With a fourth argument it ends once that many commands have come.
 */
#include "mqtt_at.h"
#include "posix_uart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READING_MS 1000

/* What the events leave for the main loop. */
struct device {
    char command[64]; /* The last one, cut. */
    size_t length;
    unsigned commands;
    int restarted;
};

/* `at.context` is what all functions of the platform get: the descriptor first. */
struct board {
    int descriptor;
    struct device device;
};

static void on_event(void *context, const struct mqtt_at_event *event)
{
    struct device *device = &((struct board *)context)->device;
    switch (event->kind) {
    case MQTT_AT_MESSAGE:
        if (event->offset == 0)
            device->length = 0;
        for (size_t i = 0; i < event->count && device->length < sizeof device->command - 1; i++)
            device->command[device->length++] = (char)event->data[i];
        if (event->offset + event->count == event->length) {
            device->command[device->length] = 0;
            device->commands++;
            printf("%s: %s\n", event->topic, device->command);
        }
        break;
    case MQTT_AT_READY:
        device->restarted = 1;
        break;
    case MQTT_AT_CONNECTED:
        puts("connected");
        break;
    case MQTT_AT_DISCONNECTED:
        puts("the connection is lost; the board makes it again");
        break;
    default:
        break;
    }
    fflush(stdout);
}

/* From a board in any state to a subscribed link. */
static int set_up(struct mqtt_at *at, const char *host, unsigned port)
{
    int result = mqtt_at_synchronise(at, 30000);
    if (result == MQTT_AT_OK)
        result = mqtt_at_clean(at, 0);
    if (result == MQTT_AT_OK)
        result = mqtt_at_configure(at, 0, 1, "example", "", "", "");
    if (result == MQTT_AT_OK)
        result = mqtt_at_connect(at, 0, host, port, 1, 15000);
    if (result == MQTT_AT_OK)
        result = mqtt_at_subscribe(at, 0, "example/command", 1);
    return result;
}

int main(int count, char **arguments)
{
    struct board board = {0};
    struct mqtt_at at = {.read = posix_uart_read,
                         .write = posix_uart_write,
                         .now = posix_milliseconds,
                         .event = on_event,
                         .context = &board};
    unsigned enough = count > 4 ? (unsigned)atoi(arguments[4]) : 0, reading = 0;
    int ready = 0;
    if (count < 4 || (board.descriptor = posix_uart_open(arguments[1])) < 0) {
        fprintf(stderr, "usage: example DEVICE HOST PORT [COMMANDS]\n");
        return 2;
    }
    while (enough == 0 || board.device.commands < enough) {
        char text[32];
        int result;
        if (!ready || board.device.restarted) {
            board.device.restarted = 0;
            result = set_up(&at, arguments[2], (unsigned)atoi(arguments[3]));
            ready = result == MQTT_AT_OK;
            if (!ready)
                printf("not connected: %d (0x%04x)\n", result, result > 0 ? (unsigned)result : 0);
        }
        if (ready) {
            int length = snprintf(text, sizeof text, "{\"reading\":%u}", ++reading);
            /* 0x6051 while the board reconnects: this reading is left out, the next one comes soon. */
            result = mqtt_at_publish(&at, 0, "example/reading", text, (size_t)length, 1, 0);
            if (result != MQTT_AT_OK)
                printf("reading %u not published: %d (0x%04x)\n", reading, result, result > 0 ? (unsigned)result : 0);
        }
        mqtt_at_poll(&at, READING_MS);
    }
    return mqtt_at_clean(&at, 0) == MQTT_AT_OK ? 0 : 1;
}
