/* Parses and searches the list of names. */
#include "hosts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool parse_address(const char *text, struct host *host)
{
    unsigned int parts[4];
    unsigned int delay = 0;
    int address_end = 0;
    int end = 0;
    if (sscanf(text, "%3u.%3u.%3u.%3u%n@%9ums%n", &parts[0], &parts[1], &parts[2], &parts[3], &address_end, &delay,
               &end) < 4) {
        return false;
    }
    if (text[address_end] != '\0' && (end == 0 || text[end] != '\0')) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (parts[i] > UINT8_MAX) {
            return false;
        }
        host->address[i] = (uint8_t)parts[i];
    }
    host->delay_ms = delay;
    return true;
}

bool hosts_add(struct hosts *hosts, const char *entry)
{
    const char *equals = strchr(entry, '=');
    if (hosts->count == HOSTS_CAPACITY || equals == NULL || equals == entry ||
        (size_t)(equals - entry) >= HOST_NAME_CAPACITY) {
        return false;
    }
    struct host host = {.dropped = strcmp(equals + 1, "drop") == 0};
    memcpy(host.name, entry, (size_t)(equals - entry));
    if (!host.dropped && !parse_address(equals + 1, &host)) {
        return false;
    }
    hosts->entries[hosts->count++] = host;
    return true;
}

const struct host *hosts_find(const struct hosts *hosts, const char *name)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (strcasecmp(hosts->entries[i].name, name) == 0) {
            return &hosts->entries[i];
        }
    }
    return NULL;
}
