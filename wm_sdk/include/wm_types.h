/* Basic types every SDK header may rely on. */
#ifndef WM_TYPES_H
#define WM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WM_INVALID_HANDLE ((void *)0)

#endif
