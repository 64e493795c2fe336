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
 * Sets a credential of a link; NULL takes it back. As with mbedtls_x509_crt_parse(), PEM has its terminating NUL
 * counted in `length`, in bytes; DER has none. Nothing is copied: `data` must stay as it is until it is replaced and no
 * connection is being made. It concerns the next connection. From any task, once the SDK's heap is up.
 *
 * 0, or -1 when the link or the kind does not exist or the data cannot be read: what was set before stays then. A build
 * without TLS (W800_MQTT_AT_TLS=n) has no such function.
 */
int w800_mqtt_at_set_credential(uint8_t link, int kind, const void *data, size_t length);

#ifdef __cplusplus
}
#endif

#endif
