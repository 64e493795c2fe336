/* See credentials.h. Not declared there: whoever uses them declares them `const`, as the SDK's own users do. */
#include "credentials.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char mqtt_client_tls_ca[CREDENTIAL_BYTES];
char mqtt_client_tls_cert[CREDENTIAL_BYTES];
char mqtt_client_tls_key[CREDENTIAL_BYTES];

static bool refuse(const char *option, const char *path, const char *why)
{
    fprintf(stderr, "w800-sim: --%s %s: %s\n", option, path, why);
    return false;
}

static bool load(const char *option, const char *path, char *text)
{
    if (!path) {
        return true;
    }
    FILE *file = fopen(path, "rb");
    if (!file) {
        return refuse(option, path, strerror(errno));
    }
    size_t length = fread(text, 1, CREDENTIAL_BYTES, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) {
        return refuse(option, path, "cannot be read");
    }
    if (length == CREDENTIAL_BYTES) {
        return refuse(option, path, "too large for the firmware (16383 bytes)");
    }
    text[length] = '\0';
    return strlen(text) == length || refuse(option, path, "holds a NUL, so it is no PEM text");
}

bool credentials_load(const struct credential_files *files)
{
    return load("ca", files->ca, mqtt_client_tls_ca) && load("cert", files->cert, mqtt_client_tls_cert) &&
           load("key", files->key, mqtt_client_tls_key);
}
