/*
 * Keeps the board on the host's loopback: what may leave the virtual network, and the answer to what may not. Pure: it
 * sends nothing.
 */
#ifndef W800_NET_GATE_H
#define W800_NET_GATE_H

#include "frame_ring.h"

enum gate_verdict {
    /* For 10.0.2.2, for the DHCP server, or ARP. */
    GATE_PASS,
    /* Goes nowhere, as a broadcast that nobody hears. */
    GATE_DROP,
    /* `answer` goes back to the board: ICMP "net unreachable" (RFC 792), as from a router that has no route. */
    GATE_ANSWER
};

/* Judges a frame that the board sent and that no virtual server has answered. */
enum gate_verdict gate_judge(const struct frame *sent, struct frame *answer);

#endif
