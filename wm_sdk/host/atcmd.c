/*
 * The AT server: a receive task that cuts the byte stream into lines or data, and a processing task that runs the
 * commands, as in the SDK.
 *
 * What hosts may rely on, and why it is built so:
 * - Every print call is one uninterrupted piece of output: all go through one mutex.
 * - A line that completes while a command runs is dropped. Its "busy ...", where the kind of server has one, is printed
 *   with the end of that command's answer, in the same piece, so that it can cut neither the answer nor an unsolicited
 *   line.
 * - After it has handed over a line the receive task yields: a command that does not block is done before the next
 *   line is looked at, however fast lines arrive.
 * - In a data phase the receive task waits until the handler has taken a chunk, so a slow taker slows the line down.
 *   What the handler did not take because it ended the phase is read as command lines again.
 */
#include "atcmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "wm_task_config.h"

#define LOG_TAG "atcmd"
#include "wm_log.h"

#define RECV_TASK_STACK 2048
#define QUEUE_LENGTH 8
#define CHUNK_BYTES 512
#define EXIT_CODE "+++"
#define EXIT_CODE_BYTES 3
#define EXIT_CODE_SILENCE_MS 20

extern const struct wm_atcmd_item wm_at_table_start[];
extern const struct wm_atcmd_item wm_at_table_end[];

enum message_kind { MESSAGE_LINE, MESSAGE_UNREADABLE, MESSAGE_DATA, MESSAGE_DATA_END };

struct message {
    enum message_kind kind;
    wm_atcmd_exit_passthrough_reason_e reason;
};

/* A data phase. `on` and `telling` are changed inside the critical section only. */
struct data_phase {
    bool on;
    /* Over, but its owner has not been told yet. */
    bool telling;
    wm_atcmd_tx_passthrough take;
    wm_atcmd_tx_passthrough_exit_notify ended;
    void *priv;
    uint32_t idle_ms;
};

static struct {
    struct atcmd_options options;
    const struct at_rules *rules;
    wm_dev_ops_t device;
    wm_os_task_t recv_task;
    wm_os_task_t proc_task;
    wm_os_queue_t *messages;
    wm_os_sem_t *data_taken;
    wm_os_sem_t *device_ready;
    wm_os_sem_t *became_idle;
    wm_os_mutex_t *output;
    wm_os_timer_t *idle_timer;
    struct data_phase data;
    /* Messages that are not finished; a line that completes meanwhile is dropped. */
    unsigned pending;
    unsigned dropped;
    bool echo;
    void (*after_answer)(void);
    /* The line being received; `length` counts what a full buffer could not keep. */
    char input[AT_CMD_RECV_BUFF_LEN];
    size_t length;
    /* The line being processed, without its line end. */
    char line[AT_CMD_RECV_BUFF_LEN + 1];
    size_t line_length;
    /* The chunk being processed, and how much of it the handler took. */
    char chunk[CHUNK_BYTES];
    int chunk_length;
    int chunk_taken;
    /* The beginning of what may become the exit code. */
    char held[EXIT_CODE_BYTES];
    int held_length;
} server;

/* The commands. */
static const struct wm_atcmd_item *table_first = wm_at_table_start;
static const struct wm_atcmd_item *table_end = wm_at_table_end;

void atcmd_configure(const struct atcmd_options *options)
{
    server.options = *options;
    server.rules = at_rules_of(options->argv_style);
}

void atcmd_set_table(const struct wm_atcmd_item *first, const struct wm_atcmd_item *end)
{
    table_first = first;
    table_end = end;
}

/* Output */

static void print_piece(const void *data, int length)
{
    if (length <= 0 || !server.device.atcmd_send) {
        return;
    }
    wm_os_internal_mutex_acquire(server.output, WM_OS_WAIT_TIME_MAX);
    server.device.atcmd_send(data, length);
    wm_os_internal_mutex_release(server.output);
}

void wm_atcmd_print_raw_data(const void *data, int len)
{
    print_piece(data, len);
}

void wm_atcmd_print_result(char *format, ...)
{
    char text[AT_RESULT_BUFFER_SIZE];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_piece(text, length < (int)sizeof text ? length : (int)sizeof text - 1);
}

void atcmd_print(const char *text)
{
    print_piece(text, (int)strlen(text));
}

static const char *result_text(int result)
{
    switch (result) {
    case WM_AT_RESULT_OK:
        return "\r\nOK\r\n";
    case WM_AT_RESULT_NULL:
        return "";
    case WM_AT_RESULT_CMD_ERR:
        return "\r\nCMD FORMAT ERR\r\n";
    case WM_AT_RESULT_PARSE_FAIL:
        return "\r\nCMD PARSE ERR\r\n";
    default:
        return "\r\nERROR\r\n";
    }
}

