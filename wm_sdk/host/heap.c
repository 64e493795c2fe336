/*
 * The SDK's heap with its real limit: every block is charged as on the chip (header and rounding included), so that
 * "out of memory" comes where it would come there. Fragmentation is not modelled.
 *
 * Headers and tails carry marks; a double free or an overrun stops the board with the block's origin.
 */
#include "heap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "tap.h"
#include "wm_osal.h"

/* The chip's block header (six 32-bit words with tracing on) and the rounding of its blocks. */
#define CHIP_HEADER_BYTES 24
#define CHIP_ALIGNMENT 8

#define MARK_LIVE UINT64_C(0x57383030a110ca7e)
#define MARK_FREED UINT64_C(0x57383030f4eedf4e)
#define TAIL_BYTES 8

struct block {
    struct block *next;
    struct block *previous;
    const char *file;
    int line;
    size_t size;
    size_t charge;
    enum heap_owner owner;
    uint64_t mark;
    _Alignas(max_align_t) unsigned char data[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct heap_figures heap = {.limit = HEAP_DEFAULT_LIMIT};
static struct heap_share shares[HEAP_OWNERS];
static struct heap_failing failing;
static struct heap_failures failures;
static struct block *blocks;

void heap_set_limit(size_t bytes)
{
    pthread_mutex_lock(&lock);
    heap.limit = bytes;
    pthread_mutex_unlock(&lock);
}

struct heap_figures heap_get_figures(void)
{
    pthread_mutex_lock(&lock);
    struct heap_figures now = heap;
    pthread_mutex_unlock(&lock);
    return now;
}

void heap_fail(struct heap_failing now)
{
    pthread_mutex_lock(&lock);
    failing = now;
    failures = (struct heap_failures){0};
    pthread_mutex_unlock(&lock);
}

struct heap_failures heap_get_failures(void)
{
    pthread_mutex_lock(&lock);
    struct heap_failures now = failures;
    pthread_mutex_unlock(&lock);
    return now;
}

struct heap_share heap_get_share(enum heap_owner owner)
{
    pthread_mutex_lock(&lock);
    struct heap_share now = shares[owner];
    pthread_mutex_unlock(&lock);
    return now;
}

void heap_reset_share_peaks(void)
{
    pthread_mutex_lock(&lock);
    for (size_t owner = 0; owner < HEAP_OWNERS; owner++) {
        shares[owner].peak = shares[owner].used;
    }
    pthread_mutex_unlock(&lock);
}

void heap_for_each_block(heap_visitor visit, void *context)
{
    pthread_mutex_lock(&lock);
    for (struct block *block = blocks; block; block = block->next) {
        visit(block->file, block->line, block->size, context);
    }
    pthread_mutex_unlock(&lock);
}

/* Whether the next allocation is one of those that have to fail. */
static bool fails(const char *file, int line)
{
    failures.asked++;
    if (failing.nth == 0 || failures.asked < failing.nth || failures.failed >= failing.count) {
        return false;
    }
    if (failures.failed++ == 0) {
        failures.file = file;
        failures.line = line;
    }
    return true;
}

static bool charge(size_t bytes, bool refuse)
{
    bool fits = !refuse && bytes <= heap.limit && heap.used <= heap.limit - bytes;
    if (fits) {
        heap.used += bytes;
        heap.blocks++;
        heap.peak = heap.used > heap.peak ? heap.used : heap.peak;
        tap_heap(heap.used);
    } else {
        heap.refused++;
    }
    return fits;
}

static enum heap_owner owner_of(const char *file)
{
    bool mbedtls = file && strncmp(file, HEAP_MBEDTLS_FILES, strlen(HEAP_MBEDTLS_FILES)) == 0;
    return mbedtls ? HEAP_MBEDTLS : HEAP_OTHER;
}

static void add_to_share(struct heap_share *share, size_t bytes)
{
    share->used += bytes;
    share->peak = share->used > share->peak ? share->used : share->peak;
}

static void link_block(struct block *block)
{
    block->previous = NULL;
    block->next = blocks;
    if (blocks) {
        blocks->previous = block;
    }
    blocks = block;
}

static void unlink_block(struct block *block)
{
    if (block->next) {
        block->next->previous = block->previous;
    }
    if (block->previous) {
        block->previous->next = block->next;
    } else {
        blocks = block->next;
    }
}

static struct block *block_of(void *data)
{
    return (struct block *)((unsigned char *)data - offsetof(struct block, data));
}

void heap_assign(void *data, enum heap_owner owner)
{
    pthread_mutex_lock(&lock);
    struct block *block = block_of(data);
    shares[block->owner].used -= block->charge;
    block->owner = owner;
    add_to_share(&shares[owner], block->charge);
    pthread_mutex_unlock(&lock);
}

static void check(const struct block *block)
{
    char message[160];
    const char *fault = NULL;
    uint64_t tail;
    if (block->mark == MARK_FREED) {
        fault = "freed twice";
    } else if (block->mark != MARK_LIVE) {
        kernel_panic("heap: not a block of this heap, or its header was overwritten");
    } else {
        memcpy(&tail, block->data + block->size, TAIL_BYTES);
        fault = tail == MARK_LIVE ? NULL : "written past its end";
    }
    if (fault) {
        snprintf(message, sizeof message, "heap: block of %zu bytes from %s:%d was %s", block->size, block->file,
                 block->line, fault);
        kernel_panic(message);
    }
}

void *wm_heap_caps_alloc_tracing(size_t size, wm_heap_cap_type_t caps, const char *file, int line)
{
    (void)caps;
    if (size == 0 || size > SIZE_MAX / 2) {
        return NULL;
    }
    size_t cost = (size + CHIP_HEADER_BYTES + CHIP_ALIGNMENT - 1) / CHIP_ALIGNMENT * CHIP_ALIGNMENT;

    pthread_mutex_lock(&lock);
    struct block *block = charge(cost, fails(file, line)) ? malloc(sizeof *block + size + TAIL_BYTES) : NULL;
    if (block) {
        uint64_t tail = MARK_LIVE;
        block->file = file;
        block->line = line;
        block->size = size;
        block->charge = cost;
        block->owner = owner_of(file);
        add_to_share(&shares[block->owner], cost);
        block->mark = MARK_LIVE;
        memcpy(block->data + size, &tail, TAIL_BYTES);
        link_block(block);
    }
    pthread_mutex_unlock(&lock);
    return block ? block->data : NULL;
}

void wm_heap_caps_free(void *p)
{
    if (!p) {
        return;
    }
    struct block *block = block_of(p);
    pthread_mutex_lock(&lock);
    check(block);
    unlink_block(block);
    heap.used -= block->charge;
    tap_heap(heap.used);
    shares[block->owner].used -= block->charge;
    heap.blocks--;
    block->mark = MARK_FREED;
    pthread_mutex_unlock(&lock);
    free(block);
}

/* As the chip's: always a new block, so both exist for a moment; 0 bytes frees. */
void *wm_heap_caps_realloc_tracing(void *old_mem, size_t new_size, wm_heap_cap_type_t caps, const char *file, int line)
{
    if (!old_mem) {
        return wm_heap_caps_alloc_tracing(new_size, caps, file, line);
    }
    if (new_size == 0) {
        wm_heap_caps_free(old_mem);
        return NULL;
    }
    void *moved = wm_heap_caps_alloc_tracing(new_size, caps, file, line);
    if (moved) {
        size_t old_size = block_of(old_mem)->size;
        memcpy(moved, old_mem, old_size < new_size ? old_size : new_size);
        wm_heap_caps_free(old_mem);
    }
    return moved;
}

void *wm_os_internal_calloc_tracing(size_t nelem, size_t elsize, const char *file, int line)
{
    if (elsize != 0 && nelem > SIZE_MAX / elsize) {
        return NULL;
    }
    void *zeroed = wm_heap_caps_alloc_tracing(nelem * elsize, WM_HEAP_CAP_DEFAULT, file, line);
    if (zeroed) {
        memset(zeroed, 0, nelem * elsize);
    }
    return zeroed;
}

size_t wm_heap_get_free_size(void)
{
    struct heap_figures now = heap_get_figures();
    return now.limit - now.used;
}

size_t wm_heap_get_minimum_ever_free_size(void)
{
    struct heap_figures now = heap_get_figures();
    return now.limit - now.peak;
}
