/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* cfmakeraw() */
#include "posix_uart.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int posix_uart_open(const char *device)
{
    struct termios line;
    int descriptor = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0)
        return -1;
    if (tcgetattr(descriptor, &line) == 0) {
        cfmakeraw(&line);
        cfsetspeed(&line, B115200);
        if (tcsetattr(descriptor, TCSANOW, &line) == 0)
            return descriptor;
    }
    close(descriptor);
    return -1;
}

/* Waits for a millisecond when there is nothing, so that a program that waits does not take the whole processor. */
size_t posix_uart_read(void *context, uint8_t *bytes, size_t room)
{
    struct pollfd device = {*(int *)context, POLLIN, 0};
    ssize_t count = poll(&device, 1, 1) > 0 ? read(device.fd, bytes, room) : 0;
    return count > 0 ? (size_t)count : 0;
}

size_t posix_uart_write(void *context, const uint8_t *bytes, size_t count)
{
    ssize_t taken = write(*(int *)context, bytes, count);
    return taken > 0 ? (size_t)taken : 0;
}

uint32_t posix_milliseconds(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}
