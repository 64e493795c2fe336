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
#include <time.h>
#include <unistd.h>

#include <slirp/libslirp.h>

#include "tap.h"
#include "virtual_servers.h"

#define POLL_CAPACITY 256
#define HELD_CAPACITY 16
#define NANOSECONDS_PER_MS 1000000

/* An answer of a virtual server that is not due yet. */
struct held_frame {
    bool used;
    int64_t due_ms;
    struct frame frame;
};

static struct frame_ring to_air;
static struct frame_ring to_board;
static _Atomic bool link_up;
static _Atomic bool stopping;
static int wake_event = -1;
static pthread_t thread;
static bool running;
static Slirp *slirp;
static const struct hosts *known_hosts;
static void (*interrupt)(void);

/* Below: the radio's thread only. */
static struct pollfd poll_set[POLL_CAPACITY];
static nfds_t poll_count;
static struct held_frame held[HELD_CAPACITY];
static bool received_any;

static int64_t now_ns(void *opaque)
{
    (void)opaque;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NANOSECONDS_PER_MS + now.tv_nsec;
}

static int64_t now_ms(void)
{
    return now_ns(NULL) / NANOSECONDS_PER_MS;
}

static void wake(void)
{
    uint64_t one = 1;
    ssize_t written = write(wake_event, &one, sizeof one);
    (void)written; /* A full counter wakes as well. */
}

/* Frames to the board. One that finds no room is lost, as in the air. */
static ssize_t deliver(const void *bytes, size_t length, void *opaque)
{
    (void)opaque;
    struct frame *slot = frame_ring_reserve(&to_board);
    if (slot != NULL && length <= sizeof slot->bytes && atomic_load(&link_up)) {
        memcpy(slot->bytes, bytes, length);
        slot->length = length;
        tap_frame(true, bytes, length);
        frame_ring_commit(&to_board);
        received_any = true;
    }
    return (ssize_t)length;
}

static void hold(const struct frame *frame, uint32_t delay_ms)
{
    for (size_t i = 0; i < HELD_CAPACITY; i++) {
        if (!held[i].used) {
            held[i] = (struct held_frame){.used = true, .due_ms = now_ms() + delay_ms, .frame = *frame};
            return;
        }
    }
}

static void deliver_due(void)
{
    for (size_t i = 0; i < HELD_CAPACITY; i++) {
        if (held[i].used && held[i].due_ms <= now_ms()) {
            held[i].used = false;
            deliver(held[i].frame.bytes, held[i].frame.length, NULL);
        }
    }
}

static uint32_t limit_to_held(uint32_t timeout)
{
    for (size_t i = 0; i < HELD_CAPACITY; i++) {
        if (held[i].used) {
            int64_t left = held[i].due_ms - now_ms();
            left = left < 0 ? 0 : left;
            timeout = left < timeout ? (uint32_t)left : timeout;
        }
    }
    return timeout;
}

/* Frames from the board. */
static void carry(const struct frame *frame)
{
    static struct frame answer;
    uint32_t delay_ms;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tap_frame(false, frame->bytes, frame->length);
    switch (virtual_servers_judge(known_hosts, now, frame, &answer, &delay_ms)) {
    case VERDICT_PASS:
        slirp_input(slirp, frame->bytes, (int)frame->length);
        break;
    case VERDICT_ANSWER:
        if (delay_ms == 0) {
            deliver(answer.bytes, answer.length, NULL);
        } else {
            hold(&answer, delay_ms);
        }
        break;
    case VERDICT_DROP:
        break;
    }
}

static void carry_all(void)
{
    const struct frame *frame;
    while ((frame = frame_ring_front(&to_air)) != NULL) {
        if (atomic_load(&link_up)) {
            carry(frame);
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
    timeout = limit_to_held(timeout);

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
        carry_all();
        deliver_due();
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
    .register_poll_fd = no_poll_fd,
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

int radio_start(const struct hosts *hosts, void (*on_receive)(void))
{
    known_hosts = hosts;
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
