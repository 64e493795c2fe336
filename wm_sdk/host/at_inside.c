/*
 * What only a virtual board has: commands for tests that look inside or make the network a bad one.
 *
 * AT+SYSHEAP? shows the bytes that are free, the fewest that ever were, and the number of blocks. AT+SYSHEAP=<free>
 * takes the heap until hardly more than so many bytes are free, after it has given back what it took before.
 * AT+SYSHEAPBY? tells Mbed TLS's memory from everybody else's, which has bounds of its own: a row each of the bytes in
 * use and their peak. AT+SYSHEAPBY=0 starts these peaks anew.
 * AT+SYSHEAPFAIL=<n>[,<count>] lets the n-th allocation from now fail, and so many in all; 0 ends that.
 * AT+SYSHEAPFAIL? shows how many were asked for since, how many failed, and where the first of them was asked for.
 * AT+SYSCPU? shows what each task has executed on a simulated processor: instructions, calls, loads, stores, and the
 * most of its stack. AT+SYSCPU=0 begins these marks of the stacks anew. Without such a processor it answers ERROR.
 * AT+SYSSTAT? shows what w800_mqtt_at_get_statistics() tells of each link, in the order of its structure.
 * AT+SYSTASKS? shows the tasks and their priorities.
 * AT+SIMNET=<name>,<value>[,<value>] makes the network a bad one from now on, by the names and values of net/impair.h;
 * AT+SIMNET="none" ends all faults. AT+SIMNET? shows them and what became of the frames (net/radio.h).
 */
#include "at_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_handlers.h"
#include "at_values.h"
#include "atcmd.h"
#include "heap.h"
#include "kernel.h"
#include "net/radio.h"
#include "wm_heap.h"

#define FAULT_BYTES 32
#define PLACE_BYTES 64

static struct neighbours_sources sources;

void at_inside_start(const struct neighbours_sources *new_sources)
{
    sources = *new_sources;
}

/* The blocks that AT+SYSHEAP holds; each begins with the one that was taken before it. */
static void **taken;

static bool take_block(size_t size)
{
    void **block = wm_heap_caps_alloc(size, WM_HEAP_CAP_DEFAULT);
    if (block) {
        *block = taken;
        taken = block;
    }
    return block != NULL;
}

static void give_blocks_back(void)
{
    while (taken) {
        void **block = taken;
        taken = *block;
        wm_heap_caps_free(block);
    }
}

static int take_heap(size_t left)
{
    give_blocks_back();
    for (size_t size = wm_heap_get_free_size(); size >= sizeof *taken; size /= 2) {
        while (wm_heap_get_free_size() >= left + size && take_block(size)) {
        }
    }
    return WM_AT_RESULT_OK;
}

int at_heap(wm_at_type_e type, int argc, char **argv)
{
    if (type == AT_TYPE_EXEC && argc == 1) {
        return take_heap(strtoul(argv[0], NULL, 10));
    }
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    struct heap_figures heap = heap_get_figures();
    wm_atcmd_print_result("+SYSHEAP:%zu,%zu,%zu\r\n", heap.limit - heap.used, heap.limit - heap.peak, heap.blocks);
    return WM_AT_RESULT_OK;
}

static void show_share(const char *name, enum heap_owner owner)
{
    struct heap_share share = heap_get_share(owner);
    wm_atcmd_print_result("+SYSHEAPBY:\"%s\",%zu,%zu\r\n", name, share.used, share.peak);
}

