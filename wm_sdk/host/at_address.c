/* Addresses, names and echo requests; and the server's own sockets, which this board has not. */
#include <stdio.h>
#include <string.h>

#include "at_handlers.h"
#include "at_values.h"
#include "settings.h"

#define NAME_BYTES 129
#define PING_TIMEOUT_MS 4000
#define NO_ADDRESS "0.0.0.0"
#define DEFAULT_NETMASK "255.255.255.0"
#define MAC_FORM "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_TEXT_BYTES 18
#define IPV6_ONLY 3

static void show_mac(const char *prefix)
{
    uint8_t mac[NET_MAC_BYTES];
    net_get_mac(mac);
    wm_atcmd_print_result("%s\"" MAC_FORM "\"\r\n", prefix, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

int at_interface(wm_at_type_e type, int argc, char **argv)
{
    struct net_addresses addresses;
    (void)argv;
    if (!is_plain(type, argc)) {
        return WM_AT_RESULT_FAIL;
    }
    net_get_addresses(&addresses);
    if (strcmp(addresses.ip, NO_ADDRESS) != 0) {
        wm_atcmd_print_result("+CIFSR:STAIP,\"%s\"\r\n", addresses.ip);
    }
    show_mac("+CIFSR:STAMAC,");
    return WM_AT_RESULT_OK;
}

/* Not of a group, and not all zero. */
static bool read_mac(const char *parameter, uint8_t mac[NET_MAC_BYTES])
{
    char text[MAC_TEXT_BYTES];
    int end = 0;
    int read = text_of(parameter, text, sizeof text) ? sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0],
                                                              &mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &end)
                                                     : 0;
    static const uint8_t none[NET_MAC_BYTES];
    return read == NET_MAC_BYTES && text[end] == '\0' && !(mac[0] & 1) && memcmp(mac, none, NET_MAC_BYTES) != 0;
}

