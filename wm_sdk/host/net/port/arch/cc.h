/* What lwIP has to know about the compiler and the C library: those of a PC, or those of the chip. */
#ifndef W800_NET_ARCH_CC_H
#define W800_NET_ARCH_CC_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define LWIP_ERRNO_STDINCLUDE 1

#define PACK_STRUCT_STRUCT __attribute__((packed))

/* As in the SDK, lwIP's mutexes are binary semaphores. */
#define LWIP_COMPAT_MUTEX 1
#define LWIP_COMPAT_MUTEX_ALLOWED 1

#ifdef __csky__
/* Ends the program; wm_sdk/chip/board.h. */
_Noreturn void chip_panic(const char *what);
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) chip_panic(message)
#else
#define LWIP_PLATFORM_DIAG(message)                                                                                    \
    do {                                                                                                               \
        printf message;                                                                                                \
    } while (0)

#define LWIP_PLATFORM_ASSERT(message)                                                                                  \
    do {                                                                                                               \
        fprintf(stderr, "lwIP: %s (%s:%d)\n", (message), __FILE__, __LINE__);                                          \
        abort();                                                                                                       \
    } while (0)

#endif

#endif
