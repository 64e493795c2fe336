/*
 * The virtual board's network from a task's point of view, against servers on the host's loopback: addresses, names,
 * streams under the chip's memory limit, a lost link, and that nothing stays on the heap.
 *
 * Prints a line for each test and then how many passed.
 */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lwip/netdb.h"
#include "lwip/sockets.h"

#include "abi_check.h"
#include "heap.h"
#include "hosts.h"
#include "net.h"
#include "peer.h"
#include "wm_osal.h"
#include "wm_task_config.h"

#define STREAM_BYTES (1024 * 1024)
#define CHUNK_BYTES 1024
#define TASK_STACK 4096

static sem_t finished;
static int passed;
static int failed;
static bool current_ok;
static uint16_t echo_port;
static uint16_t silent_port;
static size_t heap_at_start;

static void require(bool holds, const char *what, int line)
{
    if (!holds) {
        printf("  line %d: %s (errno %d)\n", line, what, errno);
        current_ok = false;
    }
}

#define REQUIRE(condition) require((condition), #condition, __LINE__)

static uint32_t now(void)
{
    return wm_os_internal_get_time_ms();
}

static void close_socket(int s)
{
    if (s >= 0) {
        lwip_close(s);
    }
}

static int connect_to(const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_len = sizeof to, .sin_family = AF_INET, .sin_port = lwip_htons(port)};
    lwip_inet_pton(AF_INET, address, &to.sin_addr);
    int s = lwip_socket(AF_INET, SOCK_STREAM, 0);
    if (lwip_connect(s, (struct sockaddr *)&to, sizeof to) != 0) {
        close_socket(s);
        return -1;
    }
    return s;
}

static size_t heap_used(void)
{
    return heap_get_figures().used;
}

static void test_declarations_agree(void)
{
    REQUIRE(abi_check() == 0);
}

static void test_hosts_entries(void)
{
    static struct hosts hosts;
    static const uint8_t loopback[4] = {10, 0, 2, 2};
    REQUIRE(hosts_add(&hosts, false, "a.example=10.0.2.2") == NULL);
    REQUIRE(hosts_add(&hosts, false, "b=127.0.0.1@250ms") == NULL);
    REQUIRE(hosts_add(&hosts, false, "c=drop") == NULL);
    REQUIRE(hosts_add(&hosts, false, "d=10.0.2.99") == NULL);
    REQUIRE(hosts_find(&hosts, "A.EXAMPLE") == &hosts.entries[0]);
    REQUIRE(hosts.entries[1].delay_ms == 250);
    REQUIRE(memcmp(hosts.entries[1].address, loopback, sizeof loopback) == 0);
    REQUIRE(hosts.entries[2].dropped);
    static const char *const malformed[] = {
        "",           "a",          "=10.0.2.2",    "a=10.0.2",       "a=10.0.2.256", "a=010.0.2.2",     "a= 10.0.2.2",
        "a=1.2.3.4 ", "a=1.2.3.4@", "a=1.2.3.4@5s", "a=1.2.3.4@5msx", "a=dropped",    "a=10.0.2.2@-1ms", "a=1.2.3"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        REQUIRE(hosts_add(&hosts, true, malformed[i]) != NULL);
    }
}

static void test_hosts_outside_this_machine(void)
{
    static struct hosts hosts;
    static const struct {
        const char *entry;
        bool closed;
        bool open;
    } entries[] = {{"a=203.0.113.1", false, true}, {"a=203.0.113.1@5ms", false, true},
                   {"a=10.0.3.2", false, true},    {"a=127.0.0.2", false, false},
                   {"a=::1", false, false},        {"a=::1@5ms", false, false},
                   {"a=2001:db8::1", false, false}};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        REQUIRE((hosts_add(&hosts, false, entries[i].entry) == NULL) == entries[i].closed);
        REQUIRE((hosts_add(&hosts, true, entries[i].entry) == NULL) == entries[i].open);
    }
}

