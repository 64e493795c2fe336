/* The chip's random number generator, as Mbed TLS's entropy pool asks it (MBEDTLS_ENTROPY_HARDWARE_ALT). */
#ifndef TRNG_H
#define TRNG_H

#include <stddef.h>

/* `got` may be less than `length`; Mbed TLS then asks again. 0, or -1 when there is nothing. */
int mbedtls_hardware_poll(void *context, unsigned char *output, size_t length, size_t *got);

#endif
