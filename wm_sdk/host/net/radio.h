/*
 * The Wi-Fi hardware and the air behind it: a thread of its own, outside the board's scheduler, that runs a user-mode
 * network. It knows frames only, and nothing of lwIP.
 */
#ifndef W800_NET_RADIO_H
#define W800_NET_RADIO_H

#include <stdbool.h>

#include "frame_ring.h"
#include "hosts.h"

/*
 * `on_receive` is the radio's interrupt: it runs on the radio's thread when frames have come in. Only an `open` network
 * leads beyond the host's loopback (gate.h). 0 or -1.
 */
int radio_start(const struct hosts *hosts, bool open, void (*on_receive)(void));
/* Where it has not started, nothing happens. */
void radio_stop(void);

/*
 * The faults of the air, by the names and values of impair.h. radio_faults_start comes first and leaves it without any;
 * then they may be set from any thread, before the radio starts too. False for a name or a value that there is not.
 */
void radio_faults_start(void);
bool radio_set_fault(const char *name, const char *value);
void radio_clear_faults(void);

/* Room for the rows of radio_show_faults behind a short prefix. */
#define RADIO_FAULT_ROWS_BYTES 1024

/*
 * Writes a row for each fault, `"name",value`, and for each direction, "out" and "in": frames that passed, were lost,
 * cut off, found no room, came twice, were held for others to overtake. Returns the length.
 */
size_t radio_show_faults(char *rows, size_t size, const char *prefix);

/* While the link is down frames are lost in both directions. */
void radio_set_link(bool up);

/* Sending, from one task only: fill the slot, then send it. NULL while the radio is full. */
struct frame *radio_transmit_slot(void);
void radio_transmit(void);

/* Receiving, from one task only: read the frame, then give it back. NULL when there is none. */
const struct frame *radio_received(void);
void radio_release(void);

#endif
