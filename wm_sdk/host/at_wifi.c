/*
 * Wi-Fi: the one access point of the virtual network is joined and left.
 *
 * AT+CWJAP answers as soon as frames pass. The address comes behind the answer, as on the chip: a task of its own waits
 * for it, says `WIFI GOT IP` and ends. Leaving or joining anew counts up `wifi.round`, which ends an older task.
 */
#define _GNU_SOURCE
#define LOG_TAG "wifi"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "at_handlers.h"
#include "at_values.h"
#include "atcmd.h"
#include "settings.h"
#include "wm_log.h"
#include "wm_osal.h"
#include "wm_task_config.h"

#define TEXT_BYTES 65
#define COUNTRY_BYTES 4
#define HOSTNAME_BYTES 33
#define BOOT_TIMEOUT_MS 10000
#define JOIN_TIMEOUT_MS 15000
/* How long one wait lasts within that of a joining which may be given up. */
#define LOOK_MS 50
#define JOIN_TASK_STACK 2048
#define MODE_MAX 3
#define DHCP_MAX 3
#define CHANNEL_MAX 14
#define RECONNECT_SECONDS_MAX 7200
#define RECONNECT_COUNT_MAX 1000
#define RSSI_MIN (-100)
#define RSSI_MAX 40

/* The access point. */
#define AP_MAC "02:00:00:00:00:01"
#define AP_CHANNEL 6
#define AP_RSSI (-40)
#define AP_WPA2_PSK 3

enum wifi_state { WIFI_NEVER, WIFI_WITHOUT_ADDRESS, WIFI_JOINED, WIFI_JOINING, WIFI_LEFT };

static struct {
    /* AT+CWINIT. */
    long on;
    enum wifi_state state;
    unsigned round;
    uint32_t dhcp_delay_ms;
    struct {
        long fields;
        long rssi;
        long authentications;
    } scan;
} wifi = {.on = 1, .scan = {0x1ff, RSSI_MIN, 0xffff}};

static bool is_station(void)
{
    return wifi.on && (settings.wifi_mode & MODE_STATION);
}

static bool is_associated(void)
{
    return wifi.state == WIFI_WITHOUT_ADDRESS || wifi.state == WIFI_JOINED;
}

static void leave(void)
{
    if (is_associated()) {
        wifi.round++;
        net_link_down();
        wifi.state = WIFI_LEFT;
        atcmd_print("WIFI DISCONNECT\r\n");
    }
}

/* The address of one joining */

static bool is_current(void *round)
{
    return (unsigned)(uintptr_t)round == wifi.round;
}

static void wait_as_asked(void *round)
{
    uint32_t start = wm_os_internal_get_time_ms();
    while (is_current(round) && wm_os_internal_get_time_ms() - start < wifi.dhcp_delay_ms) {
        uint32_t left = wifi.dhcp_delay_ms - (wm_os_internal_get_time_ms() - start);
        wm_os_internal_time_delay_ms(left < LOOK_MS ? left : LOOK_MS);
    }
}

static void fetch_address(void *round)
{
    wait_as_asked(round);
    bool got = is_current(round) && net_await_address(JOIN_TIMEOUT_MS, is_current, round) == 0;
    if (is_current(round) && got) {
        wifi.state = WIFI_JOINED;
        atcmd_print("WIFI GOT IP\r\n");
        at_time_ask();
    } else if (is_current(round)) {
        leave();
    }
    wm_os_internal_task_del(NULL);
}

static void begin_to_fetch(void)
{
    wm_os_task_t task;
    if (wm_os_internal_task_create(&task, "wifi join", fetch_address, (void *)(uintptr_t)wifi.round, JOIN_TASK_STACK,
                                   WM_TASK_ATCMD_PRIO, 0) != WM_OS_STATUS_SUCCESS) {
        wm_log_error("no memory to wait for an address");
        leave();
    }
}

/* Within a command's answer. */
static void join(void)
{
    leave();
    wifi.round++;
    net_associate();
    wifi.state = WIFI_WITHOUT_ADDRESS;
    atcmd_print("WIFI CONNECTED\r\n");
    atcmd_after_answer(begin_to_fetch);
}

void at_wifi_boot(bool allowed, uint32_t dhcp_delay_ms)
{
    wifi.dhcp_delay_ms = dhcp_delay_ms;
    if (!allowed || !settings.joins_at_boot || !is_station()) {
        return;
    }
    if (net_link_up(BOOT_TIMEOUT_MS) == 0) {
        wifi.state = WIFI_JOINED;
    } else {
        wm_log_error("no address from the network");
        net_link_down();
        wifi.state = WIFI_LEFT;
    }
}

/* Joining */

int at_wifi_init(wm_at_type_e type, int argc, char **argv)
{
    int result = at_number("CWINIT", type, argc, argv, &wifi.on, 0, 1);
    if (!wifi.on) {
        leave();
    }
    return result;
}

