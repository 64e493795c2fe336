/* The integer names that lwIP's interface is written in. */
#ifndef W800_LWIP_ARCH_H
#define W800_LWIP_ARCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8_t;
typedef int8_t s8_t;
typedef uint16_t u16_t;
typedef int16_t s16_t;
typedef uint32_t u32_t;
typedef int32_t s32_t;

#endif
