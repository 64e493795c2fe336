/*
 * The radio on libslirp. This file sees the host's sockets and never lwIP's: their headers exclude each other.
 */
#include "radio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <slirp/libslirp.h>

#include "gate.h"
#include "impair.h"
#include "packet.h"
#include "tap.h"
#include "virtual_servers.h"

#define POLL_CAPACITY 256
#define SOCKET_BUFFER 16384
#define NANOSECONDS_PER_US 1000
#define US_PER_MS 1000

static struct frame_ring to_air;
static struct frame_ring to_board;
static _Atomic bool link_up;
static _Atomic bool stopping;
static int wake_event = -1;
static pthread_t thread;
static bool running;
static Slirp *slirp;
static const struct hosts *known_hosts;
static bool network_open;
static void (*interrupt)(void);
/* Tasks set it, the radio's thread uses it. */
static struct impair air;
static pthread_mutex_t air_lock = PTHREAD_MUTEX_INITIALIZER;

/* Below: the radio's thread only. */
static struct pollfd poll_set[POLL_CAPACITY];
static nfds_t poll_count;
static bool received_any;

static int64_t now_ns(void *opaque)
{
    (void)opaque;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now_us(void)
{
    return now_ns(NULL) / NANOSECONDS_PER_US;
}

static void wake(void)
{
    uint64_t one = 1;
    ssize_t written = write(wake_event, &one, sizeof one);
    (void)written; /* A full counter wakes as well. */
}

static void put_into_air(enum impair_way way, uint32_t delay_ms, const void *bytes, size_t length)
{
    pthread_mutex_lock(&air_lock);
    impair_put(&air, way, now_us(), (int64_t)delay_ms * US_PER_MS, bytes, length);
    pthread_mutex_unlock(&air_lock);
}

/* What has arrived; it stays until this thread sends that way again. */
static const struct frame *take_from_air(enum impair_way way)
{
    pthread_mutex_lock(&air_lock);
    const struct frame *frame = impair_take(&air, way, now_us());
    pthread_mutex_unlock(&air_lock);
    return frame;
}

/* Frames that have reached the board. One that finds no room is lost, as in the air. */
static void receive_all(void)
{
    const struct frame *frame;
    while ((frame = take_from_air(IMPAIR_TO_BOARD)) != NULL) {
        struct frame *slot = frame_ring_reserve(&to_board);
        if (slot != NULL && atomic_load(&link_up)) {
            memcpy(slot->bytes, frame->bytes, frame->length);
            slot->length = frame->length;
            tap_frame(true, frame->bytes, frame->length);
            frame_ring_commit(&to_board);
            received_any = true;
        }
    }
}

static void send_to_board(uint32_t delay_ms, const void *bytes, size_t length)
{
    if (atomic_load(&link_up)) {
        put_into_air(IMPAIR_TO_BOARD, delay_ms, bytes, length);
        /* At once, before more come than can wait. */
        receive_all();
    }
}

static ssize_t deliver(const void *bytes, size_t length, void *opaque)
{
    (void)opaque;
    send_to_board(0, bytes, length);
    return (ssize_t)length;
}

static uint32_t limit_to_air(uint32_t timeout)
{
    pthread_mutex_lock(&air_lock);
    int64_t next = impair_next(&air);
    pthread_mutex_unlock(&air_lock);
    if (next == IMPAIR_NEVER) {
        return timeout;
    }
    int64_t left = (next - now_us() + US_PER_MS - 1) / US_PER_MS;
    left = left < 0 ? 0 : left;
    return left < timeout ? (uint32_t)left : timeout;
}

/* Says once for each address in a row why nothing comes back from it. */
static void report_closed(const struct frame *frame)
{
    static uint8_t reported[4];
    const uint8_t *to = frame->bytes + ETHERNET_HEADER + IPV4_DESTINATION;
    if (memcmp(reported, to, sizeof reported) != 0) {
        memcpy(reported, to, sizeof reported);
        fprintf(stderr, "virtual network: %d.%d.%d.%d is outside this machine, which takes --net open\n", to[0], to[1],
                to[2], to[3]);
    }
}

/* A frame that no virtual server answered leaves the virtual network, if it may. */
static void pass_out(const struct frame *frame)
{
    static struct frame answer;
    switch (network_open ? GATE_PASS : gate_judge(frame, &answer)) {
    case GATE_PASS:
        slirp_input(slirp, frame->bytes, (int)frame->length);
        break;
    case GATE_ANSWER:
        report_closed(frame);
        send_to_board(0, answer.bytes, answer.length);
        break;
    case GATE_DROP:
        break;
    }
}

/* A frame from the board that has crossed the air. */
static void carry(const struct frame *frame)
{
    static struct frame answer;
    uint32_t delay_ms;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    switch (virtual_servers_judge(known_hosts, network_open, now, frame, &answer, &delay_ms)) {
    case VERDICT_PASS:
        pass_out(frame);
        break;
    case VERDICT_ANSWER:
        send_to_board(delay_ms, answer.bytes, answer.length);
        break;
    case VERDICT_DROP:
        break;
    }
}

static void carry_arrived(void)
{
    const struct frame *frame;
    while ((frame = take_from_air(IMPAIR_FROM_BOARD)) != NULL) {
        carry(frame);
    }
}

static void send_all(void)
{
    const struct frame *frame;
    while ((frame = frame_ring_front(&to_air)) != NULL) {
        if (atomic_load(&link_up)) {
            tap_frame(false, frame->bytes, frame->length);
            put_into_air(IMPAIR_FROM_BOARD, 0, frame->bytes, frame->length);
            carry_arrived();
        }
        frame_ring_pop(&to_air);
    }
}

static int add_poll(int fd, int events, void *opaque)
{
    (void)opaque;
    if (poll_count == POLL_CAPACITY) {
        return -1;
    }
    short wanted = 0;
    wanted |= events & SLIRP_POLL_IN ? POLLIN : 0;
    wanted |= events & SLIRP_POLL_OUT ? POLLOUT : 0;
    wanted |= events & SLIRP_POLL_PRI ? POLLPRI : 0;
    poll_set[poll_count] = (struct pollfd){.fd = fd, .events = wanted};
    return (int)poll_count++;
}

static int poll_result(int index, void *opaque)
{
    (void)opaque;
    if (index < 0 || (nfds_t)index >= poll_count) {
        return 0;
    }
    short happened = poll_set[index].revents;
    int events = 0;
    events |= happened & POLLIN ? SLIRP_POLL_IN : 0;
    events |= happened & POLLOUT ? SLIRP_POLL_OUT : 0;
    events |= happened & POLLPRI ? SLIRP_POLL_PRI : 0;
    events |= happened & POLLERR ? SLIRP_POLL_ERR : 0;
    events |= happened & POLLHUP ? SLIRP_POLL_HUP : 0;
    return events;
}

static void wait_and_handle(void)
{
    uint32_t timeout = UINT32_MAX;
    poll_count = 0;
    add_poll(wake_event, SLIRP_POLL_IN, NULL);
    slirp_pollfds_fill(slirp, &timeout, add_poll, NULL);
    timeout = limit_to_air(timeout);

    int ready = poll(poll_set, poll_count, timeout > INT32_MAX ? -1 : (int)timeout);
    if (ready > 0 && poll_set[0].revents & POLLIN) {
        uint64_t count;
        ssize_t taken = read(wake_event, &count, sizeof count);
        (void)taken;
    }
    slirp_pollfds_poll(slirp, ready < 0, poll_result, NULL);
}

static void *run(void *argument)
{
    (void)argument;
    while (!atomic_load(&stopping)) {
        received_any = false;
        wait_and_handle();
        send_all();
        carry_arrived();
        receive_all();
        if (received_any) {
            interrupt();
        }
    }
    return NULL;
}

static void report_guest_error(const char *message, void *opaque)
{
    (void)opaque;
    fprintf(stderr, "virtual network: %s\n", message);
}

/* libslirp's timers serve IPv6 router advertisements, and this network has no IPv6. */
static void *no_timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
    (void)callback;
    (void)callback_opaque;
    (void)opaque;
    return NULL;
}

