/* Bytes that this process has from malloc: the C library's own functions, counted on their way. */
#ifndef HEAP_PEAK_H
#define HEAP_PEAK_H

#include <stddef.h>

size_t heap_in_use(void);

/* The most that was ever in use. */
size_t heap_peak(void);

#endif
