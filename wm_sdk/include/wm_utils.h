/* Odds and ends of the SDK that the library needs: a restart of the chip. */
#ifndef WM_UTILS_H
#define WM_UTILS_H

#include "wm_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Resets the chip; does not come back. */
void wm_system_reboot(void);

#ifdef __cplusplus
}
#endif

#endif
