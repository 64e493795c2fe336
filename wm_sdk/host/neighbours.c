/*
 * The AT commands beside the library's own that the documents' examples use, in the documented forms, and some for
 * tests that look inside or make the network a bad one.
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
#define _GNU_SOURCE
#include "neighbours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "atcmd.h"
#include "heap.h"
#include "kernel.h"
#include "net/net.h"
#include "net/radio.h"
#include "rtc.h"
#include "wm_heap.h"
#include "wm_utils.h"

#define TEXT_BYTES 65
#define SNTP_SERVERS 3
#define SERVER_BYTES 65
#define FAULT_BYTES 32
#define PLACE_BYTES 64
#define JOIN_TIMEOUT_MS 15000
#define MODE_STATION 1
#define MODE_MAX 3
#define HOUR_SECONDS 3600
#define MINUTE_SECONDS 60
/* A time zone within these is in hours; beyond them it is hours and minutes as hhmm. */
#define ZONE_HOURS_MIN -12
#define ZONE_HOURS_MAX 14

static struct neighbours_sources sources;

/* A string parameter in either argv style, without quotes and escapes; false when it does not fit. */
static bool text_of(const char *parameter, char *to, size_t size)
{
    size_t length = strlen(parameter);
    bool quoted = length >= 2 && parameter[0] == '"' && parameter[length - 1] == '"';
    const char *from = parameter + (quoted ? 1 : 0);
    const char *end = parameter + length - (quoted ? 1 : 0);
    size_t written = 0;
    while (from < end && written + 1 < size) {
        from += quoted && *from == '\\' && from + 1 < end ? 1 : 0;
        to[written++] = *from++;
    }
    to[written] = '\0';
    return from == end;
}

static bool number_of(const char *parameter, long *number)
{
    char *end;
    *number = strtol(parameter, &end, 10);
    return end != parameter && *end == '\0';
}

/* A string as answers show it. */
static void quote(const char *text, char *to, size_t size)
{
    size_t written = 0;
    to[written++] = '"';
    for (; *text && written + 3 < size; text++) {
        if (*text == '"' || *text == '\\') {
            to[written++] = '\\';
        }
        to[written++] = *text;
    }
    to[written++] = '"';
    to[written] = '\0';
}

/* Basics */

