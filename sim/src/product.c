/*
 * The C code of a product: sets credentials through the library's C interface before the AT server starts, as firmware
 * does that has them elsewhere than under the SDK's names. Here they come from files.
 */
#include <stdio.h>
#include <string.h>

#include "w800_mqtt_at.h"

#define KINDS (W800_MQTT_AT_KEY + 1)
#define CREDENTIAL_BYTES (16 * 1024)

static struct {
    /* One byte more, for the NUL behind PEM. */
    char data[CREDENTIAL_BYTES + 1];
    size_t length;
} credentials[KINDS];

/* Reads what is to be set; a NULL path leaves it out. 0, or -1 after a line on stderr. */
int product_load(int kind, const char *path)
{
    if (!path) {
        return 0;
    }
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    credentials[kind].length = fread(credentials[kind].data, 1, CREDENTIAL_BYTES, file);
    fclose(file);
    if (strstr(credentials[kind].data, "-----BEGIN ")) {
        credentials[kind].length++;
    }
    return 0;
}

/* In the SDK's main task. `set` is w800_mqtt_at_set_credential, as the library that is run has it. */
void product_start(int (*set)(uint8_t link, int kind, const void *data, size_t length))
{
    for (int kind = 0; kind < KINDS; kind++) {
        size_t length = credentials[kind].length;
        if (length > 0 && set(0, kind, credentials[kind].data, length) != 0) {
            fprintf(stderr, "product: credential %d is refused\n", kind);
        }
    }
}
