/*
 * What the virtual board knows about its heap beyond the SDK's own questions.
 *
 * A block is charged the size that was asked for. Structures that hold pointers or a `long` are bigger on a 64-bit host
 * than on the chip, so they are charged more than there; buffers are charged the same.
 */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

/* What a W800 AT firmware with Wi-Fi up has left for its applications. */
#define HEAP_DEFAULT_LIMIT (100 * 1024)

/* Bytes as charged on the chip; `refused` counts allocations that did not fit. */
struct heap_figures {
    size_t limit;
    size_t used;
    size_t peak;
    size_t blocks;
    size_t refused;
};

/* Before the first allocation, or at least never below what is in use. */
void heap_set_limit(size_t bytes);
struct heap_figures heap_get_figures(void);

/* From now on lets the n-th allocation fail, counted from 1, and so many in all from there; 0 lets none fail. */
struct heap_failing {
    size_t nth;
    size_t count;
};

void heap_fail(struct heap_failing failing);

/* What has become of that: `file` and `line` asked for the first that failed, NULL where none did. */
struct heap_failures {
    size_t asked;
    size_t failed;
    const char *file;
    int line;
};

struct heap_failures heap_get_failures(void);

/* Whose a block is: Mbed TLS's own where the file it was asked for in says so (HEAP_MBEDTLS_FILES), else the rest's. */
enum heap_owner { HEAP_MBEDTLS, HEAP_OTHER, HEAP_OWNERS };
#define HEAP_MBEDTLS_FILES "mbedtls/"

struct heap_share {
    size_t used;
    size_t peak;
};

struct heap_share heap_get_share(enum heap_owner owner);
/* Counts a block that was allocated without such a file's name as this owner's. */
void heap_assign(void *data, enum heap_owner owner);
/* The shares' peaks start anew from what is in use; the heap's own peak stays. */
void heap_reset_share_peaks(void);

typedef void (*heap_visitor)(const char *file, int line, size_t size, void *context);
void heap_for_each_block(heap_visitor visit, void *context);

#endif