static bool is_busy(void)
{
    return server.pending > 0;
}

static void tell_dropped(unsigned count)
{
    int length = (int)strlen(server.rules->dropped);
    while (length > 0 && count-- > 0) {
        server.device.atcmd_send(server.rules->dropped, length);
    }
}

/*
 * The end of a message: its result, and what was dropped while it ran unless the answer goes on as a data phase.
 * The server is free for the next line before the result is sent: a host may answer "OK" faster than this task returns.
 */
static void finish(int result)
{
    const char *text = result_text(result);
    void (*step)(void) = server.after_answer;
    server.after_answer = NULL;
    wm_os_internal_mutex_acquire(server.output, WM_OS_WAIT_TIME_MAX);
    wm_os_internal_set_critical();
    server.pending--;
    bool complete = !server.data.on && !server.data.telling;
    unsigned busy = complete ? server.dropped : 0;
    server.dropped -= busy;
    wm_os_internal_release_critical();
    if (*text) {
        server.device.atcmd_send(text, (int)strlen(text));
    }
    tell_dropped(busy);
    wm_os_internal_mutex_release(server.output);
    if (step) {
        step();
    }
    if (!is_busy()) {
        wm_os_internal_sem_release(server.became_idle);
    }
}

void atcmd_after_answer(void (*step)(void))
{
    server.after_answer = step;
}

/* Messages to the processing task */

static void post(enum message_kind kind, wm_atcmd_exit_passthrough_reason_e reason)
{
    struct message message = {.kind = kind, .reason = reason};
    wm_os_internal_set_critical();
    server.pending++;
    wm_os_internal_release_critical();
    if (wm_os_internal_queue_send_ex(server.messages, &message) != WM_OS_STATUS_SUCCESS) {
        kernel_panic("the AT server's queue is full");
    }
}

static void wait_until_idle(void)
{
    while (is_busy()) {
        wm_os_internal_sem_acquire(server.became_idle, WM_OS_WAIT_TIME_MAX);
    }
}

/* The server is free for a line before the end of the answer is out: whoever prints now gets that out first. */
static void wait_until_printed(void)
{
    wait_until_idle();
    wm_os_internal_mutex_acquire(server.output, WM_OS_WAIT_TIME_MAX);
    wm_os_internal_mutex_release(server.output);
}

/* The data phase */

static void restart_idle_timer(void)
{
    if (server.data.idle_ms != 0 && server.data.idle_ms != WM_OS_WAIT_TIME_MAX) {
        wm_os_internal_timer_change_ms(server.idle_timer, server.data.idle_ms);
    }
}

static void idle_too_long(wm_os_timer_t *timer, void *unused)
{
    (void)timer;
    (void)unused;
    wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_TIMEOUT);
}

int wm_atcmd_enter_passthrough(wm_atcmd_tx_passthrough pt_tx_handle, wm_atcmd_tx_passthrough_exit_notify pt_exit_notify,
                               void *priv, uint32_t timeout)
{
    if (!pt_tx_handle) {
        return WM_ERR_INVALID_PARAM;
    }
    wm_os_internal_set_critical();
    bool free = !server.data.on && !server.data.telling;
    if (free) {
        server.data = (struct data_phase){
            .on = true, .take = pt_tx_handle, .ended = pt_exit_notify, .priv = priv, .idle_ms = timeout};
    }
    wm_os_internal_release_critical();
    if (!free) {
        return WM_ERR_BUSY;
    }
    restart_idle_timer();
    return WM_ERR_SUCCESS;
}

static void tell_data_end(wm_atcmd_exit_passthrough_reason_e reason)
{
    if (server.data.ended) {
        server.data.ended(reason, server.data.priv);
    }
    server.data.telling = false;
}

void wm_atcmd_exit_passthrough(wm_atcmd_exit_passthrough_reason_e reason)
{
    wm_os_internal_set_critical();
    bool was_on = server.data.on;
    server.data.on = false;
    server.data.telling = server.data.telling || was_on;
    wm_os_internal_release_critical();
    if (!was_on) {
        return;
    }
    wm_os_internal_timer_stop(server.idle_timer);
    if (wm_os_internal_task_id() == server.proc_task) {
        tell_data_end(reason);
    } else {
        post(MESSAGE_DATA_END, reason);
    }
}

