/* Servers on the host's loopback for the board to talk to. They use the host's sockets and never see lwIP. */
#ifndef W800_NET_TESTS_PEER_H
#define W800_NET_TESTS_PEER_H

#include <stdint.h>

/* Sends back what it receives. Returns the port, 0 on failure. */
uint16_t peer_start_echo(void);

/* Reads and never says anything. */
uint16_t peer_start_silent(void);

/* A port that nobody listens on. */
uint16_t peer_closed_port(void);

#endif