int at_mac(wm_at_type_e type, int argc, char **argv)
{
    uint8_t mac[NET_MAC_BYTES];
    if (type == AT_TYPE_QUERY) {
        show_mac("+CIPSTAMAC:");
        return WM_AT_RESULT_OK;
    }
    if (type != AT_TYPE_EXEC || argc != 1 || !read_mac(argv[0], mac)) {
        return WM_AT_RESULT_FAIL;
    }
    memcpy(settings.mac, mac, sizeof mac);
    settings.mac_is_set = true;
    net_set_mac(mac);
    return settings_keep(SETTING_MAC) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

static int show_addresses(void)
{
    struct net_addresses addresses;
    net_get_addresses(&addresses);
    wm_atcmd_print_result("+CIPSTA:ip:\"%s\"\r\n+CIPSTA:gateway:\"%s\"\r\n+CIPSTA:netmask:\"%s\"\r\n", addresses.ip,
                          addresses.gateway, addresses.netmask);
    return WM_AT_RESULT_OK;
}

/* The first address of the network of `ip`, where no gateway is given. */
static void guess_gateway(struct net_addresses *addresses)
{
    char *last = strrchr(addresses->ip, '.');
    int front = last ? (int)(last + 1 - addresses->ip) : 0;
    snprintf(addresses->gateway, sizeof addresses->gateway, "%.*s1", front, addresses->ip);
}

int at_addresses(wm_at_type_e type, int argc, char **argv)
{
    struct net_addresses wanted = {.netmask = DEFAULT_NETMASK};
    if (type == AT_TYPE_QUERY) {
        return show_addresses();
    }
    if (type != AT_TYPE_EXEC || (argc != 1 && argc != 3) || !text_of(argv[0], wanted.ip, sizeof wanted.ip)) {
        return WM_AT_RESULT_FAIL;
    }
    guess_gateway(&wanted);
    if (argc == 3 && (!text_of(argv[1], wanted.gateway, sizeof wanted.gateway) ||
                      !text_of(argv[2], wanted.netmask, sizeof wanted.netmask))) {
        return WM_AT_RESULT_FAIL;
    }
    if (!net_set_addresses(&wanted)) {
        return WM_AT_RESULT_FAIL;
    }
    settings.addresses = wanted;
    settings.dhcp &= ~DHCP_STATION;
    return settings_keep(SETTING_DHCP) && settings_keep(SETTING_ADDRESSES) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

static int show_dns(void)
{
    char servers[NET_DNS_SERVERS][NET_ADDRESS_BYTES];
    char row[AT_RESULT_BUFFER_SIZE];
    int length = snprintf(row, sizeof row, "+CIPDNS:%d", settings.dns.by_hand);
    for (unsigned i = 0; i < NET_DNS_SERVERS; i++) {
        net_get_dns_server(i, servers[i]);
        if (servers[i][0] && strcmp(servers[i], NO_ADDRESS) != 0) {
            length += snprintf(row + length, sizeof row - (size_t)length, ",\"%s\"", servers[i]);
        }
    }
    wm_atcmd_print_result("%s\r\n", row);
    return WM_AT_RESULT_OK;
}

int at_dns(wm_at_type_e type, int argc, char **argv)
{
    long by_hand;
    struct dns_settings wanted = {.servers = {NET_DNS_DEFAULTS}};
    const char *servers[NET_DNS_SERVERS] = {wanted.servers[0], wanted.servers[1]};
    if (type == AT_TYPE_QUERY) {
        return show_dns();
    }
    if (type != AT_TYPE_EXEC || argc < 1 || argc > 1 + NET_DNS_SERVERS || !number_of(argv[0], &by_hand) ||
        by_hand < 0 || by_hand > 1) {
        return WM_AT_RESULT_FAIL;
    }
    for (int i = 1; i < argc; i++) {
        if (!text_of(argv[i], wanted.servers[i - 1], NET_ADDRESS_BYTES)) {
            return WM_AT_RESULT_FAIL;
        }
    }
    wanted.by_hand = by_hand == 1;
    if (!net_set_dns_servers(servers, wanted.by_hand ? NET_DNS_SERVERS : 0)) {
        return WM_AT_RESULT_FAIL;
    }
    settings.dns = wanted;
    return settings_keep(SETTING_DNS) ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}

int at_domain(wm_at_type_e type, int argc, char **argv)
{
    char name[NAME_BYTES];
    char address[NET_ADDRESS_BYTES];
    long family = 1;
    if (type != AT_TYPE_EXEC || argc < 1 || argc > 2 || !text_of(argv[0], name, sizeof name) || !name[0] ||
        (argc == 2 && (!number_of(argv[1], &family) || family < 1 || family >= IPV6_ONLY)) ||
        net_resolve(name, address) != 0) {
        return WM_AT_RESULT_FAIL;
    }
    wm_atcmd_print_result("+CIPDOMAIN:\"%s\"\r\n", address);
    return WM_AT_RESULT_OK;
}

int at_ping(wm_at_type_e type, int argc, char **argv)
{
    char host[NAME_BYTES];
    if (type != AT_TYPE_EXEC || argc != 1 || !text_of(argv[0], host, sizeof host) || !host[0]) {
        return WM_AT_RESULT_FAIL;
    }
    int milliseconds = net_ping(host, PING_TIMEOUT_MS);
    if (milliseconds < 0) {
        wm_atcmd_print_result("+PING:TIMEOUT\r\n");
        return WM_AT_RESULT_FAIL;
    }
    wm_atcmd_print_result("+PING:%d\r\n", milliseconds);
    return WM_AT_RESULT_OK;
}

/* The server's own sockets */

int at_mux(wm_at_type_e type, int argc, char **argv)
{
    static long mode;
    return at_number("CIPMUX", type, argc, argv, &mode, 0, 1);
}

int at_transmission(wm_at_type_e type, int argc, char **argv)
{
    static long mode;
    return at_number("CIPMODE", type, argc, argv, &mode, 0, 1);
}

int at_peer_shown(wm_at_type_e type, int argc, char **argv)
{
    static long shown;
    if (type == AT_TYPE_QUERY) {
        wm_atcmd_print_result("+CIPDINFO:%s\r\n", shown ? "true" : "false");
        return WM_AT_RESULT_OK;
    }
    return at_number("CIPDINFO", type, argc, argv, &shown, 0, 1);
}

int at_sockets(wm_at_type_e type, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return type == AT_TYPE_QUERY ? WM_AT_RESULT_OK : WM_AT_RESULT_FAIL;
}
