/* The serial line of the virtual board: a pseudo-terminal, or standard input and output. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

#include "wm_atcmd.h"

struct uart_options {
    /* Standard input and output instead of a pseudo-terminal. */
    bool stdio;
    /* Bits per second at ten bits a byte; 0 does not pace. */
    uint32_t baud;
    /* What comes while the ring is full is lost, as on a line without flow control; else the line stands still. */
    bool overrun;
    /* A symbolic link to make to the pseudo-terminal; may be NULL. */
    const char *link;
};

/* Opens the line for output and prints `PTY <path>`. False after a line on stderr. Before any task runs. */
bool uart_open(const struct uart_options *options);

/* From now on input is received. False after a line on stderr. */
bool uart_listen(void);

wm_dev_ops_t uart_device(void);

/* Bits per second from the next byte on, and what they are now: 0 where the line is not paced. */
void uart_set_pace(uint32_t baud);
uint32_t uart_pace(void);

/* Waits until everything sent has left the line. */
void uart_drain(void);

/* Leaves the line open for the program that is executed next, which uart_open then takes over. */
void uart_keep_over_exec(void);
void uart_close(void);

#endif
