/* The real-time clock: counts from 1970 at boot until somebody sets it. */
#ifndef RTC_H
#define RTC_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970. */
void rtc_set(int64_t seconds);
bool rtc_is_set(void);

#endif
