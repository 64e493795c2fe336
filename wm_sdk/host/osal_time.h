/* Starting the board's clock and its timer task. */
#ifndef OSAL_TIME_H
#define OSAL_TIME_H

#include <stdint.h>

/* The ms counter begins at `uptime_ms`, so that its wrap-around can be seen without waiting 49 days. */
void time_start(uint32_t uptime_ms);
void timers_start(void);

#endif
