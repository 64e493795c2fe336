/*
 * The SDK's operating system layer over FreeRTOS: tasks, semaphores, mutexes, queues, timers, time.
 *
 * Times are in ticks where a name does not end in _ms; at the default 1000 Hz the two are equal. A wait of
 * WM_OS_WAIT_TIME_MAX never times out, a wait of 0 never blocks. A wait that times out reports WM_OS_STATUS_ERROR, as
 * the chip's layer does: WM_OS_STATUS_TIMEOUT is declared there and used nowhere.
 */
#ifndef WM_OSAL_H
#define WM_OSAL_H

#include <wmsdk_config.h>
#include "wm_types.h"
#include "wm_error.h"
#include "wm_heap.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const uint32_t HZ;

typedef void *wm_os_task_t;
typedef void wm_os_timer_t;
typedef void wm_os_sem_t;
typedef void wm_os_queue_t;
typedef void wm_os_mutex_t;

typedef void (*wm_os_timer_callback)(wm_os_timer_t *ptmr, void *parg);

typedef enum wm_os_status {
    WM_OS_STATUS_SUCCESS = WM_ERR_SUCCESS,
    WM_OS_STATUS_ERROR = WM_ERR_FAILED,
    WM_OS_STATUS_TIMEOUT = WM_ERR_TIMEOUT,
} wm_os_status_t;

typedef enum WM_OS_SCHED_STATE {
    WM_OS_SCHED_SUSPEND = 0,
    WM_OS_SCHED_NOT_START = 1,
    WM_OS_SCHED_RUNNING = 2,
} wm_os_sched_state_t;

#define WM_OS_WAIT_TIME_MAX 0xffffffffUL

/* Tasks. The stack is in bytes; `flag` is not used. */
wm_os_status_t wm_os_internal_task_create(wm_os_task_t *task, const char *name, void (*entry)(void *param), void *param,
                                          uint32_t stk_size, uint32_t prio, uint32_t flag);
/* Takes the handle itself, cast to this type, not its address; NULL ends the calling task. */
wm_os_status_t wm_os_internal_task_del(wm_os_task_t *task);
wm_os_task_t wm_os_internal_task_id(void);
const char *wm_os_internal_get_task_name(void);
wm_os_sched_state_t wm_os_internal_task_schedule_state(void);
void wm_os_internal_task_yield(void);
uint32_t wm_os_internal_task_get_max_priority(void);

/* Mutexes inherit priority. Only the recursive kind may be taken again by its holder. */
wm_os_status_t wm_os_internal_mutex_create(wm_os_mutex_t **mutex);
wm_os_status_t wm_os_internal_mutex_delete(wm_os_mutex_t *mutex);
wm_os_status_t wm_os_internal_mutex_acquire(wm_os_mutex_t *mutex, uint32_t wait_time);
wm_os_status_t wm_os_internal_mutex_release(wm_os_mutex_t *mutex);
wm_os_status_t wm_os_internal_recursive_mutex_create(wm_os_mutex_t **mutex);
wm_os_status_t wm_os_internal_recursive_mutex_delete(wm_os_mutex_t *mutex);
wm_os_status_t wm_os_internal_recursive_mutex_acquire(wm_os_mutex_t *mutex, uint32_t wait_time);
wm_os_status_t wm_os_internal_recursive_mutex_release(wm_os_mutex_t *mutex);

/* Counting semaphores. */
wm_os_status_t wm_os_internal_sem_create(wm_os_sem_t **sem, uint32_t cnt);
wm_os_status_t wm_os_internal_sem_delete(wm_os_sem_t *sem);
wm_os_status_t wm_os_internal_sem_acquire(wm_os_sem_t *sem, uint32_t wait_time);
wm_os_status_t wm_os_internal_sem_acquire_ms(wm_os_sem_t *sem, uint32_t wait_time_ms);
wm_os_status_t wm_os_internal_sem_release(wm_os_sem_t *sem);
wm_os_status_t wm_os_internal_sem_reset(wm_os_sem_t *sem);
uint16_t wm_os_internal_sem_get_count(wm_os_sem_t *sem);

