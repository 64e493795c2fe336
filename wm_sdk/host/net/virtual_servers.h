/*
 * The name server and the time server of the virtual network. Frames in, frames out; no clock but the one given, or
 * that of the server which virtual_servers_set_time_server names.
 */
#ifndef W800_NET_VIRTUAL_SERVERS_H
#define W800_NET_VIRTUAL_SERVERS_H

#include <stdint.h>
#include <time.h>

#include "frame_ring.h"
#include "hosts.h"

enum verdict {
    /* Not a question to these servers: goes on. */
    VERDICT_PASS,
    /* Goes nowhere. */
    VERDICT_DROP,
    /* `answer` goes back to the board. */
    VERDICT_ANSWER
};

/* Questions for the time go to this UDP port of the host's loopback from now on; 0 answers them from the clock given.
 */
void virtual_servers_set_time_server(uint16_t port);

#define TIME_SERVER_NAMES 3

/*
 * The names that the board's firmware asks for the time. On a closed network they are this server's, unless the list of
 * hosts has them. From any thread; the names are copied.
 */
void virtual_servers_know_time_servers(const char *const *names, size_t count);

/*
 * Judges a frame that the board sent. Whatever server it is meant for, a question for the time never passes, and one
 * for a name only where the network is `open` and the name is not listed. `delay_ms` tells how long to hold an answer
 * back.
 */
enum verdict virtual_servers_judge(const struct hosts *hosts, bool open, struct timespec now,
                                   const struct frame *question, struct frame *answer, uint32_t *delay_ms);

#endif
