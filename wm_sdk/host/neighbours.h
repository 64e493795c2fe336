/* The commands beside the library's own: their state as after a power-up. */
#ifndef NEIGHBOURS_H
#define NEIGHBOURS_H

void neighbours_start(void);

#endif
