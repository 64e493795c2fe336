/* Passes on what happens on the board; see tap.h. */
#include "tap.h"

#include <fcntl.h>

static struct taps taps;

void tap_set(const struct taps *wanted)
{
    taps = *wanted;
}

void tap_frame(bool to_board, const void *bytes, size_t length)
{
    if (taps.frame) {
        taps.frame(to_board, bytes, length);
    }
}

void tap_fault(bool to_board, const char *what, const void *bytes, size_t length)
{
    if (taps.fault) {
        taps.fault(to_board, what, bytes, length);
    }
}

void tap_serial(enum tap_serial what, const void *bytes, size_t length)
{
    if (taps.serial) {
        taps.serial(what, bytes, length);
    }
}

void tap_heap(size_t used)
{
    if (taps.heap) {
        taps.heap(used);
    }
}

void tap_restart(void)
{
    if (taps.restart) {
        taps.restart();
    }
}

void tap_keep_over_exec(int file)
{
    fcntl(file, F_SETFD, 0);
}