static int at(wm_at_type_e type, int argc, char **argv)
{
    (void)argv;
    return type == AT_TYPE_EXEC && argc == 0 ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

static int at_echo_off(wm_at_type_e type, int argc, char **argv)
{
    atcmd_set_echo(false);
    return at(type, argc, argv);
}

static int at_echo_on(wm_at_type_e type, int argc, char **argv)
{
    atcmd_set_echo(true);
    return at(type, argc, argv);
}

static int at_version(wm_at_type_e type, int argc, char **argv)
{
    if (type == AT_TYPE_EXEC && argc == 0) {
        atcmd_print("AT version:2.x (virtual W800)\r\nSDK version:2.x\r\ncompile time:-\r\n");
    }
    return at(type, argc, argv);
}

static int at_restart(wm_at_type_e type, int argc, char **argv)
{
    if (at(type, argc, argv) != WM_AT_RESULT_OK) {
        return WM_AT_RESULT_FAIL;
    }
    atcmd_print("\r\nOK\r\n");
    wm_system_reboot();
    return WM_AT_RESULT_NULL;
}

WM_ATCMD_DEFINE("AT", at, NULL)
WM_ATCMD_DEFINE("ATE0", at_echo_off, NULL)
WM_ATCMD_DEFINE("ATE1", at_echo_on, NULL)
WM_ATCMD_DEFINE("AT+GMR", at_version, NULL)
WM_ATCMD_DEFINE("AT+RST", at_restart, NULL)

/* Wi-Fi */

static struct {
    long mode;
    char ssid[TEXT_BYTES];
    bool joined;
} wifi;

void neighbours_start(const struct neighbours_sources *new_sources)
{
    sources = *new_sources;
    wifi.mode = MODE_STATION;
    snprintf(wifi.ssid, sizeof wifi.ssid, "virtual");
}

void neighbours_set_joined(bool joined)
{
    wifi.joined = joined;
}

static int at_wifi_mode(wm_at_type_e type, int argc, char **argv)
{
    long mode;
    if (type == AT_TYPE_QUERY) {
        wm_atcmd_print_result("+CWMODE:%ld\r\n", wifi.mode);
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc < 1 || !number_of(argv[0], &mode) || mode < 0 || mode > MODE_MAX) {
        return WM_AT_RESULT_FAIL;
    }
    wifi.mode = mode;
    return WM_AT_RESULT_OK;
}

static void leave(void)
{
    if (wifi.joined) {
        net_link_down();
        wifi.joined = false;
        atcmd_print("WIFI DISCONNECT\r\n");
    }
}

static int join(void)
{
    leave();
    atcmd_print("WIFI CONNECTED\r\n");
    if (net_link_up(JOIN_TIMEOUT_MS) != 0) {
        net_link_down();
        return WM_AT_RESULT_FAIL;
    }
    wifi.joined = true;
    atcmd_print("WIFI GOT IP\r\n");
    return WM_AT_RESULT_OK;
}

static int show_access_point(void)
{
    char ssid[2 * TEXT_BYTES + 2];
    if (wifi.joined) {
        quote(wifi.ssid, ssid, sizeof ssid);
        wm_atcmd_print_result("+CWJAP:%s,\"02:00:00:00:00:01\",6,-40,0,1,3,0,1\r\n", ssid);
    }
    return WM_AT_RESULT_OK;
}

static int at_wifi_join(wm_at_type_e type, int argc, char **argv)
{
    char ssid[TEXT_BYTES];
    char password[TEXT_BYTES];
    if (type == AT_TYPE_QUERY) {
        return show_access_point();
    }
    if (type != AT_TYPE_EXEC || argc == 1) {
        return WM_AT_RESULT_FAIL;
    }
    if (argc >= 2) {
        if (!text_of(argv[0], ssid, sizeof ssid) || !text_of(argv[1], password, sizeof password) || !ssid[0]) {
            return WM_AT_RESULT_FAIL;
        }
        memcpy(wifi.ssid, ssid, sizeof ssid);
    }
    return join();
}

static int at_wifi_leave(wm_at_type_e type, int argc, char **argv)
{
    if (at(type, argc, argv) != WM_AT_RESULT_OK) {
        return WM_AT_RESULT_FAIL;
    }
    leave();
    return WM_AT_RESULT_OK;
}

WM_ATCMD_DEFINE("AT+CWMODE", at_wifi_mode, "AT+CWMODE=<mode>[,<auto_connect>]")
WM_ATCMD_DEFINE("AT+CWJAP", at_wifi_join, "AT+CWJAP=<ssid>,<pwd>")
WM_ATCMD_DEFINE("AT+CWQAP", at_wifi_leave, NULL)

/* Time */

static struct {
    bool enabled;
    long zone;
    size_t count;
    char servers[SNTP_SERVERS][SERVER_BYTES];
} sntp = {.count = SNTP_SERVERS, .servers = {"cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org"}};

static void time_arrived(uint32_t seconds, uint32_t microseconds)
{
    (void)microseconds;
    rtc_set(seconds);
}

static int show_sntp(void)
{
    char line[AT_RESULT_BUFFER_SIZE];
    char server[2 * SERVER_BYTES + 2];
    int length = snprintf(line, sizeof line, "+CIPSNTPCFG:%d,%ld", sntp.enabled, sntp.zone);
    for (size_t i = 0; i < sntp.count; i++) {
        quote(sntp.servers[i], server, sizeof server);
        length += snprintf(line + length, sizeof line - (size_t)length, ",%s", server);
    }
    atcmd_print(line);
    atcmd_print("\r\n");
    return WM_AT_RESULT_OK;
}

static int start_sntp(void)
{
    const char *servers[SNTP_SERVERS];
    for (size_t i = 0; i < sntp.count; i++) {
        servers[i] = sntp.servers[i];
    }
    net_sntp_stop();
    if (sntp.enabled && net_sntp_start(servers, sntp.count, time_arrived) != 0) {
        return WM_AT_RESULT_FAIL;
    }
    return WM_AT_RESULT_OK;
}

static bool zone_is_hours(long zone)
{
    return zone >= ZONE_HOURS_MIN && zone <= ZONE_HOURS_MAX;
}

static bool zone_is_valid(long zone)
{
    return zone_is_hours(zone) || (zone_is_hours(zone / 100) && labs(zone % 100) < 60);
}

static long zone_seconds(void)
{
    if (zone_is_hours(sntp.zone)) {
        return sntp.zone * HOUR_SECONDS;
    }
    return sntp.zone / 100 * HOUR_SECONDS + sntp.zone % 100 * MINUTE_SECONDS;
}

static int at_sntp(wm_at_type_e type, int argc, char **argv)
{
    long enable;
    long zone;
    if (type == AT_TYPE_QUERY) {
        return show_sntp();
    }
    if (type != AT_TYPE_EXEC || argc < 2 || argc > 2 + SNTP_SERVERS || !number_of(argv[0], &enable) ||
        !number_of(argv[1], &zone) || enable < 0 || enable > 1 || !zone_is_valid(zone)) {
        return WM_AT_RESULT_FAIL;
    }
    size_t servers = (size_t)(argc - 2);
    for (size_t i = 0; i < servers; i++) {
        if (!text_of(argv[2 + i], sntp.servers[i], SERVER_BYTES)) {
            return WM_AT_RESULT_FAIL;
        }
    }
    sntp.count = servers ? servers : sntp.count;
    sntp.enabled = enable == 1;
    sntp.zone = zone;
    return start_sntp();
}

static int at_sntp_time(wm_at_type_e type, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    char text[64];
    struct tm parts;
    time_t now = rtc_is_set() ? time(NULL) + zone_seconds() : 0;
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "+CIPSNTPTIME:%a %b %e %H:%M:%S %Y\r\n", &parts);
    atcmd_print(text);
    return WM_AT_RESULT_OK;
}

