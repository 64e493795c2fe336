/* What lwIP, Mbed TLS and the C library want of the chip and of the SDK, on the board that simulates it. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "board.h"
#include "interface.h"
#include "radio.h"
#include "wm_osal.h"

/* The library asks lwIP for a socket's error instead. */
int *__errno(void)
{
    static int number;
    return &number;
}

/* lwIP's ports and identifiers. */
int rand(void)
{
    unsigned number;
    board_random(&number, sizeof number);
    return (int)(number & RAND_MAX);
}

int mbedtls_hardware_poll(void *context, unsigned char *output, size_t length, size_t *got)
{
    (void)context;
    board_random(output, length);
    *got = length;
    return 0;
}

/* Mbed TLS 3.6 has it, the SDK's version has not. */
int64_t mbedtls_ms_time(void)
{
    return wm_os_internal_get_time_ms();
}

void chip_panic(const char *what)
{
    board_panic(what);
}

/*
 * Mbed TLS compares the dates of certificates with it. Years begin in March here, so that a leap day is their last, and
 * are counted 400 at a time. Good until 2106.
 */
struct tm *gmtime(const time_t *at)
{
    enum { DAY = 86400, DAYS_TO_1970 = 719468, ERA_DAYS = 146097, ERA_YEARS = 400 };
    static struct tm broken;
    uint32_t days = (uint32_t)*at / DAY + DAYS_TO_1970;
    uint32_t second = (uint32_t)*at % DAY;
    uint32_t in_era = days % ERA_DAYS;
    uint32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t in_year = in_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * in_year + 2) / 153;
    broken.tm_sec = (int)(second % 60);
    broken.tm_min = (int)(second / 60 % 60);
    broken.tm_hour = (int)(second / 3600);
    broken.tm_mday = (int)(in_year - (153 * month + 2) / 5 + 1);
    broken.tm_mon = (int)((month + 2) % 12);
    broken.tm_year = (int)(days / ERA_DAYS * ERA_YEARS + year + (month >= 10)) - 1900;
    return &broken;
}

/* The radio's buffers: one frame each way. */
static struct frame incoming;
static struct frame outgoing;

const struct frame *radio_received(void)
{
    incoming.length = board_frame_length();
    if (incoming.length == 0) {
        return NULL;
    }
    board_frame_take(incoming.bytes, incoming.length);
    return &incoming;
}

void radio_release(void) {}

struct frame *radio_transmit_slot(void)
{
    return &outgoing;
}

/* A frame for which the radio has no room is lost in the air. */
void radio_transmit(void)
{
    board_frame_send(outgoing.bytes, outgoing.length);
}

void radio_set_link(bool up)
{
    board_radio_set_link(up);
}

void interface_wait_for_frames(void)
{
    board_frame_wait();
}

/* Where the board puts the names of the time servers. */
char chip_time_servers[CHIP_TIME_SERVERS][CHIP_TIME_SERVER_BYTES];

int chip_sntp_start(size_t count)
{
    static const char *const names[CHIP_TIME_SERVERS] = {chip_time_servers[0], chip_time_servers[1],
                                                         chip_time_servers[2]};
    return interface_sntp_start(names, count, board_network_time);
}