static void test_link_up(void)
{
    char text[16];
    uint32_t start = now();
    REQUIRE(net_link_up(2000) == 0);
    printf("  address after %u ms\n", now() - start);
    REQUIRE(strcmp(net_address(text, sizeof text), "10.0.2.15") == 0);
    heap_at_start = heap_used();
}

static uint64_t microseconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static void test_connect_and_round_trip(void)
{
    uint64_t start = microseconds();
    int s = connect_to("10.0.2.2", echo_port);
    uint64_t connected = microseconds();
    REQUIRE(s >= 0);
    int one = 1;
    REQUIRE(lwip_setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    char byte = 'x';
    for (int i = 0; i < 100; i++) {
        REQUIRE(lwip_send(s, &byte, 1, 0) == 1);
        REQUIRE(lwip_recv(s, &byte, 1, 0) == 1);
    }
    uint64_t done = microseconds();
    printf("  connected in %llu us, round trip %llu us\n", (unsigned long long)(connected - start),
           (unsigned long long)(done - connected) / 100);
    close_socket(s);
}

struct writer {
    int s;
    wm_os_sem_t *done;
    bool ok;
};

static uint8_t pattern(size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 10));
}

static void write_stream(void *argument)
{
    struct writer *writer = argument;
    uint8_t chunk[CHUNK_BYTES];
    writer->ok = true;
    for (size_t offset = 0; offset < STREAM_BYTES && writer->ok; offset += CHUNK_BYTES) {
        for (size_t i = 0; i < CHUNK_BYTES; i++) {
            chunk[i] = pattern(offset + i);
        }
        writer->ok = lwip_send(writer->s, chunk, sizeof chunk, 0) == (ssize_t)sizeof chunk;
    }
    lwip_socket_thread_cleanup();
    wm_os_internal_sem_release(writer->done);
    wm_os_internal_task_del(NULL);
}

/* The task runs below the test's: it goes on only while the test waits. */
static void start_task(const char *name, void (*entry)(void *), void *argument)
{
    wm_os_task_t task;
    REQUIRE(wm_os_internal_task_create(&task, name, entry, argument, TASK_STACK, WM_TASK_MQTT_CLIENT_PRIO, 0) == 0);
}

static bool read_stream(int s)
{
    uint8_t chunk[CHUNK_BYTES];
    size_t offset = 0;
    while (offset < STREAM_BYTES) {
        ssize_t length = lwip_recv(s, chunk, sizeof chunk, 0);
        if (length <= 0) {
            return false;
        }
        for (ssize_t i = 0; i < length; i++, offset++) {
            if (chunk[i] != pattern(offset)) {
                return false;
            }
        }
    }
    return true;
}

static void test_stream_both_ways(void)
{
    struct writer writer = {.s = connect_to("10.0.2.2", echo_port)};
    REQUIRE(writer.s >= 0);
    REQUIRE(wm_os_internal_sem_create(&writer.done, 0) == 0);
    uint64_t start = microseconds();
    start_task("writer", write_stream, &writer);
    REQUIRE(read_stream(writer.s));
    wm_os_internal_sem_acquire_ms(writer.done, WM_OS_WAIT_TIME_MAX);
    uint64_t took = microseconds() - start;
    REQUIRE(writer.ok);
    struct heap_figures heap = heap_get_figures();
    printf("  2 x %d KiB in %llu ms (%.1f MiB/s), heap peak %zu of %zu, refused %zu\n", STREAM_BYTES / 1024,
           (unsigned long long)took / 1000, 2.0 * STREAM_BYTES / 1.048576 / (double)took, heap.peak, heap.limit,
           heap.refused);
    REQUIRE(heap.refused == 0);
    close_socket(writer.s);
    wm_os_internal_sem_delete(writer.done);
}

static int look_up(const char *name, char *text, size_t length)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int result = lwip_getaddrinfo(name, "1883", &hints, &found);
    if (result == 0) {
        lwip_inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, (socklen_t)length);
        lwip_freeaddrinfo(found);
    }
    return result;
}

