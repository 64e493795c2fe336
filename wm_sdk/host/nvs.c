/*
 * The SDK's non-volatile storage, with the size of its default partition (32 KiB, a sector of it spare).
 *
 * Results are those of the SDK's code, which is stricter than its documentation: a NULL buffer is refused with its
 * length untouched, and a buffer that is too small gets WM_NVS_ERR_VALUE_TOO_LONG and the length. A blob is charged the
 * slices it takes on the chip, and an overwriting one beside the old one. An empty blob is refused here.
 *
 * Tasks lose the CPU only inside the OSAL, so nothing comes between the steps of a call.
 */
#include "nvs.h"

#include <stdint.h>
#include <string.h>

#include "nvs_file.h"
#include "wm_nvs.h"
#include "wm_osal.h"

#define LOG_TAG "nvs"
#include "wm_log.h"

#define SLICE_BYTES 32
#define SECTOR_BYTES (126 * SLICE_BYTES)
#define CAPACITY (7 * SECTOR_BYTES)
#define NAME_BYTES (WM_NVS_MAX_KEY_LEN + 1)
/* What an open handle takes of the chip's heap. */
#define HANDLE_BYTES 48

static const char magic[8] = "W800NVS1";

struct header {
    char magic[sizeof magic];
    uint32_t length;
    uint32_t checksum;
};

struct record {
    char group[NAME_BYTES];
    char key[NAME_BYTES];
    uint32_t length;
};

/* Records without gaps, each followed by its blob. */
struct image {
    struct header header;
    unsigned char records[CAPACITY];
};

struct handle {
    struct handle *next;
    wm_nvs_open_mode_t mode;
    char group[NAME_BYTES];
};

_Static_assert(sizeof(struct handle) <= HANDLE_BYTES, "a handle costs what it costs on the chip");
_Static_assert(sizeof(struct record) <= 2 * SLICE_BYTES, "what is charged also fits the image");

static struct image now;
static struct image next;
static struct handle *handles;
static bool started;

/* The image */

static uint32_t checksum(const unsigned char *bytes, size_t count)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ bytes[i]) * UINT32_C(16777619);
    }
    return hash;
}

static struct record record_at(size_t offset)
{
    struct record record;
    memcpy(&record, now.records + offset, sizeof record);
    return record;
}

static size_t after(size_t offset)
{
    return offset + sizeof(struct record) + record_at(offset).length;
}

static bool is_name(const char *name)
{
    return memchr(name, '\0', NAME_BYTES) != NULL;
}

static bool records_are_whole(void)
{
    size_t offset = 0;
    while (offset < now.header.length) {
        if (now.header.length - offset < sizeof(struct record)) {
            return false;
        }
        struct record record = record_at(offset);
        if (!is_name(record.group) || !is_name(record.key) ||
            record.length > now.header.length - offset - sizeof record) {
            return false;
        }
        offset = after(offset);
    }
    return true;
}

static bool is_sound(size_t size)
{
    return size >= sizeof now.header && memcmp(now.header.magic, magic, sizeof magic) == 0 &&
           now.header.length <= sizeof now.records && size == sizeof now.header + now.header.length &&
           now.header.checksum == checksum(now.records, now.header.length) && records_are_whole();
}

static size_t cost(size_t length)
{
    size_t segments = 1 + length / SECTOR_BYTES;
    return (1 + segments) * SLICE_BYTES + (length + SLICE_BYTES - 1) / SLICE_BYTES * SLICE_BYTES;
}

static size_t used(void)
{
    size_t total = 0;
    for (size_t offset = 0; offset < now.header.length; offset = after(offset)) {
        total += cost(record_at(offset).length);
    }
    return total;
}

/* now.header.length when there is none. */
static size_t find(const char *group, const char *key)
{
    size_t offset = 0;
    while (offset < now.header.length) {
        struct record record = record_at(offset);
        if (strcmp(record.group, group) == 0 && strcmp(record.key, key) == 0) {
            break;
        }
        offset = after(offset);
    }
    return offset;
}

static void append(const void *bytes, size_t count)
{
    memcpy(next.records + next.header.length, bytes, count);
    next.header.length += (uint32_t)count;
}

static void copy_all_but(size_t offset)
{
    next = (struct image){.header = {.length = 0}};
    append(now.records, offset);
    if (offset < now.header.length) {
        append(now.records + after(offset), now.header.length - after(offset));
    }
}

static int commit(void)
{
    memcpy(next.header.magic, magic, sizeof magic);
    next.header.checksum = checksum(next.records, next.header.length);
    if (!nvs_file_save(&next, sizeof next.header + next.header.length)) {
        return WM_NVS_ERR_FAIL;
    }
    now = next;
    return WM_NVS_ERR_OK;
}

bool nvs_clear(void)
{
    next = (struct image){.header = {.length = 0}};
    return commit() == WM_NVS_ERR_OK;
}

bool nvs_start(const char *path)
{
    static unsigned char stored[sizeof now + 1];
    if (!nvs_file_open(path)) {
        return false;
    }
    size_t size = nvs_file_load(stored, sizeof stored);
    memcpy(&now, stored, size < sizeof now ? size : sizeof now);
    if (size > 0 && !is_sound(size)) {
        wm_log_error("the NVS is damaged: starting with an empty one");
    }
    if (!is_sound(size)) {
        now = (struct image){.header = {.length = 0}};
    }
    started = true;
    return true;
}

/* Handles */