/* Queues of pointers; the _ex forms copy `item_size` bytes instead. Sends fail at once when the queue is full. */
wm_os_status_t wm_os_internal_queue_create(wm_os_queue_t **queue, uint32_t queue_size);
wm_os_status_t wm_os_internal_queue_create_ex(wm_os_queue_t **queue, uint32_t item_size, uint32_t queue_size);
wm_os_status_t wm_os_internal_queue_delete(wm_os_queue_t *queue);
wm_os_status_t wm_os_internal_queue_send(wm_os_queue_t *queue, void *msg);
wm_os_status_t wm_os_internal_queue_forever_send(wm_os_queue_t *queue, void *msg);
wm_os_status_t wm_os_internal_queue_send_ex(wm_os_queue_t *queue, void *msg);
wm_os_status_t wm_os_internal_queue_send_to_front(wm_os_queue_t *queue, void *msg);
wm_os_status_t wm_os_internal_queue_send_to_back(wm_os_queue_t *queue, void *msg);
wm_os_status_t wm_os_internal_queue_receive(wm_os_queue_t *queue, void **msg, uint32_t wait_time);
wm_os_status_t wm_os_internal_queue_receive_ms(wm_os_queue_t *queue, void **msg, uint32_t wait_time_ms);
uint8_t wm_os_internal_queue_is_empty(wm_os_queue_t *queue);
uint32_t wm_os_internal_queue_space_available(wm_os_queue_t *queue);

/* Time since boot; both counters wrap. */
uint32_t wm_os_internal_get_time(void);
uint32_t wm_os_internal_get_time_ms(void);
void wm_os_internal_time_delay(uint32_t ticks);
void wm_os_internal_time_delay_ms(uint32_t ms);

/* Nothing else runs between these two; they nest. Never block inside. */
void wm_os_internal_set_critical(void);
void wm_os_internal_release_critical(void);

/* Software timers; callbacks run in the timer task. Starting or changing an active timer starts its period anew. */
wm_os_status_t wm_os_internal_timer_create(wm_os_timer_t **timer, wm_os_timer_callback callback, void *callback_arg,
                                           uint32_t period, bool repeat, char *name);
wm_os_status_t wm_os_internal_timer_create_ms(wm_os_timer_t **timer, wm_os_timer_callback callback, void *callback_arg,
                                              uint32_t period_ms, bool repeat, char *name);
void wm_os_internal_timer_start(wm_os_timer_t *timer);
void wm_os_internal_timer_change(wm_os_timer_t *timer, uint32_t ticks);
void wm_os_internal_timer_change_ms(wm_os_timer_t *timer, uint32_t ms);
void wm_os_internal_timer_stop(wm_os_timer_t *timer);
void wm_os_internal_timer_reset(wm_os_timer_t *timer);
wm_os_status_t wm_os_internal_timer_delete(wm_os_timer_t *timer);
uint8_t wm_os_internal_timer_active(wm_os_timer_t *timer);

/* 1 in an interrupt (on the virtual board: in a thread that is no task), else 0. */
uint8_t wm_os_internal_get_isr_count(void);

#ifdef CONFIG_HEAP_USE_TRACING
void *wm_os_internal_calloc_tracing(size_t nelem, size_t elsize, const char *file, int line);
#define wm_os_internal_calloc(nelem, elsize) wm_os_internal_calloc_tracing(nelem, elsize, __FILE__, __LINE__)
#else
void *wm_os_internal_calloc(size_t nelem, size_t elsize);
#endif
#define wm_os_internal_malloc(size) wm_heap_caps_alloc(size, WM_HEAP_CAP_DEFAULT)
#define wm_os_internal_realloc(ptr, size) wm_heap_caps_realloc(ptr, size, WM_HEAP_CAP_DEFAULT)
#define wm_os_internal_free(ptr) wm_heap_caps_free(ptr)

#ifdef __cplusplus
}
#endif

#endif