static void test_names(void)
{
    char text[16] = "";
    REQUIRE(look_up("broker.example", text, sizeof text) == 0);
    REQUIRE(strcmp(text, "10.0.2.2") == 0);

    uint32_t start = now();
    REQUIRE(look_up("slow.example", text, sizeof text) == 0);
    uint32_t slow = now() - start;
    REQUIRE(slow >= 300 && slow < 900);

    start = now();
    REQUIRE(look_up("unknown.example", text, sizeof text) != 0);
    uint32_t unknown = now() - start;
    REQUIRE(unknown < 100);

    start = now();
    REQUIRE(look_up("lost.example", text, sizeof text) != 0);
    uint32_t lost = now() - start;
    REQUIRE(lost > 2000);
    printf("  delayed %u ms, unknown %u ms, never answered %u ms\n", slow, unknown, lost);
}

static void test_refused_connection(void)
{
    uint32_t start = now();
    REQUIRE(connect_to("10.0.2.2", peer_closed_port()) == -1);
    REQUIRE(errno == ECONNRESET);
    printf("  refused after %u ms\n", now() - start);
}

static void shut_down_soon(void *argument)
{
    wm_os_internal_time_delay_ms(50);
    lwip_shutdown(*(int *)argument, SHUT_RDWR);
    lwip_socket_thread_cleanup();
    wm_os_internal_task_del(NULL);
}

static void test_shutdown_wakes_poll(void)
{
    int s = connect_to("10.0.2.2", silent_port);
    REQUIRE(s >= 0);
    struct pollfd wanted = {.fd = s, .events = POLLIN};
    REQUIRE(lwip_poll(&wanted, 1, 20) == 0);
    start_task("closer", shut_down_soon, &s);
    uint32_t start = now();
    REQUIRE(lwip_poll(&wanted, 1, 5000) == 1);
    REQUIRE(now() - start < 1000);
    char byte;
    ssize_t length = lwip_recv(s, &byte, 1, MSG_DONTWAIT);
    printf("  woke after %u ms, revents 0x%x, receive %d\n", now() - start, wanted.revents, (int)length);
    REQUIRE(length <= 0);
    close_socket(s);
}

