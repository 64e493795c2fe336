/* What the virtual board knows about its heap beyond the SDK's own questions. */
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

typedef void (*heap_visitor)(const char *file, int line, size_t size, void *context);
void heap_for_each_block(heap_visitor visit, void *context);

#endif
