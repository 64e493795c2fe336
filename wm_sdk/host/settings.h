/*
 * What the board's own commands keep in the non-volatile storage, and have there again after a restart. AT+SYSSTORE=0
 * keeps nothing from then on but what is kept always.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

#define SSID_BYTES 32
/* Of wifi_mode and of dhcp: the bit for the station. */
#define MODE_STATION 1
#define DHCP_STATION 1

struct dns_settings {
    bool by_hand;
    char servers[NET_DNS_SERVERS][NET_ADDRESS_BYTES];
};

struct reconnect_settings {
    long interval_seconds;
    long count;
};

struct settings {
    long wifi_mode;
    char ssid[SSID_BYTES + 1];
    bool joins_at_boot;
    bool mac_is_set;
    uint8_t mac[NET_MAC_BYTES];
    long dhcp;
    struct net_addresses addresses;
    struct dns_settings dns;
    struct reconnect_settings reconnect;
    /* Bits per second of the port; 0 where AT+UART_DEF never set them. */
    uint32_t baud;
    /* AT+SYSSTORE, itself not kept. */
    bool store;
};

enum setting {
    SETTING_WIFI_MODE,
    SETTING_SSID,
    SETTING_JOINS_AT_BOOT,
    SETTING_MAC,
    SETTING_DHCP,
    SETTING_ADDRESSES,
    SETTING_DNS,
    SETTING_RECONNECT,
    SETTING_BAUD,
    SETTINGS
};

extern struct settings settings;

/* Defaults, and over them what is stored. From a task. */
void settings_load(void);

/* Stores what `settings` has; true as well where nothing is to be stored now. From a task. */
bool settings_keep(enum setting setting);

#endif