static void test_time_out_of_receive(void)
{
    int s = connect_to("10.0.2.2", silent_port);
    struct timeval limit = {.tv_usec = 100000};
    REQUIRE(lwip_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    char byte;
    uint32_t start = now();
    REQUIRE(lwip_recv(s, &byte, 1, 0) == -1);
    REQUIRE(errno == EWOULDBLOCK);
    REQUIRE(now() - start >= 99 && now() - start < 300);
    close_socket(s);
}

static void test_lost_link(void)
{
    char text[16];
    int s = connect_to("10.0.2.2", silent_port);
    REQUIRE(s >= 0);
    net_link_down();
    REQUIRE(strcmp(net_address(text, sizeof text), "0.0.0.0") == 0);
    char byte;
    REQUIRE(lwip_recv(s, &byte, 1, 0) == -1);
    REQUIRE(errno == ECONNABORTED);
    close_socket(s);
    uint32_t start = now();
    REQUIRE(connect_to("10.0.2.2", echo_port) == -1);
    printf("  without a link connect fails after %u ms, errno %d\n", now() - start, errno);

    REQUIRE(net_link_up(2000) == 0);
    s = connect_to("10.0.2.2", echo_port);
    REQUIRE(s >= 0);
    REQUIRE(lwip_send(s, "y", 1, 0) == 1);
    REQUIRE(lwip_recv(s, &byte, 1, 0) == 1 && byte == 'y');
    close_socket(s);
}

static void use_a_socket(void *argument)
{
    int s = connect_to("10.0.2.2", echo_port);
    close_socket(s);
    lwip_socket_thread_cleanup();
    wm_os_internal_sem_release(argument);
    wm_os_internal_task_del(NULL);
}

static void test_many_tasks(void)
{
    wm_os_sem_t *done;
    REQUIRE(wm_os_internal_sem_create(&done, 0) == 0);
    for (int i = 0; i < 10; i++) {
        start_task("user", use_a_socket, done);
        wm_os_internal_sem_acquire_ms(done, WM_OS_WAIT_TIME_MAX);
    }
    wm_os_internal_time_delay_ms(10);
    wm_os_internal_sem_delete(done);
}

static wm_os_sem_t *time_came;
static uint32_t network_time;

static void on_time(uint32_t seconds, uint32_t microseconds_of_second)
{
    (void)microseconds_of_second;
    network_time = seconds;
    wm_os_internal_sem_release(time_came);
}

static void test_network_time(void)
{
    static const char *const servers[] = {"unlisted.example"};
    REQUIRE(wm_os_internal_sem_create(&time_came, 0) == 0);
    REQUIRE(net_sntp_start(servers, 1, on_time) == 0);
    REQUIRE(wm_os_internal_sem_acquire_ms(time_came, 2000) == 0);
    /* Not time(): that is the board's clock. */
    struct timespec host;
    clock_gettime(CLOCK_REALTIME, &host);
    int64_t difference = (int64_t)network_time - host.tv_sec;
    REQUIRE(difference >= -1 && difference <= 1);
    net_sntp_stop();
    wm_os_internal_sem_delete(time_came);
}

static void print_block(const char *file, int line, size_t size, void *context)
{
    (void)context;
    printf("  %zu bytes from %s:%d\n", size, file, line);
}

/* A connection that the board closed first stays on lwIP's books for 2 * TCP_MSL, here 4 s. */
static void test_nothing_stays_on_the_heap(void)
{
    uint32_t start = now();
    while (heap_used() != heap_at_start && now() - start < 8000) {
        wm_os_internal_time_delay_ms(50);
    }
    struct heap_figures heap = heap_get_figures();
    printf("  %zu bytes at the start, %zu at the end, peak %zu\n", heap_at_start, heap.used, heap.peak);
    REQUIRE(heap.used == heap_at_start);
    if (!current_ok) {
        heap_for_each_block(print_block, NULL);
    }
}

struct test {
    const char *name;
    void (*run)(void);
};

static const struct test tests[] = {
    {"our declarations agree with lwIP", test_declarations_agree},
    {"entries of the list of hosts", test_hosts_entries},
    {"hosts outside this machine", test_hosts_outside_this_machine},
    {"an address by DHCP", test_link_up},
    {"names come from the list only", test_names},
    {"connect and round trip", test_connect_and_round_trip},
    {"1 MiB each way at once", test_stream_both_ways},
    {"a refused connection", test_refused_connection},
    {"shutdown wakes poll in another task", test_shutdown_wakes_poll},
    {"SO_RCVTIMEO", test_time_out_of_receive},
    {"a lost link ends connections", test_lost_link},
    {"sockets in many tasks", test_many_tasks},
    {"network time", test_network_time},
    {"nothing stays on the heap", test_nothing_stays_on_the_heap},
};

static void run_tests(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        current_ok = true;
        tests[i].run();
        printf("%s: %s\n", current_ok ? "ok" : "FAILED", tests[i].name);
        fflush(stdout);
        passed += current_ok;
        failed += !current_ok;
    }
    sem_post(&finished);
    for (;;) {
        wm_os_internal_time_delay_ms(1000);
    }
}

/* 0 where all tests passed. Once per process, from a thread that is no task. */
int net_test(void);

int net_test(void)
{
    static const char *const names[] = {"broker.example=10.0.2.2", "slow.example=10.0.2.2@300ms", "lost.example=drop",
                                        "time.example=10.0.2.2"};
    const struct net_options options = {.hosts = names, .hosts_count = sizeof names / sizeof *names};
    wm_os_task_t task;

    sem_init(&finished, 0, 0);
    echo_port = peer_start_echo();
    silent_port = peer_start_silent();
    if (echo_port == 0 || silent_port == 0 || net_start(&options) != 0 ||
        wm_os_internal_task_create(&task, "test", run_tests, NULL, TASK_STACK, WM_TASK_ATCMD_PRIO, 0) != 0) {
        return 2;
    }
    sem_wait(&finished);
    net_stop();
    printf("network: %d passed, %d failed\n", passed, failed);
    return failed != 0;
}