static void take_chunk(void)
{
    server.chunk_taken = 0;
    if (!server.data.on) {
        return;
    }
    wm_os_internal_timer_stop(server.idle_timer);
    int taken = server.data.take(server.chunk, server.chunk_length, server.data.priv);
    if (taken < 0) {
        wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_USER_ACTIVE);
    }
    /* While the phase goes on a chunk counts as taken whatever the handler says: there is nobody else to have it. */
    bool partly = !server.data.on && taken >= 0 && taken < server.chunk_length;
    server.chunk_taken = partly ? taken : server.chunk_length;
    if (server.data.on) {
        restart_idle_timer();
    }
}

/* Commands */

static const struct wm_atcmd_item *find_command(const char *name)
{
    for (const struct wm_atcmd_item *item = table_first; item < table_end; item++) {
        if (item->cmd_name && strcmp(item->cmd_name, name) == 0) {
            return item;
        }
    }
    return NULL;
}

#if CONFIG_WM_ATCMD_USAGE_ENABLE
static int print_usage(const char *usage)
{
    wm_atcmd_print_raw_data(usage, (int)strlen(usage));
    wm_atcmd_print_raw_data("\r\n", 2);
    return WM_AT_RESULT_OK;
}
#endif

static int run_line(void)
{
    struct at_line line;
    if (server.echo) {
        server.line[server.line_length] = '\r';
        server.line[server.line_length + 1] = '\n';
        print_piece(server.line, (int)server.line_length + 2);
        server.line[server.line_length] = '\0';
    }
    wm_at_result_e read = at_line_read(server.line, server.line_length, server.rules, &line);
    if (read == WM_AT_RESULT_CMD_ERR) {
        return read;
    }
    const struct wm_atcmd_item *command = find_command(line.name);
    if (!command) {
        return WM_AT_RESULT_CMD_ERR;
    }
    if (read != WM_AT_RESULT_OK) {
        return read;
    }
#if CONFIG_WM_ATCMD_USAGE_ENABLE
    if (line.type == AT_TYPE_TEST && command->cmd_usg) {
        return print_usage(command->cmd_usg);
    }
#endif
    return command->cmd_handle(line.type, line.argc, line.argv);
}

static void process(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_LINE:
        finish(run_line());
        break;
    case MESSAGE_UNREADABLE:
        finish(WM_AT_RESULT_PARSE_FAIL);
        break;
    case MESSAGE_DATA:
        take_chunk();
        finish(WM_AT_RESULT_NULL);
        wm_os_internal_sem_release(server.data_taken);
        break;
    case MESSAGE_DATA_END:
        tell_data_end(message->reason);
        finish(WM_AT_RESULT_NULL);
        break;
    }
}

static void run_processing(void *unused)
{
    (void)unused;
    union {
        struct message message;
        void *any;
    } next;
    for (;;) {
        wm_os_internal_queue_receive(server.messages, &next.any, WM_OS_WAIT_TIME_MAX);
        process(&next.message);
    }
}

/* Reception: lines */

static void hand_over_line(void)
{
    bool too_long = server.length > server.rules->bytes_max;
    size_t length = too_long ? 0 : server.length - 1;
    if (length > 0 && server.input[length - 1] == '\r') {
        length--;
    }
    server.length = 0;
    if (length == 0 && !too_long) {
        return;
    }
    /* The end of a data phase is part of an answer that its host may already have seen in full. */
    if (server.options.wait_while_busy || server.data.telling) {
        wait_until_idle();
    }
    wm_os_internal_set_critical();
    bool busy = is_busy();
    server.dropped += busy ? 1 : 0;
    wm_os_internal_release_critical();
    if (busy) {
        return;
    }
    memcpy(server.line, server.input, length);
    server.line[length] = '\0';
    server.line_length = length;
    post(too_long ? MESSAGE_UNREADABLE : MESSAGE_LINE, 0);
    wm_os_internal_task_yield();
    if (server.options.wait_while_busy) {
        wait_until_printed();
    }
}

/* Returns how many bytes it used: up to the end of one line, since what follows may be data. */
static int receive_line(const char *bytes, int count)
{
    for (int used = 0; used < count; used++) {
        if (server.length < sizeof server.input) {
            server.input[server.length] = bytes[used];
        }
        server.length++;
        if (bytes[used] == '\n') {
            hand_over_line();
            return used + 1;
        }
    }
    return count;
}

/* Reception: data */