int at_wifi_mode(wm_at_type_e type, int argc, char **argv)
{
    long auto_connect = 1;
    bool was_station = is_station();
    bool set = type == AT_TYPE_EXEC && argc == 2;
    if (set && (!number_of(argv[1], &auto_connect) || auto_connect < 0 || auto_connect > 1)) {
        return WM_AT_RESULT_FAIL;
    }
    int result = at_number("CWMODE", type, set ? 1 : argc, argv, &settings.wifi_mode, 0, MODE_MAX);
    if (type != AT_TYPE_EXEC || result != WM_AT_RESULT_OK) {
        return result;
    }
    if (!is_station()) {
        leave();
    } else if (!was_station && auto_connect) {
        join();
    }
    return settings_keep(SETTING_WIFI_MODE) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

static int show_access_point(void)
{
    char ssid[2 * SSID_BYTES + 3];
    if (is_associated()) {
        quote(settings.ssid, ssid, sizeof ssid);
        wm_atcmd_print_result("+CWJAP:%s,\"" AP_MAC "\",%d,%d,0,1,3,0,1\r\n", ssid, AP_CHANNEL, AP_RSSI);
    }
    return WM_AT_RESULT_OK;
}

int at_wifi_join(wm_at_type_e type, int argc, char **argv)
{
    char ssid[SSID_BYTES + 1];
    char password[TEXT_BYTES];
    if (type == AT_TYPE_QUERY) {
        return show_access_point();
    }
    if (type != AT_TYPE_EXEC || argc == 1 || !is_station()) {
        return WM_AT_RESULT_FAIL;
    }
    if (argc >= 2) {
        if (!text_of(argv[0], ssid, sizeof ssid) || !text_of(argv[1], password, sizeof password) || !ssid[0]) {
            return WM_AT_RESULT_FAIL;
        }
        memcpy(settings.ssid, ssid, sizeof ssid);
        if (!settings_keep(SETTING_SSID)) {
            return WM_AT_RESULT_FAIL;
        }
    }
    join();
    return WM_AT_RESULT_OK;
}

int at_wifi_leave(wm_at_type_e type, int argc, char **argv)
{
    (void)argv;
    if (!is_plain(type, argc)) {
        return WM_AT_RESULT_FAIL;
    }
    leave();
    return WM_AT_RESULT_OK;
}

int at_wifi_state(wm_at_type_e type, int argc, char **argv)
{
    char ssid[2 * SSID_BYTES + 3];
    (void)argc;
    (void)argv;
    if (type != AT_TYPE_QUERY) {
        return WM_AT_RESULT_FAIL;
    }
    quote(settings.ssid, ssid, sizeof ssid);
    wm_atcmd_print_result("+CWSTATE:%d,%s\r\n", wifi.state, ssid);
    return WM_AT_RESULT_OK;
}

int at_wifi_auto(wm_at_type_e type, int argc, char **argv)
{
    long joins = settings.joins_at_boot;
    int result = at_number("CWAUTOCONN", type, argc, argv, &joins, 0, 1);
    if (type != AT_TYPE_EXEC || result != WM_AT_RESULT_OK) {
        return result;
    }
    settings.joins_at_boot = joins;
    return settings_keep(SETTING_JOINS_AT_BOOT) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

int at_wifi_reconnect(wm_at_type_e type, int argc, char **argv)
{
    struct reconnect_settings wanted;
    if (type == AT_TYPE_QUERY) {
        wm_atcmd_print_result("+CWRECONNCFG:%ld,%ld\r\n", settings.reconnect.interval_seconds,
                              settings.reconnect.count);
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc != 2 || !number_of(argv[0], &wanted.interval_seconds) ||
        !number_of(argv[1], &wanted.count) || wanted.interval_seconds < 0 ||
        wanted.interval_seconds > RECONNECT_SECONDS_MAX || wanted.count < 0 || wanted.count > RECONNECT_COUNT_MAX) {
        return WM_AT_RESULT_FAIL;
    }
    settings.reconnect = wanted;
    return settings_keep(SETTING_RECONNECT) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

/* Looking around */

static bool is_wanted(int argc, char **argv)
{
    char text[TEXT_BYTES];
    long channel;
    if (argc > 0 && argv[0][0] && (!text_of(argv[0], text, sizeof text) || strcmp(text, settings.ssid) != 0)) {
        return false;
    }
    if (argc > 1 && argv[1][0] && (!text_of(argv[1], text, sizeof text) || strcasecmp(text, AP_MAC) != 0)) {
        return false;
    }
    bool any_channel = argc <= 2 || !argv[2][0];
    return (any_channel || (number_of(argv[2], &channel) && channel == AP_CHANNEL)) && AP_RSSI >= wifi.scan.rssi &&
           (wifi.scan.authentications >> AP_WPA2_PSK & 1);
}

int at_wifi_scan(wm_at_type_e type, int argc, char **argv)
{
    char ssid[2 * SSID_BYTES + 3];
    if (type != AT_TYPE_EXEC || !is_station()) {
        return WM_AT_RESULT_FAIL;
    }
    if (!is_wanted(argc, argv)) {
        return WM_AT_RESULT_OK;
    }
    quote(settings.ssid, ssid, sizeof ssid);
    /* In the order of AT+CWLAPOPT's bits; CCMP, 802.11 b/g and n, no WPS. */
    const char *fields[] = {"3", ssid, "-40", "\"" AP_MAC "\"", "6", "4", "4", "5", "0"};
    char row[AT_RESULT_BUFFER_SIZE] = "+CWLAP:";
    size_t length = strlen(row);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (wifi.scan.fields >> i & 1) {
            length += (size_t)snprintf(row + length, sizeof row - length, "%s,", fields[i]);
        }
    }
    row[length - 1] = '\0';
    wm_atcmd_print_result("%s\r\n", row);
    return WM_AT_RESULT_OK;
}

int at_wifi_scan_options(wm_at_type_e type, int argc, char **argv)
{
    long fields;
    long rssi = RSSI_MIN;
    long authentications = 0xffff;
    if (type != AT_TYPE_EXEC || argc < 1 || argc > 3 || !number_of(argv[0], &fields) || fields < 0 || fields > 0x1ff ||
        (argc > 1 && (!number_of(argv[1], &rssi) || rssi < RSSI_MIN || rssi > RSSI_MAX)) ||
        (argc > 2 && (!number_of(argv[2], &authentications) || authentications < 0 || authentications > 0xffff))) {
        return WM_AT_RESULT_FAIL;
    }
    wifi.scan.fields = fields;
    wifi.scan.rssi = rssi;
    wifi.scan.authentications = authentications;
    return WM_AT_RESULT_OK;
}

/* What the network is told, and what it is not */

int at_wifi_dhcp(wm_at_type_e type, int argc, char **argv)
{
    long on;
    long bits;
    if (type == AT_TYPE_QUERY) {
        wm_atcmd_print_result("+CWDHCP:%ld\r\n", settings.dhcp);
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc != 2 || !number_of(argv[0], &on) || !number_of(argv[1], &bits) || on < 0 ||
        on > 1 || bits < 0 || bits > DHCP_MAX) {
        return WM_AT_RESULT_FAIL;
    }
    settings.dhcp = on ? settings.dhcp | bits : settings.dhcp & ~bits;
    if (!(settings.dhcp & DHCP_STATION)) {
        /* Those that AT+CIPSTA has set; before it ever did, those that DHCP has given. */
        struct net_addresses now;
        net_get_addresses(&now);
        settings.addresses = settings.addresses.ip[0] ? settings.addresses : now;
    }
    net_set_addresses(settings.dhcp & DHCP_STATION ? NULL : &settings.addresses);
    return settings_keep(SETTING_DHCP) && settings_keep(SETTING_ADDRESSES) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

int at_wifi_hostname(wm_at_type_e type, int argc, char **argv)
{
    static char hostname[HOSTNAME_BYTES] = "w800";
    char wanted[HOSTNAME_BYTES];
    char shown[2 * HOSTNAME_BYTES + 3];
    if (type == AT_TYPE_QUERY) {
        quote(hostname, shown, sizeof shown);
        wm_atcmd_print_result("+CWHOSTNAME:%s\r\n", shown);
        return WM_AT_RESULT_OK;
    }
    if (type == AT_TYPE_EXEC && !is_station()) {
        return WM_AT_RESULT_PARSE_FAIL;
    }
    if (type != AT_TYPE_EXEC || argc != 1 || !text_of(argv[0], wanted, sizeof wanted) || !wanted[0]) {
        return WM_AT_RESULT_FAIL;
    }
    memcpy(hostname, wanted, sizeof hostname);
    net_set_hostname(hostname);
    return WM_AT_RESULT_OK;
}

int at_wifi_country(wm_at_type_e type, int argc, char **argv)
{
    static struct {
        char code[COUNTRY_BYTES];
        long first;
        long count;
    } country = {"CN", 1, 13};
    char code[COUNTRY_BYTES];
    long first;
    long count;
    if (type == AT_TYPE_QUERY) {
        wm_atcmd_print_result("+CWCOUNTRY:\"%s\",%ld,%ld\r\n", country.code, country.first, country.count);
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc != 3 || !text_of(argv[0], code, sizeof code) || !code[0] ||
        !number_of(argv[1], &first) || !number_of(argv[2], &count) || first < 1 || first > CHANNEL_MAX || count < 1 ||
        first + count - 1 > CHANNEL_MAX) {
        return WM_AT_RESULT_FAIL;
    }
    memcpy(country.code, code, sizeof country.code);
    country.first = first;
    country.count = count;
    return WM_AT_RESULT_OK;
}
