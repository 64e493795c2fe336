/*
 * The Wi-Fi hardware and the air behind it: a thread of its own, outside the board's scheduler, that runs a user-mode
 * network. It knows frames only, and nothing of lwIP.
 */
#ifndef W800_NET_RADIO_H
#define W800_NET_RADIO_H

#include <stdbool.h>

#include "frame_ring.h"
#include "hosts.h"

/* `on_receive` is the radio's interrupt: it runs on the radio's thread when frames have come in. 0 or -1. */
int radio_start(const struct hosts *hosts, void (*on_receive)(void));
/* Where it has not started, nothing happens. */
void radio_stop(void);

/* While the link is down frames are lost in both directions. */
void radio_set_link(bool up);

/* Sending, from one task only: fill the slot, then send it. NULL while the radio is full. */
struct frame *radio_transmit_slot(void);
void radio_transmit(void);

/* Receiving, from one task only: read the frame, then give it back. NULL when there is none. */
const struct frame *radio_received(void);
void radio_release(void);

#endif
