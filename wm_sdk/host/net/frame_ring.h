/*
 * Ethernet frames between two threads, one that writes and one that reads, without a lock. It is the radio's memory,
 * not the board's.
 */
#ifndef W800_NET_FRAME_RING_H
#define W800_NET_FRAME_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_CAPACITY 1522
#define FRAME_RING_SLOTS 128

struct frame {
    size_t length;
    uint8_t bytes[FRAME_CAPACITY];
};

struct frame_ring {
    _Atomic uint32_t written;
    _Atomic uint32_t read;
    struct frame slots[FRAME_RING_SLOTS];
};

/* The slot to fill next, or NULL when the ring is full. */
static inline struct frame *frame_ring_reserve(struct frame_ring *ring)
{
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return written - read == FRAME_RING_SLOTS ? NULL : &ring->slots[written % FRAME_RING_SLOTS];
}

static inline void frame_ring_commit(struct frame_ring *ring)
{
    atomic_fetch_add_explicit(&ring->written, 1, memory_order_release);
}

/* The oldest frame, or NULL when the ring is empty. */
static inline struct frame *frame_ring_front(struct frame_ring *ring)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    return written == read ? NULL : &ring->slots[read % FRAME_RING_SLOTS];
}

static inline void frame_ring_pop(struct frame_ring *ring)
{
    atomic_fetch_add_explicit(&ring->read, 1, memory_order_release);
}

#endif
