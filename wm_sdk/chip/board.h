/*
 * What a whole image calls of the board that simulates the chip: the hardware, and what of the SDK is not in the image.
 * The OSAL, NVS, the AT server and the log are called by the SDK's own names (linker/sdk-symbols.txt).
 */
#ifndef CHIP_BOARD_H
#define CHIP_BOARD_H

#include <stddef.h>
#include <stdint.h>

/* A word of the calling task's own, 0 when the task begins. */
void **board_task_word(void);

/* Fills a place with random bytes. */
void board_random(void *to, size_t size);

/* Ends the program with a message and the calls that led here. */
_Noreturn void board_panic(const char *what);

/* The radio: the length of the oldest frame that has come in, 0 for none; and takes that frame. */
size_t board_frame_length(void);
void board_frame_take(void *to, size_t size);
/* Sends a frame: 0, or -1 while the radio is full. */
int board_frame_send(const void *frame, size_t size);
/* Waits until frames come in. */
void board_frame_wait(void);
/* While it is down frames are lost in both directions. */
void board_radio_set_link(int up);

/* An answer of network time. */
void board_network_time(uint32_t seconds, uint32_t microseconds);

/* What the board calls: interface.h's functions, and this one, which takes the names from chip_time_servers. */
#define CHIP_TIME_SERVERS 3
#define CHIP_TIME_SERVER_BYTES 128
extern char chip_time_servers[CHIP_TIME_SERVERS][CHIP_TIME_SERVER_BYTES];
int chip_sntp_start(size_t count);

#endif
