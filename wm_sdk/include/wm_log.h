/*
 * The SDK's log. A source file defines LOG_TAG before it includes this header; the macros add level, time in ms and
 * tag.
 */
#ifndef WM_LOG_H
#define WM_LOG_H

#include <wmsdk_config.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    WM_LOG_LEVEL_NONE,
    WM_LOG_LEVEL_ERROR,
    WM_LOG_LEVEL_WARN,
    WM_LOG_LEVEL_INFO,
    WM_LOG_LEVEL_DEBUG,
    WM_LOG_LEVEL_VERBOSE,
} wm_log_level_t;

#ifndef LOG_TAG
#define LOG_TAG "NO_TAG"
#endif

extern uint32_t wm_os_internal_get_time_ms(void);

/* Prints when `level` is within the level set; returns the number of characters formatted. */
int wm_log_printf(wm_log_level_t level, const char *tag, const char *format, ...) __attribute__((format(printf, 3, 4)));
int wm_log_vprintf(wm_log_level_t level, const char *tag, const char *format, va_list args);

int wm_log_set_level(wm_log_level_t level);
wm_log_level_t wm_log_get_level(void);

#define LOG_FMT(letter, fmt) "[" #letter "] (%u) %s: " fmt "\r\n"
#define WM_GET_MS(...) wm_os_internal_get_time_ms()

#define WM_LOG_AT(level, letter, fmt, ...)                                                                             \
    wm_log_printf(level, LOG_TAG, LOG_FMT(letter, fmt), WM_GET_MS(), LOG_TAG, ##__VA_ARGS__)

#define wm_log_error(fmt, ...) WM_LOG_AT(WM_LOG_LEVEL_ERROR, E, fmt, ##__VA_ARGS__)
#define wm_log_warn(fmt, ...) WM_LOG_AT(WM_LOG_LEVEL_WARN, W, fmt, ##__VA_ARGS__)
#define wm_log_info(fmt, ...) WM_LOG_AT(WM_LOG_LEVEL_INFO, I, fmt, ##__VA_ARGS__)
#define wm_log_debug(fmt, ...) WM_LOG_AT(WM_LOG_LEVEL_DEBUG, D, fmt, ##__VA_ARGS__)
#define wm_log_verbose(fmt, ...) WM_LOG_AT(WM_LOG_LEVEL_VERBOSE, V, fmt, ##__VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
