/*
 * See uart.h. A thread of its own plays the receive interrupt: it reads into a ring of the size the chip's driver has
 * and stops reading while the ring is full, or loses what it reads then, as a line without flow control does.
 *
 * On a pseudo-terminal nobody may be listening. As a real line would, it then loses what is sent, though only after it
 * has been stuck for a while: a host that is merely slow loses nothing.
 */
#define _GNU_SOURCE
#include "uart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "atcmd.h"
#include "kernel.h"
#include "tap.h"

#define LOG_TAG "uart"
#include "wm_log.h"

#define RING_BYTES 1024
#define FIFO_BYTES 128
#define BITS_PER_BYTE 10
#define STUCK_MS 5000
/* What a paced line makes up for when a thread of this machine comes late; the chip's hardware never does. */
#define LATE_NS 20000000u
/* Master and slave descriptor that an executed successor inherits. */
#define INHERITED "W800_SIM_PTY"

static struct {
    struct uart_options options;
    /* Changed while both directions run. Once it is not 0 it never is again. */
    _Atomic uint32_t baud;
    int in;
    int out;
    int slave;
    /* A pipe of our own, for looking at what is in another. */
    int copy[2];
    /* Nobody reads: what is sent is lost until there is room again. */
    bool unheard;
    kernel_time sent_until;
    kernel_time received_until;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned char ring[RING_BYTES];
    size_t first;
    size_t count;
    bool ended;
    /* A task waits for input. */
    bool wanted;
    wm_os_sem_t *arrived;
} uart = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .slave = -1};

static void sleep_until(kernel_time at)
{
    struct timespec when = {.tv_sec = (time_t)(at / 1000000000u), .tv_nsec = (long)(at % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR) {
    }
}

static kernel_time line_time(size_t bytes)
{
    return (kernel_time)bytes * BITS_PER_BYTE * 1000000000u / uart.baud;
}

/* When a line that is busy until `busy_until` has carried that many bytes more. */
static kernel_time after_bytes(kernel_time busy_until, bool goes_on, size_t bytes)
{
    /* Where bytes can be lost, those that come late must not come all at once. */
    kernel_time begin = kernel_now() - (goes_on && !uart.options.overrun ? LATE_NS : 0);
    return (busy_until > begin ? busy_until : begin) + line_time(bytes);
}

/* Sending */

static bool wait_for_room(void)
{
    struct pollfd room = {.fd = uart.out, .events = POLLOUT};
    int ready = poll(&room, 1, uart.unheard ? 0 : STUCK_MS);
    if (ready == 0 && !uart.unheard) {
        uart.unheard = true;
        wm_log_warn("nobody reads the port: output is lost");
    }
    return ready != 0;
}

/* Returns how much went out without waiting. */
static size_t write_now(const char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t written = write(uart.out, bytes + done, count - done);
        if (written < 0 && errno != EINTR) {
            break;
        }
        if (written > 0) {
            done += (size_t)written;
            uart.unheard = false;
        }
    }
    return done;
}

static void write_all(const char *bytes, size_t count)
{
    size_t done = write_now(bytes, count);
    while (done < count && (errno == EAGAIN || errno == EINTR) && wait_for_room()) {
        done += write_now(bytes + done, count - done);
    }
}

static void write_paced(const char *bytes, size_t count)
{
    bool goes_on = uart.sent_until > kernel_now();
    while (count > 0) {
        size_t piece = count < FIFO_BYTES ? count : FIFO_BYTES;
        sleep_until(uart.sent_until);
        write_all(bytes, piece);
        uart.sent_until = after_bytes(uart.sent_until, goes_on, piece);
        goes_on = true;
        bytes += piece;
        count -= piece;
    }
}

static int uart_send(const void *buffer, int size)
{
    const char *bytes = buffer;
    size_t count = (size_t)size;
    tap_serial(TAP_PRINTED, bytes, count);
    /* A pseudo-terminal usually has room for all of it, and then nobody else need run meanwhile. */
    size_t done = uart.options.stdio || uart.baud ? 0 : write_now(bytes, count);
    if (done < count) {
        kernel_leave_cpu();
        if (uart.baud) {
            write_paced(bytes, count);
        } else {
            write_all(bytes + done, count - done);
        }
        kernel_enter_cpu();
    }
    return size;
}

