/* The non-volatile storage as the board sees it; wm_nvs.h is what the firmware sees. */
#ifndef NVS_H
#define NVS_H

#include <stdbool.h>

/*
 * Reads what is stored in the file at `path`; NULL keeps it for as long as the board lives, over its restarts too.
 * A file that was damaged is an empty storage, as damaged flash is on the chip, and the log says so.
 * False after a line on stderr: the file cannot be used at all.
 */
bool nvs_start(const char *path);

/* Empties it, as a chip has it from the factory. False where that could not be written. From a task. */
bool nvs_clear(void);

#endif
