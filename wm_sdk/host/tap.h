/*
 * What somebody who watches the board is told, in the thread where it happens and before anything follows from it.
 * A watcher neither waits nor calls the board. Where nobody watches, nothing happens.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>

enum tap_serial {
    /* What the host sends, as the board takes it. */
    TAP_RECEIVED,
    /* What the board sends. */
    TAP_PRINTED,
};

struct taps {
    void (*frame)(bool to_board, const void *bytes, size_t length);
    /* A frame that a bad network does not carry once and in its order, and what it does instead. */
    void (*fault)(bool to_board, const char *what, const void *bytes, size_t length);
    void (*serial)(enum tap_serial what, const void *bytes, size_t length);
    /* Inside the heap's lock. */
    void (*heap)(size_t used);
    /* The program is about to be executed anew; what is to stay open is for tap_keep_over_exec. */
    void (*restart)(void);
};

/* Any of them may be NULL. Before the board starts. */
void tap_set(const struct taps *taps);

void tap_frame(bool to_board, const void *bytes, size_t length);
void tap_fault(bool to_board, const char *what, const void *bytes, size_t length);
void tap_serial(enum tap_serial what, const void *bytes, size_t length);
void tap_heap(size_t used);
void tap_restart(void);
void tap_keep_over_exec(int file);

#endif