WM_ATCMD_DEFINE("AT+CIPSNTPCFG", at_sntp, "AT+CIPSNTPCFG=<enable>,<timezone>[,<SNTP server1>,...]")
WM_ATCMD_DEFINE("AT+CIPSNTPTIME", at_sntp_time, NULL)

/* For tests */

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

static int at_heap(wm_at_type_e type, int argc, char **argv)
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

static int at_heap_by(wm_at_type_e type, int argc, char **argv)
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

static int at_heap_fail(wm_at_type_e type, int argc, char **argv)
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

static int at_cpu(wm_at_type_e type, int argc, char **argv)
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

static int at_statistics(wm_at_type_e type, int argc, char **argv)
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

static int at_tasks(wm_at_type_e type, int argc, char **argv)
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

static int at_faults(wm_at_type_e type, int argc, char **argv)
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

WM_ATCMD_DEFINE("AT+SYSHEAP", at_heap, NULL)
WM_ATCMD_DEFINE("AT+SYSHEAPBY", at_heap_by, NULL)
WM_ATCMD_DEFINE("AT+SYSHEAPFAIL", at_heap_fail, NULL)
WM_ATCMD_DEFINE("AT+SYSCPU", at_cpu, NULL)
WM_ATCMD_DEFINE("AT+SYSSTAT", at_statistics, NULL)
WM_ATCMD_DEFINE("AT+SYSTASKS", at_tasks, NULL)
WM_ATCMD_DEFINE("AT+SIMNET", at_faults, "AT+SIMNET=<name>,<value>[,<value>]")
