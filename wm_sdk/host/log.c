/* The SDK's log on standard error; one write per line, so that lines of several threads do not mix. */
#include "wm_log.h"

#include <stdio.h>
#include <unistd.h>

#include "wm_error.h"

static wm_log_level_t level_now = WM_LOG_LEVEL_WARN;

int wm_log_set_level(wm_log_level_t level)
{
    level_now = level;
    return WM_ERR_SUCCESS;
}

wm_log_level_t wm_log_get_level(void)
{
    return level_now;
}

int wm_log_vprintf(wm_log_level_t level, const char *tag, const char *format, va_list args)
{
    (void)tag;
    char text[1024];
    if (level == WM_LOG_LEVEL_NONE || level > level_now) {
        return 0;
    }
    int length = vsnprintf(text, sizeof text, format, args);
    int shown = length < (int)sizeof text ? length : (int)sizeof text - 1;
    if (shown > 0 && write(STDERR_FILENO, text, (size_t)shown) < 0) {
        return 0;
    }
    return length;
}

int wm_log_printf(wm_log_level_t level, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = wm_log_vprintf(level, tag, format, args);
    va_end(args);
    return length;
}
