/* Parses and searches the list of names. */
#include "hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ADDRESS_CAPACITY 64
#define DELAY_MAX_MS 999999999

static const char wrong_form[] = "it is not name=address, name=address@<n>ms or name=drop";

/* `<n>ms`, at most 9 digits. */
static bool parse_delay(const char *text, uint32_t *delay_ms)
{
    char *end;
    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    unsigned long delay = strtoul(text, &end, 10);
    *delay_ms = (uint32_t)delay;
    return delay <= DELAY_MAX_MS && strcmp(end, "ms") == 0;
}

/* NULL, or why the board does not reach the address. */
static const char *judge_address(struct host *host, bool open)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    static const uint8_t loopback_of_board[4] = {10, 0, 2, 2};
    if (memcmp(host->address, loopback, 4) == 0) {
        memcpy(host->address, loopback_of_board, 4);
    } else if (host->address[0] == 127) {
        return "of the loopback the board reaches 127.0.0.1 only";
    }
    if (open || memcmp(host->address, loopback_of_board, 3) == 0) {
        return NULL;
    }
    return "the address is outside this machine, which takes --net open";
}

static const char *parse_target(const char *text, bool open, struct host *host)
{
    char address[ADDRESS_CAPACITY];
    uint8_t ignored[16];
    size_t length = strcspn(text, "@");
    if (length >= sizeof address) {
        return wrong_form;
    }
    memcpy(address, text, length);
    address[length] = '\0';
    if (text[length] == '@' && !parse_delay(text + length + 1, &host->delay_ms)) {
        return wrong_form;
    }
    if (inet_pton(AF_INET6, address, ignored) == 1) {
        return "the virtual network has no IPv6; let the server listen on 127.0.0.1 too";
    }
    /* Strict: no leading zeros, which some programs read as octal, and no shorter forms. */
    return inet_pton(AF_INET, address, host->address) == 1 ? judge_address(host, open) : wrong_form;
}

const char *hosts_add(struct hosts *hosts, bool open, const char *entry)
{
    const char *equals = strchr(entry, '=');
    if (hosts->count == HOSTS_CAPACITY) {
        return "there are too many";
    }
    if (equals == NULL || equals == entry || (size_t)(equals - entry) >= HOST_NAME_CAPACITY) {
        return wrong_form;
    }
    struct host host = {.dropped = strcmp(equals + 1, "drop") == 0};
    memcpy(host.name, entry, (size_t)(equals - entry));
    const char *reason = host.dropped ? NULL : parse_target(equals + 1, open, &host);
    if (reason == NULL) {
        hosts->entries[hosts->count++] = host;
    }
    return reason;
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
