/*
 * The one heap that tasks, the network stack and TLS share. Allocation fails with NULL, never by an abort.
 *
 * With CONFIG_HEAP_USE_TRACING (the default) the plain names are macros that add the call site, so only the _tracing
 * functions can be bound from another language.
 */
#ifndef WM_HEAP_H
#define WM_HEAP_H

#include <wmsdk_config.h>
#include "wm_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    WM_HEAP_CAP_DEFAULT = (1 << 0),
    WM_HEAP_CAP_INTERNAL = (1 << 1),
    WM_HEAP_CAP_SPIRAM = (1 << 2),
    WM_HEAP_CAP_EXEC = (1 << 3),
    WM_HEAP_CAP_SHARED = (1 << 4),
    WM_HEAP_CAP_INVALID = (1 << 20),
} wm_heap_cap_type_t;

#ifdef CONFIG_HEAP_USE_TRACING
void *wm_heap_caps_alloc_tracing(size_t size, wm_heap_cap_type_t caps, const char *file, int line);
void *wm_heap_caps_realloc_tracing(void *old_mem, size_t new_size, wm_heap_cap_type_t caps, const char *file, int line);
#define wm_heap_caps_alloc(size, caps) wm_heap_caps_alloc_tracing(size, caps, __FILE__, __LINE__)
#define wm_heap_caps_realloc(old_mem, new_size, caps)                                                                  \
    wm_heap_caps_realloc_tracing(old_mem, new_size, caps, __FILE__, __LINE__)
#else
void *wm_heap_caps_alloc(size_t size, wm_heap_cap_type_t caps);
void *wm_heap_caps_realloc(void *old_mem, size_t new_size, wm_heap_cap_type_t caps);
#endif

void wm_heap_caps_free(void *p);

/* Bytes left now, and the fewest there ever were; both count the blocks' headers as used. */
size_t wm_heap_get_free_size(void);
size_t wm_heap_get_minimum_ever_free_size(void);

#ifdef __cplusplus
}
#endif

#endif
