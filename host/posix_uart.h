/* SPDX-License-Identifier: Apache-2.0 */

/* The platform's three functions for mqtt_at.h on a PC, where the UART is a terminal device. `context` is an int: the
 * device's descriptor. */
#ifndef POSIX_UART_H
#define POSIX_UART_H

#include <stddef.h>
#include <stdint.h>

/* 115200 baud, 8N1. Returns the descriptor, or -1 with errno. */
int posix_uart_open(const char *device);

size_t posix_uart_read(void *context, uint8_t *bytes, size_t room);
size_t posix_uart_write(void *context, const uint8_t *bytes, size_t count);
uint32_t posix_milliseconds(void *context);

#endif
