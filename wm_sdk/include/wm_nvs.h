/*
 * Non-volatile storage: values by group and key in a partition of the flash, kept over a loss of power. Writes last
 * when they return. Names have up to 15 characters. The SDK initializes the default partition before the AT server.
 *
 * Only the blob type is here, the SDK has more.
 */
#ifndef WM_NVS_H
#define WM_NVS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WM_NVS_DEF_PARTITION "nvs"
#define WM_NVS_MAX_HANDLE_NUM 64
#define WM_NVS_MAX_KEY_LEN 15

#define WM_NVS_ERR_BASE -20000
#define WM_NVS_ERR_OK 0
#define WM_NVS_ERR_FAIL (WM_NVS_ERR_BASE - 1)
#define WM_NVS_ERR_INVALID_PARAM (WM_NVS_ERR_BASE - 2)
#define WM_NVS_ERR_NOT_INIT (WM_NVS_ERR_BASE - 3)
#define WM_NVS_ERR_AREADY_INIT (WM_NVS_ERR_BASE - 4)
#define WM_NVS_ERR_NO_MEM (WM_NVS_ERR_BASE - 5)
#define WM_NVS_ERR_NOT_FOUND (WM_NVS_ERR_BASE - 6)
#define WM_NVS_ERR_READ_ONLY (WM_NVS_ERR_BASE - 7)
#define WM_NVS_ERR_NO_SPACE (WM_NVS_ERR_BASE - 8)
#define WM_NVS_ERR_INVALID_HANDLE (WM_NVS_ERR_BASE - 9)
#define WM_NVS_ERR_SECTOR_FULL (WM_NVS_ERR_BASE - 10)
#define WM_NVS_ERR_INVALID_LENGTH (WM_NVS_ERR_BASE - 11)
#define WM_NVS_ERR_VALUE_TOO_LONG (WM_NVS_ERR_BASE - 12)
#define WM_NVS_ERR_CALL_IN_ISR (WM_NVS_ERR_BASE - 13)

typedef enum {
    WM_NVS_OP_READ_ONLY = 0,
    WM_NVS_OP_READ_WRITE = 1,
    WM_NVS_OP_MAX,
} wm_nvs_open_mode_t;

typedef enum {
    WM_NVS_TYPE_ANY,
    WM_NVS_TYPE_STRING,
    WM_NVS_TYPE_INT8,
    WM_NVS_TYPE_UINT8,
    WM_NVS_TYPE_INT16,
    WM_NVS_TYPE_UINT16,
    WM_NVS_TYPE_INT32,
    WM_NVS_TYPE_UINT32,
    WM_NVS_TYPE_INT64,
    WM_NVS_TYPE_UINT64,
    WM_NVS_TYPE_DOUBLE,
    WM_NVS_TYPE_BINARY,
    WM_NVS_TYPE_BLOB,
    WM_NVS_TYPE_MAX
} wm_nvs_type_t;

typedef void *wm_nvs_handle_t;

/* A NULL partition is the default one. */
int wm_nvs_open(const char *partition_name, const char *group_name, wm_nvs_open_mode_t mode, wm_nvs_handle_t *handle);
int wm_nvs_close(wm_nvs_handle_t handle);

int wm_nvs_set_blob(wm_nvs_handle_t handle, const char *key, const void *blob, size_t blob_len);
/*
 * `blob_len` goes in as the buffer's size and comes out as the blob's, with WM_NVS_ERR_VALUE_TOO_LONG when that is
 * more. A NULL buffer is WM_NVS_ERR_INVALID_PARAM, against the SDK's documentation: wm_nvs_get_info tells the size.
 */
int wm_nvs_get_blob(wm_nvs_handle_t handle, const char *key, void *blob, size_t *blob_len);
int wm_nvs_get_info(wm_nvs_handle_t handle, const char *key, wm_nvs_type_t *type, size_t *size);
int wm_nvs_del_key(wm_nvs_handle_t handle, const char *key);

#ifdef __cplusplus
}
#endif

#endif
