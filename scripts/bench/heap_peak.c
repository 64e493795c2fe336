/*
 * See heap_peak.h. A program's own malloc takes the place of the C library's, for the libraries it loads too. A block
 * counts with its usable size, which is up to 15 bytes above what was asked for.
 */
#include "heap_peak.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_size_t in_use;
static atomic_size_t peak;

static void add(size_t bytes)
{
    size_t now = atomic_fetch_add(&in_use, bytes) + bytes;
    size_t before = atomic_load(&peak);
    while (now > before && !atomic_compare_exchange_weak(&peak, &before, now)) {
    }
}

static void *added(void *block)
{
    add(malloc_usable_size(block));
    return block;
}

void *malloc(size_t size)
{
    return added(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return added(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    size_t before = malloc_usable_size(block);
    void *moved = __libc_realloc(block, size);
    if (moved || size == 0) {
        atomic_fetch_sub(&in_use, before);
        added(moved);
    }
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return added(__libc_memalign(alignment, size));
}

void free(void *block)
{
    atomic_fetch_sub(&in_use, malloc_usable_size(block));
    __libc_free(block);
}

size_t heap_in_use(void)
{
    return atomic_load(&in_use);
}

size_t heap_peak(void)
{
    return atomic_load(&peak);
}
