/* See settings.h. */
#include "settings.h"

#include <stddef.h>
#include <string.h>

#include "wm_nvs.h"

#define GROUP "at"

struct settings settings;

static const struct settings defaults = {
    .wifi_mode = MODE_STATION,
    .ssid = "virtual",
    .joins_at_boot = true,
    .dhcp = DHCP_STATION,
    .store = true,
};

struct place {
    const char *key;
    void *value;
    size_t size;
    /* Whatever AT+SYSSTORE says. */
    bool always;
};

#define PLACE(key, member, always) {key, &settings.member, sizeof settings.member, always}

static const struct place places[SETTINGS] = {
    [SETTING_WIFI_MODE] = PLACE("mode", wifi_mode, false),
    [SETTING_SSID] = PLACE("ssid", ssid, false),
    [SETTING_JOINS_AT_BOOT] = PLACE("autoconn", joins_at_boot, true),
    [SETTING_MAC] = PLACE("mac", mac, false),
    [SETTING_DHCP] = PLACE("dhcp", dhcp, false),
    [SETTING_ADDRESSES] = PLACE("addresses", addresses, false),
    [SETTING_DNS] = PLACE("dns", dns, false),
    [SETTING_RECONNECT] = PLACE("reconnect", reconnect, false),
    [SETTING_BAUD] = PLACE("baud", baud, true),
};

/* What has another size was written by another version of the board. */
static bool load(wm_nvs_handle_t handle, const struct place *place)
{
    wm_nvs_type_t type;
    size_t size = 0;
    return wm_nvs_get_info(handle, place->key, &type, &size) == WM_NVS_ERR_OK && size == place->size &&
           wm_nvs_get_blob(handle, place->key, place->value, &size) == WM_NVS_ERR_OK;
}

void settings_load(void)
{
    wm_nvs_handle_t handle;
    settings = defaults;
    if (wm_nvs_open(NULL, GROUP, WM_NVS_OP_READ_ONLY, &handle) != WM_NVS_ERR_OK) {
        return;
    }
    for (int i = 0; i < SETTINGS; i++) {
        bool stored = load(handle, &places[i]);
        settings.mac_is_set = settings.mac_is_set || (stored && i == SETTING_MAC);
    }
    wm_nvs_close(handle);
    settings.ssid[SSID_BYTES] = '\0';
}

bool settings_keep(enum setting setting)
{
    const struct place *place = &places[setting];
    wm_nvs_handle_t handle;
    if (!settings.store && !place->always) {
        return true;
    }
    if (wm_nvs_open(NULL, GROUP, WM_NVS_OP_READ_WRITE, &handle) != WM_NVS_ERR_OK) {
        return false;
    }
    bool kept = wm_nvs_set_blob(handle, place->key, place->value, place->size) == WM_NVS_ERR_OK;
    wm_nvs_close(handle);
    return kept;
}