void uart_set_pace(uint32_t baud)
{
    uart.baud = baud;
}

uint32_t uart_pace(void)
{
    return uart.baud;
}

void uart_drain(void)
{
    kernel_leave_cpu();
    if (uart.baud) {
        sleep_until(uart.sent_until);
    }
    kernel_enter_cpu();
}

/* Receiving */

/* Whether the line had to stand still for it. */
static bool store(const unsigned char *bytes, size_t count)
{
    bool stood_still = false;
    pthread_mutex_lock(&uart.lock);
    for (size_t stored = 0; stored < count; stored++) {
        if (uart.count == RING_BYTES && uart.options.overrun) {
            wm_log_warn("the port's ring is full: %zu bytes are lost", count - stored);
            break;
        }
        while (uart.count == RING_BYTES) {
            stood_still = true;
            pthread_cond_wait(&uart.changed, &uart.lock);
        }
        uart.ring[(uart.first + uart.count++) % RING_BYTES] = bytes[stored];
        if (uart.count == 1) {
            wm_os_internal_sem_release(uart.arrived);
        }
    }
    pthread_mutex_unlock(&uart.lock);
    return stood_still;
}

static void end_of_input(void)
{
    pthread_mutex_lock(&uart.lock);
    uart.ended = true;
    pthread_mutex_unlock(&uart.lock);
    wm_os_internal_sem_release(uart.arrived);
}

static bool more_at_once(void)
{
    struct pollfd input = {.fd = uart.in, .events = POLLIN};
    return poll(&input, 1, 0) == 1;
}

static void wait_until_wanted(void)
{
    pthread_mutex_lock(&uart.lock);
    while (!uart.wanted) {
        pthread_cond_wait(&uart.changed, &uart.lock);
    }
    uart.wanted = false;
    pthread_mutex_unlock(&uart.lock);
}

/* Waits for input and copies it without taking it, from a file or a pipe. Fails for what is neither. */
static ssize_t look_ahead(unsigned char *bytes, size_t size)
{
    off_t place = lseek(uart.in, 0, SEEK_CUR);
    if (place >= 0) {
        return pread(uart.in, bytes, size, place);
    }
    ssize_t there = tee(uart.in, uart.copy[1], size, 0);
    return there > 0 ? read(uart.copy[0], bytes, (size_t)there) : there;
}

/* No further than one line: a pipe's next lines stay in the pipe, where a restarted board finds them. */
static ssize_t read_on_demand(unsigned char *bytes, size_t size)
{
    wait_until_wanted();
    ssize_t there = look_ahead(bytes, size);
    if (there == 0) {
        return 0;
    }
    const unsigned char *end = there > 0 ? memchr(bytes, '\n', (size_t)there) : bytes;
    return read(uart.in, bytes, end ? (size_t)(end - bytes) + 1 : (size_t)there);
}

static ssize_t read_when_there(unsigned char *bytes, size_t size)
{
    struct pollfd input = {.fd = uart.in, .events = POLLIN};
    poll(&input, 1, -1);
    return read(uart.in, bytes, size);
}

static void *receive(void *unused)
{
    (void)unused;
    unsigned char bytes[RING_BYTES];
    size_t unpaced = uart.options.stdio ? RING_BYTES : FIFO_BYTES;
    bool stood_still = true;
    for (;;) {
        size_t size = uart.baud ? FIFO_BYTES / 4 : unpaced;
        bool goes_on = uart.baud && !stood_still && more_at_once();
        ssize_t got = uart.options.stdio ? read_on_demand(bytes, size) : read_when_there(bytes, size);
        if (got > 0 && uart.baud) {
            uart.received_until = after_bytes(uart.received_until, goes_on, (size_t)got);
            sleep_until(uart.received_until);
        }
        if (got > 0) {
            stood_still = store(bytes, (size_t)got);
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            end_of_input();
            return NULL;
        }
    }
}