/* Returns how many bytes the phase took; fewer than `count` when it ended. */
static int pass_on(const char *bytes, int count)
{
    server.chunk_length = count < CHUNK_BYTES ? count : CHUNK_BYTES;
    memcpy(server.chunk, bytes, (size_t)server.chunk_length);
    post(MESSAGE_DATA, 0);
    wm_os_internal_sem_acquire(server.data_taken, WM_OS_WAIT_TIME_MAX);
    return server.chunk_taken;
}

static void receive(const char *bytes, int count)
{
    while (count > 0) {
        int used = server.data.on ? pass_on(bytes, count) : receive_line(bytes, count);
        bytes += used;
        count -= used;
    }
}

static void release_held(void)
{
    char held[EXIT_CODE_BYTES];
    int length = server.held_length;
    memcpy(held, server.held, sizeof held);
    server.held_length = 0;
    receive(held, length);
}

/* Whether the bytes may be the exit code, or a part of it that came after silence: then they are held back. */
static bool hold_back(const char *bytes, int count, bool after_silence)
{
    if (!server.data.on || (server.held_length == 0 && !after_silence) ||
        server.held_length + count > EXIT_CODE_BYTES || memcmp(bytes, EXIT_CODE, (size_t)count) != 0) {
        return false;
    }
    memcpy(server.held + server.held_length, bytes, (size_t)count);
    server.held_length += count;
    return true;
}

static void silence_after_held(void)
{
    if (server.data.on && server.held_length == EXIT_CODE_BYTES) {
        server.held_length = 0;
        wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_RECV_EXIT_CODE);
        wm_os_internal_task_yield();
    } else {
        release_held();
    }
}

static void device_ended(void)
{
    release_held();
    wait_until_idle();
    wm_atcmd_exit_passthrough(WM_ATCMD_EXIT_REASON_TIMEOUT);
    wait_until_printed();
    if (server.options.at_end) {
        server.options.at_end();
    }
    wm_os_internal_task_del(NULL);
}

/*
 * Silence is what this task has waited for input itself: bytes that piled up while it was busy have none before them,
 * so that data which happens to be cut into a piece `+++` is never taken for the exit code.
 */
static void run_reception(void *unused)
{
    (void)unused;
    char bytes[CHUNK_BYTES];
    wm_os_internal_sem_acquire(server.device_ready, WM_OS_WAIT_TIME_MAX);
    for (;;) {
        int count = sizeof bytes;
        uint32_t waiting_since = wm_os_internal_get_time_ms();
        int got =
            server.device.atcmd_recv(bytes, &count, server.held_length ? EXIT_CODE_SILENCE_MS : AT_WAITING_FOREVER);
        bool after_silence = wm_os_internal_get_time_ms() - waiting_since >= EXIT_CODE_SILENCE_MS;
        if (got == ATCMD_RECV_END) {
            device_ended();
        } else if (got == 0) {
            silence_after_held();
        } else if (!hold_back(bytes, got, after_silence)) {
            release_held();
            receive(bytes, got);
        }
    }
}

/* Start */

static bool create_objects(void)
{
    return wm_os_internal_queue_create_ex(&server.messages, sizeof(struct message), QUEUE_LENGTH) == 0 &&
           wm_os_internal_sem_create(&server.data_taken, 0) == 0 &&
           wm_os_internal_sem_create(&server.device_ready, 0) == 0 &&
           wm_os_internal_sem_create(&server.became_idle, 0) == 0 && wm_os_internal_mutex_create(&server.output) == 0 &&
           wm_os_internal_timer_create_ms(&server.idle_timer, idle_too_long, NULL, 1, false, "at idle") == 0;
}

int wm_atcmd_init(void)
{
    if (!create_objects() ||
        wm_os_internal_task_create(&server.proc_task, "at proc", run_processing, NULL, WM_TASK_ATCMD_STACK,
                                   WM_TASK_ATCMD_PRIO, 0) != WM_OS_STATUS_SUCCESS ||
        wm_os_internal_task_create(&server.recv_task, "at recv", run_reception, NULL, RECV_TASK_STACK,
                                   WM_TASK_ATCMD_PRIO, 0) != WM_OS_STATUS_SUCCESS) {
        wm_log_error("no memory for the AT server");
        return WM_ERR_NO_MEM;
    }
    return WM_ERR_SUCCESS;
}

int wm_atcmd_dev_register(wm_atcmd_dev_type_e dev_type, wm_dev_ops_t ops)
{
    (void)dev_type;
    server.device = ops;
    wm_os_internal_sem_release(server.device_ready);
    return WM_ERR_SUCCESS;
}

void atcmd_set_echo(bool on)
{
    server.echo = on;
}
