/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libw800_mqtt_at.a for C code. Licence: Apache-2.0.
 *
 * The library needs no call to start: the AT server finds its commands by walking the section .wm_at_table. A linker
 * takes only those objects from an archive that something refers to, so refer to the table once: link with
 * -Wl,-u,w800_mqtt_at_table, or from C
 *
 *     #include "w800_mqtt_at.h"
 *     const void *const mqtt_commands = w800_mqtt_at_table;
 */
#ifndef W800_MQTT_AT_H
#define W800_MQTT_AT_H

#include <stddef.h>
#include <stdint.h>

#include "wm_atcmd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One row per command, in flash. */
extern const struct wm_atcmd_item w800_mqtt_at_table[];

/*
 * Credentials for TLS. For each kind what AT+MQTTCERT has stored comes first, then what is set here, then what the
 * firmware defines under the SDK's names:
 *
 *     const char mqtt_client_tls_ca[], mqtt_client_tls_cert[], mqtt_client_tls_key[];
 *
 * each PEM ended by a NUL, or empty. Firmware that defines none of them links with linker/no_credentials.ld.
 */
enum w800_mqtt_at_credential {
    /* Certificates of the authorities to trust. */
    W800_MQTT_AT_CA = 0,
    /* The client's certificate, and those between it and its authority. */
    W800_MQTT_AT_CERTIFICATE = 1,
    /* The client's private key. */
    W800_MQTT_AT_KEY = 2,
};

/*
 * Sets a credential of a link; NULL removes it. As with mbedtls_x509_crt_parse(), `length` counts the terminating
 * NUL of PEM, in bytes; DER has none. Nothing is copied: `data` must stay as it is until it is replaced and no
 * connection is being made. It takes effect with the next connection. From any task, once the SDK's heap is up.
 *
 * 0, or -1 when the link or the kind does not exist or the data cannot be read: what was set before stays then. A build
 * without TLS (W800_MQTT_AT_TLS=n) has no such function.
 */
int w800_mqtt_at_set_credential(uint8_t link, int kind, const void *data, size_t length);

/* The version of this header. */
#define W800_MQTT_AT_VERSION "0.1.0"

/* The version of the archive, a text that stays valid. If it is not W800_MQTT_AT_VERSION, header and archive do not
 * belong together. */
const char *w800_mqtt_at_version(void);

/* What a link has done and what it took since the start. Counts start again from 0 after 2^32 - 1. */
struct w800_mqtt_at_statistics {
    /* Bytes of MQTT packets, without what WebSocket, TLS and TCP add. */
    uint32_t bytes_sent;
    uint32_t bytes_received;
    /* PUBLISH packets sent, each once however often it is sent again; messages received whole. */
    uint32_t messages_sent;
    uint32_t messages_received;
    /* Connections that the link has made again by itself after a loss. */
    uint32_t reconnections;
    /* The link's task, in bytes: the size of its last stack, and the most that a stack was ever filled. */
    uint32_t stack_size;
    uint32_t stack_peak;
    /*
     * All links, in bytes of the SDK's heap: now, and the most there was. What lwIP and Mbed TLS allocate and the
     * tasks' stacks are not included.
     */
    uint32_t heap_used;
    uint32_t heap_peak;
    /*
     * All links, in bytes of the arena, its allocator's overhead included: its size, what is used now, and the most
     * there was. What it has no room for, and what is larger than 1,024 bytes, comes from the heap.
     */
    uint32_t arena_size;
    uint32_t arena_used;
    uint32_t arena_peak;
};

/*
 * Fills in `statistics`. It looks through the link's stack, some 10,000 bytes. From any task.
 *
 * 0, or -1 when the link does not exist or `statistics` is NULL: nothing is written then.
 */
int w800_mqtt_at_get_statistics(uint8_t link, struct w800_mqtt_at_statistics *statistics);

/*
 * A function that is told each unsolicited line of a link (+MQTTCONNECTED, +MQTTDISCONNECTED, +MQTTSUBRECV,
 * +MQTTINCOMPLETE) as it is printed: its bytes up to and including CR LF, in one piece or in several (a message may be
 * larger than memory), then once with a length of 0, which ends the line. The bytes are valid during the call only.
 *
 * It runs in the link's task, on what is left of its stack, and nothing else can be printed meanwhile: be quick. It may
 * ask for statistics, but must not set a hook or a credential.
 */
typedef void (*w800_mqtt_at_line_hook)(void *context, uint8_t link, const void *bytes, size_t length);

/*
 * Sets that function; NULL for none. It waits at most 10 s for the end of the line, the answer or the data phase that
 * has the port; when it returns 0, the previous hook is not running and will not be called again. From any task that
 * may wait that long: not from an AT handler, a timer's callback or lwIP's task.
 *
 * 0, or -1 when the port was not free in time: nothing has changed then.
 */
int w800_mqtt_at_set_line_hook(w800_mqtt_at_line_hook hook, void *context);

/*
 * Registers the functions of the serial line with the AT server, as wm_atcmd_dev_register() does and with the same
 * parameters, so that the line passes through this library. A firmware that is linked with
 * --wrap=wm_atcmd_dev_register, as the SDK component is, need not call it: wm_atcmd_dev_register() does the same there.
 * Without that option give linker/no_wrap.ld to the linker. Call it once, after wm_atcmd_init().
 *
 * It returns what wm_atcmd_dev_register() returns. Without memory for the line's semaphores the server has the line to
 * itself, and commands with parameters are refused. An archive built with W800_MQTT_AT_ARGV=raw or decoded has no such
 * function and needs none.
 */
int w800_mqtt_at_dev_register(wm_atcmd_dev_type_e type, wm_dev_ops_t functions);

#ifdef __cplusplus
}
#endif

#endif
