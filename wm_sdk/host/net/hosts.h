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

/* Adds `name=address[@<ms>ms]` or `name=drop`. False where the entry has another form or the list is full. */
bool hosts_add(struct hosts *hosts, const char *entry);

/* NULL for a name that is not listed. Case does not matter. */
const struct host *hosts_find(const struct hosts *hosts, const char *name);

#endif
