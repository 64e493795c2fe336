/* The names that the virtual network knows. */
#ifndef W800_NET_HOSTS_H
#define W800_NET_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTS_CAPACITY 64
#define HOST_NAME_CAPACITY 256

struct host {
    char name[HOST_NAME_CAPACITY];
    uint8_t address[4];
    uint32_t delay_ms;
    bool dropped;
};

struct hosts {
    size_t count;
    struct host entries[HOSTS_CAPACITY];
};

/*
 * Adds `name=address[@<ms>ms]` or `name=drop`. The address is that of the host's loopback (127.0.0.1, which the board
 * knows as 10.0.2.2) or one of 10.0.2.0/24; on an `open` network any other too. NULL, or why the entry is refused.
 */
const char *hosts_add(struct hosts *hosts, bool open, const char *entry);

/* NULL for a name that is not listed. Case does not matter. */
const struct host *hosts_find(const struct hosts *hosts, const char *name);

#endif
