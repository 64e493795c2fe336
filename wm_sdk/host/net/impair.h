/*
 * A bad network: loses, delays, reorders, doubles, slows down and cuts off the frames between lwIP and the virtual
 * network, each direction for itself.
 *
 * Pure: time is a parameter, in microseconds, and chance comes from a seed. The fate of the n-th frame of a direction
 * depends on the seed and on n alone, however the other direction is used and whichever faults are set; so a run in
 * which the same frames are sent repeats itself.
 */
#ifndef W800_NET_IMPAIR_H
#define W800_NET_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame_ring.h"

#define IMPAIR_WAITING_MAX 256
#define IMPAIR_VALUE_BYTES 24
#define IMPAIR_NEVER INT64_MAX

enum impair_way { IMPAIR_FROM_BOARD, IMPAIR_TO_BOARD, IMPAIR_WAYS };

enum impair_event {
    /* By chance; in a cut; because too many wait. */
    IMPAIR_LOST,
    IMPAIR_CUT,
    IMPAIR_NO_ROOM,
    /* Goes on twice; goes on late. */
    IMPAIR_DOUBLED,
    IMPAIR_LATE,
    IMPAIR_EVENTS
};

/* The settings, in the order in which they are shown. */
enum impair_fault {
    IMPAIR_FAULT_LOSS,
    IMPAIR_FAULT_DELAY,
    IMPAIR_FAULT_REORDER,
    IMPAIR_FAULT_DUP,
    IMPAIR_FAULT_RATE,
    IMPAIR_FAULT_CUT,
    IMPAIR_FAULT_SEED,
    IMPAIR_FAULTS
};

/* One direction. Places of frames that wait come first in `order`, by the time they are due; then those that are free.
 */
struct impair_lane {
    uint64_t random;
    int64_t busy_until;
    int64_t last_due;
    size_t waiting;
    uint16_t order[IMPAIR_WAITING_MAX];
    int64_t due[IMPAIR_WAITING_MAX];
    struct frame frames[IMPAIR_WAITING_MAX];
    uint32_t passed;
    uint32_t events[IMPAIR_EVENTS];
};

struct impair {
    /* Told of each frame that does not go on once and in its order; or NULL. */
    void (*listener)(enum impair_way way, enum impair_event event, const void *bytes, size_t length);
    uint32_t loss_percent;
    uint32_t reorder_percent;
    uint32_t duplicate_percent;
    int64_t delay_us;
    int64_t jitter_us;
    /* Bytes a second; 0 for no bound. */
    uint64_t rate;
    int64_t cut_from;
    int64_t cut_to;
    bool cuts_after;
    uint64_t bytes_until_cut;
    /* As it was set, for whoever asks. */
    char values[IMPAIR_FAULTS][IMPAIR_VALUE_BYTES];
    struct impair_lane lanes[IMPAIR_WAYS];
};

/* A network without faults. */
void impair_start(struct impair *impair);

/*
 * Sets one fault by its name, from now on. False where there is no such fault or value.
 *
 *   loss      PERCENT            frames that are lost
 *   delay     MS[,JITTER]        how long each takes, give or take so much; the order stays
 *   reorder   PERCENT            frames that later ones overtake
 *   dup       PERCENT            frames that come twice
 *   rate      BYTES              a second, in each direction
 *   cut       FROM,TO            seconds from now, with up to three decimals: all are lost between; 0,0 ends it
 *             after:BYTES        all are lost that would exceed so many bytes, both ways together
 *   seed      N                  where chance begins
 *
 * Frames that wait when `delay` or `rate` is set come at once.
 */
bool impair_set(struct impair *impair, int64_t now, const char *name, const char *value);

/* Ends all faults. The seed stays. */
void impair_clear(struct impair *impair, int64_t now);

const char *impair_fault_name(enum impair_fault fault);

/* Takes a frame that was sent; `extra` is a delay of its own, which holds up no other. */
void impair_put(struct impair *impair, enum impair_way way, int64_t now, int64_t extra, const void *bytes,
                size_t length);

/* The next frame that has arrived, or NULL. It stays until the next impair_put of that direction. */
const struct frame *impair_take(struct impair *impair, enum impair_way way, int64_t now);

/* When the next frame of either direction arrives, or IMPAIR_NEVER. */
int64_t impair_next(const struct impair *impair);

#endif
