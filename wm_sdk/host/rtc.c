/*
 * See rtc.h. The C library's time() is replaced for the whole program, as the chip's C library reads the chip's clock:
 * certificate checks see what they would see there.
 */
#include "rtc.h"

#include <time.h>

#include "kernel.h"

#define NS_PER_SECOND 1000000000

static int64_t ahead;
static kernel_time first_read;
static bool set;

static int64_t seconds_running(void)
{
    if (first_read == 0) {
        first_read = kernel_now();
    }
    return (int64_t)((kernel_now() - first_read) / NS_PER_SECOND);
}

void rtc_set(int64_t seconds)
{
    ahead = seconds - seconds_running();
    set = true;
}

bool rtc_is_set(void)
{
    return set;
}

time_t time(time_t *to)
{
    time_t now = (time_t)(ahead + seconds_running());
    if (to) {
        *to = now;
    }
    return now;
}
