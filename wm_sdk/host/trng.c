/* See trng.h. */
#include "trng.h"

#include <sys/random.h>

/* One call of getrandom never gives less than asked up to this many bytes. */
#define WHOLE_BYTES 256

int mbedtls_hardware_poll(void *context, unsigned char *output, size_t length, size_t *got)
{
    (void)context;
    ssize_t filled = getrandom(output, length < WHOLE_BYTES ? length : WHOLE_BYTES, 0);
    *got = filled > 0 ? (size_t)filled : 0;
    return filled < 0 ? -1 : 0;
}
