/* Boot, restart and end of the virtual board; see board.h. */
#define _GNU_SOURCE
#define LOG_TAG "board"
#include "board.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "net/net.h"
#include "nvs.h"
#include "nvs_file.h"
#include "osal_time.h"
#include "rtc.h"
#include "tap.h"
#include "wm_task_config.h"
#include "wm_utils.h"

#define ARGUMENTS_MAX 256

static struct {
    struct board_options options;
    pthread_t first_thread;
    /* The signals that were blocked before the board was started. */
    sigset_t blocked_before;
    int status;
} board;

static void end_program(int status)
{
    board.status = status;
    pthread_kill(board.first_thread, SIGTERM);
}

static void input_ended(void)
{
    uart_drain();
    end_program(EXIT_SUCCESS);
}

/* The SDK's main task: network first, then the AT server, whose "ready" tells the host that commands work. */
static void boot(void *unused)
{
    (void)unused;
    struct net_options net = {
        .open = board.options.net_open,
        .hosts = board.options.hosts,
        .hosts_count = board.options.hosts_count,
        .faults = board.options.faults,
        .faults_count = board.options.faults_count,
        .time_server_port = board.options.time_server_port,
        .stack = board.options.stack,
    };
    if (net_start(&net) != 0) {
        end_program(EXIT_FAILURE);
        wm_os_internal_task_del(NULL);
    }
    struct neighbours_options neighbours = {
        .wifi = !board.options.wifi_off,
        .dhcp_delay_ms = board.options.dhcp_delay_ms,
    };
    neighbours_boot(&neighbours, &board.options.sources);
    if (board.options.product) {
        board.options.product();
    }
    if (wm_atcmd_init() != WM_ERR_SUCCESS || atcmd_init_uart(board.options.register_device) != WM_ERR_SUCCESS) {
        end_program(EXIT_FAILURE);
    }
    wm_os_internal_task_del(NULL);
}

static sigset_t stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

static void configure(const struct board_options *options)
{
    struct atcmd_options atcmd = {
        .argv_style = options->argv_style,
        .wait_while_busy = options->uart.stdio,
        .at_end = input_ended,
    };
    board.options = *options;
    board.first_thread = pthread_self();
    wm_log_set_level(options->log_level);
    heap_set_limit(options->heap_limit);
    heap_fail(options->heap_failing);
    time_start(options->uptime_ms);
    kernel_preempt(options->preempt_seed);
    if (options->rtc >= 0) {
        rtc_set(options->rtc);
    }
    atcmd_configure(&atcmd);
}

int board_start(const struct board_options *options, size_t size)
{
    if (size != sizeof *options) {
        fprintf(stderr, "w800-sim: it was built for another version of the board\n");
        return -1;
    }
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, &board.blocked_before);
    signal(SIGPIPE, SIG_IGN);
    configure(options);
    if (!credentials_load(&options->credentials) || !nvs_start(options->nvs) || !uart_open(&options->uart)) {
        return -1;
    }
    timers_start();
    if (wm_os_internal_task_create(NULL, "main", boot, NULL, WM_TASK_MAIN_STACK, WM_TASK_MAIN_PRIO, 0) !=
        WM_OS_STATUS_SUCCESS) {
        fprintf(stderr, "w800-sim: the heap is too small to boot\n");
        return -1;
    }
    return 0;
}

int board_wait(void)
{
    sigset_t signals = stop_signals();
    int signal_number;
    sigwait(&signals, &signal_number);
    return board.status;
}

void board_stop(void)
{
    net_stop();
    uart_close();
}

/* The restart executes the program anew with the same options, on the same line. */
static char **own_arguments(void)
{
    static char text[64 * 1024];
    static char *arguments[ARGUMENTS_MAX + 1];
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    size_t count = 0;
    for (ssize_t at = 0; at < length && count < ARGUMENTS_MAX; at += (ssize_t)strlen(text + at) + 1) {
        arguments[count++] = text + at;
    }
    close(file);
    return arguments;
}

void wm_system_reboot(void)
{
    uart_drain();
    char **arguments = own_arguments();
    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    tap_restart();
    uart_keep_over_exec();
    nvs_file_keep_over_exec();
    /* Over an exec the mask stays, and a program that waits for a file then could not be ended. */
    pthread_sigmask(SIG_SETMASK, &board.blocked_before, NULL);
    execv("/proc/self/exe", arguments);
    perror("w800-sim: restart");
    abort();
}
