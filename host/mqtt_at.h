/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A driver for the MQTT AT commands of w800-mqtt-at, for the microcontroller at the other end of the serial line.
 *
 * C99, no allocation, no stdio. It needs three functions of the platform: two for the UART and a clock. Give it one
 * task (or the main loop); while a command waits for its answer, and in mqtt_at_poll(), what the board tells by itself
 * goes to `event`. No command may be given from there: note what is to be done, and do it after the poll.
 *
 *     struct mqtt_at at = {.read = uart_read, .write = uart_write, .now = milliseconds, .event = on_event};
 *     mqtt_at_synchronise(&at, 10000);
 *     mqtt_at_configure(&at, 0, 1, "w800", "", "", "");
 *     mqtt_at_connect(&at, 0, "192.168.1.10", 1883, 1, 15000);
 *     mqtt_at_subscribe(&at, 0, "room/+", 1);
 *     mqtt_at_publish(&at, 0, "room/1", "21.5", 4, 1, 0);
 *     for (;;)
 *         mqtt_at_poll(&at, 100);
 *
 * The UART must keep what arrives while something is written: 512 bytes are enough for any single command.
 */
#ifndef MQTT_AT_H
#define MQTT_AT_H

#include <stddef.h>
#include <stdint.h>

#define MQTT_AT_LINE 256  /* Bytes of a command with its CR LF: the board takes no more. */
#define MQTT_AT_TOPIC 256 /* Bytes kept of a message's topic; longer ones are cut. */
#define MQTT_AT_TEXT 320  /* Bytes kept of any other line; longer ones are cut. */

/* What a command returns: 0, the board's error code (0x6001 to 0x6052, docs/at-reference.md), or one of these. */
enum {
    MQTT_AT_OK = 0,
    MQTT_AT_ERROR = -1,     /* ERROR without a code, or the board did not know the command. */
    MQTT_AT_TIMEOUT = -2,   /* No answer in time. The next command finds the board again before it is sent. */
    MQTT_AT_BUSY = -3,      /* The board had no room for the line; nothing was done. */
    MQTT_AT_NOT_SENT = -4,  /* PUBRAW's `+MQTTPUB:FAIL`. */
    MQTT_AT_TOO_LONG = -5,  /* The line would have more than MQTT_AT_LINE bytes; nothing was sent. */
    MQTT_AT_IN_EVENT = -6,  /* Called from `event`; nothing was sent. */
    MQTT_AT_RESTARTED = -7, /* The board has started anew; its links are gone. */
};

enum mqtt_at_kind {
    MQTT_AT_MESSAGE,      /* A piece of a message; every message has at least one, an empty one has an empty one. */
    MQTT_AT_CONNECTED,    /* By mqtt_at_connect(), or again by itself. */
    MQTT_AT_DISCONNECTED, /* The connection is lost. With `reconnect` the board tries again, else mqtt_at_clean() it. */
    MQTT_AT_INCOMPLETE,   /* Of the message before only `length` bytes are real. */
    MQTT_AT_READY,        /* The board has started: nothing is configured. */
    MQTT_AT_ROW,          /* Any other line, those of answers among them. */
};

struct mqtt_at_event {
    enum mqtt_at_kind kind;
    int link;
    const char *topic;   /* Of a message; ends with NUL. */
    uint32_t length;     /* Of the whole message. */
    uint32_t offset;     /* Where in it this piece begins; the last one ends at `length`. */
    const uint8_t *data; /* The piece; of anything else, the line's text. */
    size_t count;
};

struct mqtt_at {
    /* The platform's, to be set; all the rest begins as zero. */
    /* Gives up to `room` bytes that have arrived; 0, at once or after a moment, if there are none. */
    size_t (*read)(void *context, uint8_t *bytes, size_t room);
    /* Takes as many of `count` bytes as there is room for and returns how many; 0 is no error. */
    size_t (*write)(void *context, const uint8_t *bytes, size_t count);
    /* Milliseconds that pass; it may wrap. */
    uint32_t (*now)(void *context);
    void (*event)(void *context, const struct mqtt_at_event *event);
    void *context;

    /* The parser: where it is in what the board sends. */
    uint8_t state, escaped;
    int link;
    uint32_t length, offset;
    size_t topic_length, row_length;
    char topic[MQTT_AT_TOPIC];
    char row[MQTT_AT_TEXT];

    /* The command that waits, if any. */
    uint8_t waiting, in_event, in_step;
    int code, result;
};

/* Finds the board in whatever state it is, in a data phase or in the middle of a message too, and turns its echo off.
 * Its links are left as they are. 30 s are enough. */
int mqtt_at_synchronise(struct mqtt_at *at, uint32_t timeout_ms);

/* Hands on what the board tells by itself, for at least `wait_ms`; 0 takes only what is there. */
void mqtt_at_poll(struct mqtt_at *at, uint32_t wait_ms);

/* Any command, such as `AT+CWJAP=%q,%q`: %u is an unsigned number, %s a text as it is, %q one in quotes and escaped. */
int mqtt_at_command(struct mqtt_at *at, uint32_t timeout_ms, const char *format, ...);

/* A command with a data phase, whose data is `count` bytes: AT+MQTTCERT, AT+MQTTLONGPASSWORD and their kin. */
int mqtt_at_data(struct mqtt_at *at, uint32_t timeout_ms, const void *data, size_t count, const char *format, ...);

int mqtt_at_configure(struct mqtt_at *at, int link, int scheme, const char *client, const char *user,
                      const char *password, const char *path);
int mqtt_at_connect(struct mqtt_at *at, int link, const char *host, unsigned port, int reconnect, uint32_t timeout_ms);
/* Any bytes. Returns when the broker has confirmed it: at QoS 0, when it is sent. */
int mqtt_at_publish(struct mqtt_at *at, int link, const char *topic, const void *data, size_t count, int qos,
                    int retain);
int mqtt_at_subscribe(struct mqtt_at *at, int link, const char *filter, int qos);
int mqtt_at_unsubscribe(struct mqtt_at *at, int link, const char *filter);
/* Ends the connection and forgets the configuration; a link that has none is no error. */
int mqtt_at_clean(struct mqtt_at *at, int link);

#endif