static size_t count_handles(void)
{
    size_t count = 0;
    for (const struct handle *handle = handles; handle; handle = handle->next) {
        count++;
    }
    return count;
}

static bool is_open(const struct handle *wanted)
{
    const struct handle *handle = handles;
    while (handle && handle != wanted) {
        handle = handle->next;
    }
    return handle != NULL;
}

int wm_nvs_open(const char *partition_name, const char *group_name, wm_nvs_open_mode_t mode, wm_nvs_handle_t *handle)
{
    if (!group_name || !handle || (unsigned)mode >= WM_NVS_OP_MAX || strlen(group_name) > WM_NVS_MAX_KEY_LEN) {
        return WM_NVS_ERR_INVALID_PARAM;
    }
    if (!started) {
        return WM_NVS_ERR_NOT_INIT;
    }
    if (count_handles() == WM_NVS_MAX_HANDLE_NUM) {
        return WM_NVS_ERR_FAIL;
    }
    if (partition_name && strcmp(partition_name, WM_NVS_DEF_PARTITION) != 0) {
        return WM_NVS_ERR_NOT_FOUND;
    }
    struct handle *opened = wm_os_internal_calloc(1, HANDLE_BYTES);
    if (!opened) {
        return WM_NVS_ERR_NO_MEM;
    }
    strcpy(opened->group, group_name);
    opened->mode = mode;
    opened->next = handles;
    handles = opened;
    *handle = opened;
    return WM_NVS_ERR_OK;
}

int wm_nvs_close(wm_nvs_handle_t handle)
{
    struct handle **link = &handles;
    while (*link && *link != handle) {
        link = &(*link)->next;
    }
    if (!handle || !*link) {
        return handle ? WM_NVS_ERR_INVALID_HANDLE : WM_NVS_ERR_INVALID_PARAM;
    }
    *link = (*link)->next;
    wm_os_internal_free(handle);
    return WM_NVS_ERR_OK;
}

/* Blobs */

static int may_write(const struct handle *handle)
{
    if (!is_open(handle)) {
        return WM_NVS_ERR_INVALID_HANDLE;
    }
    return handle->mode == WM_NVS_OP_READ_ONLY ? WM_NVS_ERR_READ_ONLY : WM_NVS_ERR_OK;
}

static bool is_same(size_t offset, const void *blob, size_t length)
{
    return offset < now.header.length && record_at(offset).length == length &&
           memcmp(now.records + offset + sizeof(struct record), blob, length) == 0;
}

int wm_nvs_set_blob(wm_nvs_handle_t handle, const char *key, const void *blob, size_t blob_len)
{
    const struct handle *opened = handle;
    if (!handle || !key || !blob || blob_len == 0 || !key[0] || strlen(key) > WM_NVS_MAX_KEY_LEN) {
        return WM_NVS_ERR_INVALID_PARAM;
    }
    int allowed = may_write(opened);
    if (allowed != WM_NVS_ERR_OK) {
        return allowed;
    }
    size_t old = find(opened->group, key);
    if (is_same(old, blob, blob_len)) {
        return WM_NVS_ERR_OK;
    }
    if (blob_len > CAPACITY || used() + cost(blob_len) > CAPACITY) {
        return WM_NVS_ERR_NO_SPACE;
    }
    struct record record = {.length = (uint32_t)blob_len};
    strcpy(record.group, opened->group);
    strcpy(record.key, key);
    copy_all_but(old);
    append(&record, sizeof record);
    append(blob, blob_len);
    return commit();
}

int wm_nvs_get_blob(wm_nvs_handle_t handle, const char *key, void *blob, size_t *blob_len)
{
    const struct handle *opened = handle;
    if (!handle || !key || !blob || !blob_len || *blob_len == 0) {
        return WM_NVS_ERR_INVALID_PARAM;
    }
    if (!is_open(opened)) {
        return WM_NVS_ERR_INVALID_HANDLE;
    }
    size_t offset = find(opened->group, key);
    if (offset == now.header.length) {
        return WM_NVS_ERR_NOT_FOUND;
    }
    size_t room = *blob_len;
    *blob_len = record_at(offset).length;
    if (room < *blob_len) {
        return WM_NVS_ERR_VALUE_TOO_LONG;
    }
    memcpy(blob, now.records + offset + sizeof(struct record), *blob_len);
    return WM_NVS_ERR_OK;
}

int wm_nvs_get_info(wm_nvs_handle_t handle, const char *key, wm_nvs_type_t *type, size_t *size)
{
    const struct handle *opened = handle;
    if (!handle || !key || !type || !size) {
        return WM_NVS_ERR_INVALID_PARAM;
    }
    if (!is_open(opened)) {
        return WM_NVS_ERR_INVALID_HANDLE;
    }
    size_t offset = find(opened->group, key);
    if (offset == now.header.length) {
        return WM_NVS_ERR_NOT_FOUND;
    }
    *type = WM_NVS_TYPE_BLOB;
    *size = record_at(offset).length;
    return WM_NVS_ERR_OK;
}

int wm_nvs_del_key(wm_nvs_handle_t handle, const char *key)
{
    const struct handle *opened = handle;
    if (!handle || !key) {
        return WM_NVS_ERR_INVALID_PARAM;
    }
    int allowed = may_write(opened);
    if (allowed != WM_NVS_ERR_OK) {
        return allowed;
    }
    size_t offset = find(opened->group, key);
    if (offset == now.header.length) {
        return WM_NVS_ERR_NOT_FOUND;
    }
    copy_all_but(offset);
    return commit();
}