static int take_from_ring(unsigned char *bytes, size_t size)
{
    pthread_mutex_lock(&uart.lock);
    int taken = 0;
    while (uart.count > 0 && (size_t)taken < size) {
        bytes[taken++] = uart.ring[uart.first];
        uart.first = (uart.first + 1) % RING_BYTES;
        uart.count--;
    }
    if (taken == 0 && uart.ended) {
        taken = ATCMD_RECV_END;
    }
    uart.wanted = taken == 0;
    pthread_cond_signal(&uart.changed);
    pthread_mutex_unlock(&uart.lock);
    return taken;
}

static int uart_recv(void *buffer, int *size, int timeout)
{
    uint32_t wait_ms = timeout == AT_WAITING_FOREVER ? WM_OS_WAIT_TIME_MAX : (uint32_t)timeout;
    int taken = take_from_ring(buffer, (size_t)*size);
    /* A count left from bytes that were already taken makes one idle round. */
    while (taken == 0 && wm_os_internal_sem_acquire_ms(uart.arrived, wait_ms) == WM_OS_STATUS_SUCCESS) {
        taken = take_from_ring(buffer, (size_t)*size);
    }
    *size = taken > 0 ? taken : 0;
    if (taken > 0) {
        tap_serial(TAP_RECEIVED, buffer, (size_t)taken);
    }
    return taken;
}

wm_dev_ops_t uart_device(void)
{
    return (wm_dev_ops_t){.atcmd_send = uart_send, .atcmd_recv = uart_recv};
}

/* Opening */

static bool inherit_pty(void)
{
    const char *inherited = getenv(INHERITED);
    bool both = inherited && sscanf(inherited, "%d,%d", &uart.in, &uart.slave) == 2;
    unsetenv(INHERITED);
    return both;
}

static void link_pty(const char *path)
{
    if (uart.options.link) {
        unlink(uart.options.link);
        if (symlink(path, uart.options.link) != 0) {
            perror("w800-sim: the link to the port");
        }
    }
}

/* The slave stays open here, so that the line's settings and the line outlive a host that closes it. */
static bool create_pty(void)
{
    char path[64];
    struct termios settings;
    uart.in = posix_openpt(O_RDWR | O_NOCTTY);
    if (uart.in < 0 || grantpt(uart.in) != 0 || unlockpt(uart.in) != 0 || ptsname_r(uart.in, path, sizeof path) != 0) {
        return false;
    }
    uart.slave = open(path, O_RDWR | O_NOCTTY);
    if (uart.slave < 0 || tcgetattr(uart.slave, &settings) != 0) {
        return false;
    }
    cfmakeraw(&settings);
    tcsetattr(uart.slave, TCSANOW, &settings);
    link_pty(path);
    printf("PTY %s\n", path);
    fflush(stdout);
    return true;
}

static bool open_pty(void)
{
    bool opened = inherit_pty() || create_pty();
    if (opened) {
        fcntl(uart.in, F_SETFL, fcntl(uart.in, F_GETFL) | O_NONBLOCK);
        uart.out = uart.in;
    }
    return opened;
}

static bool no_memory(void)
{
    fprintf(stderr, "w800-sim: no memory for the serial line\n");
    return false;
}

bool uart_open(const struct uart_options *options)
{
    uart.options = *options;
    uart.baud = options->baud;
    uart.in = STDIN_FILENO;
    uart.out = STDOUT_FILENO;
    if (!options->stdio && !open_pty()) {
        perror("w800-sim: no pseudo-terminal");
        return false;
    }
    if (options->stdio && pipe2(uart.copy, O_CLOEXEC) != 0) {
        perror("w800-sim: no pipe");
        return false;
    }
    return wm_os_internal_sem_create(&uart.arrived, 0) == WM_OS_STATUS_SUCCESS || no_memory();
}

bool uart_listen(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, receive, NULL) != 0) {
        return no_memory();
    }
    pthread_detach(thread);
    return true;
}

void uart_keep_over_exec(void)
{
    char inherited[32];
    if (!uart.options.stdio) {
        fcntl(uart.in, F_SETFD, 0);
        fcntl(uart.slave, F_SETFD, 0);
        snprintf(inherited, sizeof inherited, "%d,%d", uart.in, uart.slave);
        setenv(INHERITED, inherited, 1);
    }
}

void uart_close(void)
{
    if (uart.options.link) {
        unlink(uart.options.link);
    }
}
