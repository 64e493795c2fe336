/* The codes of socket calls are the C library's: they differ between the chip's and a PC's. */
#ifndef W800_LWIP_ERRNO_H
#define W800_LWIP_ERRNO_H

#include <errno.h>

#endif