static void no_timer_free(void *timer, void *opaque)
{
    (void)timer;
    (void)opaque;
}

static void no_timer_mod(void *timer, int64_t expire_time, void *opaque)
{
    (void)timer;
    (void)expire_time;
    (void)opaque;
}

/* What the host holds for a peer that does not read is kept as small as in a router; by itself it would grow to
 * megabytes. */
static void bound_buffer(int fd, void *opaque)
{
    (void)opaque;
    const int bytes = SOCKET_BUFFER;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static void no_poll_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

/* The poll loop looks at everything again after each round, which is where this is called from. */
static void no_notify(void *opaque)
{
    (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = deliver,
    .guest_error = report_guest_error,
    .clock_get_ns = now_ns,
    .timer_new = no_timer_new,
    .timer_free = no_timer_free,
    .timer_mod = no_timer_mod,
    .register_poll_fd = bound_buffer,
    .unregister_poll_fd = no_poll_fd,
    .notify = no_notify,
};

static Slirp *new_network(void)
{
    const SlirpConfig config = {
        .version = 4,
        .in_enabled = true,
        .vnetwork.s_addr = htonl(0x0a000200),
        .vnetmask.s_addr = htonl(0xffffff00),
        .vhost.s_addr = htonl(0x0a000202),
        .vnameserver.s_addr = htonl(0x0a000203),
        .vdhcp_start.s_addr = htonl(0x0a00020f),
        .vhostname = "w800",
    };
    return slirp_new(&config, &callbacks, NULL);
}

/* The board's signals are for its own threads. */
static int start_thread(void)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

static const char *const events[IMPAIR_EVENTS] = {
    [IMPAIR_LOST] = "lost",       [IMPAIR_CUT] = "cut off",    [IMPAIR_NO_ROOM] = "no room",
    [IMPAIR_DOUBLED] = "doubled", [IMPAIR_LATE] = "overtaken",
};

static void tell(enum impair_way way, enum impair_event event, const void *bytes, size_t length)
{
    tap_fault(way == IMPAIR_TO_BOARD, events[event], bytes, length);
}

void radio_faults_start(void)
{
    impair_start(&air);
    air.listener = tell;
}

bool radio_set_fault(const char *name, const char *value)
{
    pthread_mutex_lock(&air_lock);
    bool set = impair_set(&air, now_us(), name, value);
    pthread_mutex_unlock(&air_lock);
    wake();
    return set;
}

void radio_clear_faults(void)
{
    pthread_mutex_lock(&air_lock);
    impair_clear(&air, now_us());
    pthread_mutex_unlock(&air_lock);
    wake();
}

size_t radio_show_faults(char *rows, size_t size, const char *prefix)
{
    size_t length = 0;
    pthread_mutex_lock(&air_lock);
    for (size_t i = 0; i < IMPAIR_FAULTS; i++) {
        length += (size_t)snprintf(rows + length, size - length, "%s\"%s\",%s\r\n", prefix,
                                   impair_fault_name((enum impair_fault)i), air.values[i]);
    }
    for (size_t way = 0; way < IMPAIR_WAYS; way++) {
        const struct impair_lane *lane = &air.lanes[way];
        length += (size_t)snprintf(rows + length, size - length, "%s\"%s\",%u", prefix,
                                   way == IMPAIR_TO_BOARD ? "in" : "out", lane->passed);
        for (size_t event = 0; event < IMPAIR_EVENTS; event++) {
            length += (size_t)snprintf(rows + length, size - length, ",%u", lane->events[event]);
        }
        length += (size_t)snprintf(rows + length, size - length, "\r\n");
    }
    pthread_mutex_unlock(&air_lock);
    return length;
}

int radio_start(const struct hosts *hosts, bool open, void (*on_receive)(void))
{
    known_hosts = hosts;
    network_open = open;
    interrupt = on_receive;
    wake_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    slirp = new_network();
    if (wake_event < 0 || slirp == NULL || start_thread() != 0) {
        fprintf(stderr, "virtual network: cannot start: %s\n", strerror(errno));
        return -1;
    }
    running = true;
    return 0;
}

void radio_stop(void)
{
    if (!running) {
        return;
    }
    running = false;
    atomic_store(&stopping, true);
    wake();
    pthread_join(thread, NULL);
    slirp_cleanup(slirp);
    slirp = NULL;
    close(wake_event);
    wake_event = -1;
}

void radio_set_link(bool up)
{
    atomic_store(&link_up, up);
}

struct frame *radio_transmit_slot(void)
{
    return frame_ring_reserve(&to_air);
}

void radio_transmit(void)
{
    frame_ring_commit(&to_air);
    wake();
}

const struct frame *radio_received(void)
{
    return frame_ring_front(&to_board);
}

void radio_release(void)
{
    frame_ring_pop(&to_board);
}
