/*
 * The AT commands beside the library's own that drivers send and the documents' examples use, in the documented forms,
 * and some for tests. neighbour_table.h has all of them; at_*.c have the handlers.
 */
#include "neighbours.h"

#include "at_handlers.h"
#include "settings.h"
#include "uart.h"

#define NEIGHBOUR(command, handler, usage, truth, does) WM_ATCMD_DEFINE(command, handler, usage)
#include "neighbour_table.h"

/* What was stored comes over what the network has begun with. */
static void apply_settings(void)
{
    const char *servers[NET_DNS_SERVERS] = {settings.dns.servers[0], settings.dns.servers[1]};
    if (settings.mac_is_set) {
        net_set_mac(settings.mac);
    }
    if (!(settings.dhcp & DHCP_STATION)) {
        net_set_addresses(&settings.addresses);
    }
    if (settings.dns.by_hand) {
        net_set_dns_servers(servers, servers[1][0] ? 2 : 1);
    }
    if (settings.baud) {
        uart_set_pace(settings.baud);
    }
}

void neighbours_boot(const struct neighbours_options *options, const struct neighbours_sources *sources)
{
    at_inside_start(sources);
    settings_load();
    apply_settings();
    at_wifi_boot(options->wifi, options->dhcp_delay_ms);
}
