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

#include "wm_atcmd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One row per command, in flash. */
extern const struct wm_atcmd_item w800_mqtt_at_table[];

#ifdef __cplusplus
}
#endif

#endif