int at_heap_by(wm_at_type_e type, int argc, char **argv)
{
    if (type == AT_TYPE_EXEC && argc == 1 && strcmp(argv[0], "0") == 0) {
        heap_reset_share_peaks();
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    show_share("mbedtls", HEAP_MBEDTLS);
    show_share("other", HEAP_OTHER);
    return WM_AT_RESULT_OK;
}

/* A place in the source as `file:line`, without the folders that differ between machines. */
static void place_of(const char *file, int line, char *to, size_t size)
{
    const char *name = file ? strrchr(file, '/') : NULL;
    snprintf(to, size, file ? "%s:%d" : "", name ? name + 1 : file, line);
}

int at_heap_fail(wm_at_type_e type, int argc, char **argv)
{
    char place[PLACE_BYTES];
    long nth, count = 1;
    if (type == AT_TYPE_QUERY) {
        struct heap_failures now = heap_get_failures();
        place_of(now.file, now.line, place, sizeof place);
        wm_atcmd_print_result("+SYSHEAPFAIL:%zu,%zu,\"%s\"\r\n", now.asked, now.failed, place);
        return WM_AT_RESULT_OK;
    }
    bool read = type == AT_TYPE_EXEC && (argc == 1 || (argc == 2 && number_of(argv[1], &count)));
    if (!read || !number_of(argv[0], &nth) || nth < 0 || count < 0) {
        return WM_AT_RESULT_FAIL;
    }
    heap_fail((struct heap_failing){.nth = (size_t)nth, .count = (size_t)count});
    return WM_AT_RESULT_OK;
}

int at_cpu(wm_at_type_e type, int argc, char **argv)
{
    bool begin_anew = type == AT_TYPE_EXEC && argc == 1 && strcmp(argv[0], "0") == 0;
    if (!sources.cpu_figures || (type != AT_TYPE_QUERY && !begin_anew)) {
        return WM_AT_RESULT_FAIL;
    }
    const char *rows = sources.cpu_figures(begin_anew);
    if (rows) {
        wm_atcmd_print_raw_data(rows, (int)strlen(rows));
    }
    return WM_AT_RESULT_OK;
}

int at_statistics(wm_at_type_e type, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    const char *rows = type == AT_TYPE_QUERY && sources.statistics ? sources.statistics() : NULL;
    if (!rows) {
        return WM_AT_RESULT_FAIL;
    }
    wm_atcmd_print_raw_data(rows, (int)strlen(rows));
    return WM_AT_RESULT_OK;
}

struct task_rows {
    char text[2048];
    size_t length;
};

static void add_task_row(const char *name, unsigned priority, void *context)
{
    struct task_rows *rows = context;
    size_t room = sizeof rows->text - rows->length;
    int added = snprintf(rows->text + rows->length, room, "+SYSTASKS:\"%s\",%u\r\n", name, priority);
    rows->length += (size_t)added < room ? (size_t)added : 0;
}

int at_tasks(wm_at_type_e type, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    struct task_rows rows = {.length = 0};
    kernel_for_each_task(add_task_row, &rows);
    wm_atcmd_print_raw_data(rows.text, (int)rows.length);
    return WM_AT_RESULT_OK;
}

static int show_faults(void)
{
    char rows[RADIO_FAULT_ROWS_BYTES];
    size_t length = radio_show_faults(rows, sizeof rows, "+SIMNET:");
    wm_atcmd_print_raw_data(rows, (int)length);
    return WM_AT_RESULT_OK;
}

static int end_faults(const char *name)
{
    if (strcmp(name, "none") != 0) {
        return WM_AT_RESULT_FAIL;
    }
    radio_clear_faults();
    return WM_AT_RESULT_OK;
}

int at_faults(wm_at_type_e type, int argc, char **argv)
{
    char name[FAULT_BYTES];
    char value[FAULT_BYTES];
    if (type == AT_TYPE_QUERY) {
        return show_faults();
    }
    if (type != AT_TYPE_EXEC || argc < 1 || argc > 3 || !text_of(argv[0], name, sizeof name)) {
        return WM_AT_RESULT_FAIL;
    }
    if (argc == 1) {
        return end_faults(name);
    }
    if (!text_of(argv[1], value, sizeof value)) {
        return WM_AT_RESULT_FAIL;
    }
    size_t length = strlen(value);
    if (argc == 3 && snprintf(value + length, sizeof value - length, ",%s", argv[2]) >= (int)(sizeof value - length)) {
        return WM_AT_RESULT_FAIL;
    }
    return radio_set_fault(name, value) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}
