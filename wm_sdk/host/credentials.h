/*
 * The certificates and the key that a product links into its firmware, as PEM texts in the SDK's three symbols
 * mqtt_client_tls_ca, mqtt_client_tls_cert and mqtt_client_tls_key. The virtual board reads them from files instead.
 */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stdbool.h>

/* Room for one text with its end. */
#define CREDENTIAL_BYTES (16 * 1024)

/* Files' paths; NULL leaves the text empty. */
struct credential_files {
    const char *ca;
    const char *cert;
    const char *key;
};

/* False after a line on stderr. Before any task runs. */
bool credentials_load(const struct credential_files *files);

#endif
