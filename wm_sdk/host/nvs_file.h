/*
 * Where the non-volatile storage lives on the host: in a file, or in memory that outlasts the board's restarts.
 *
 * A save puts a whole new file in place of the old one, so that a board that is killed leaves either of the two.
 */
#ifndef NVS_FILE_H
#define NVS_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* `path` may be NULL. False after a line on stderr; a missing file is made. */
bool nvs_file_open(const char *path);

/* The bytes that are there, at most `size`. */
size_t nvs_file_load(void *image, size_t size);
bool nvs_file_save(const void *image, size_t length);

/* Leaves the memory to the program that is executed next, which nvs_file_open then takes over. */
void nvs_file_keep_over_exec(void);

#endif
