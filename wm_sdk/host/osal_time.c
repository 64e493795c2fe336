/*
 * Time, delays and software timers. The timer task sleeps until the nearest expiry and runs callbacks one after
 * another, at the priority it has on the chip; like there it costs no heap of its own beyond what FreeRTOS keeps
 * static.
 */
#include "osal_time.h"

#include <string.h>

#include "kernel.h"
#include "wm_osal.h"

/* The chip keeps this task's memory static; here it is charged, so it is kept small. */
#define TIMER_TASK_STACK 64

struct timer {
    struct timer *next;
    kernel_time expires;
    uint32_t period;
    bool repeat;
    bool active;
    wm_os_timer_callback callback;
    void *argument;
};

static kernel_time booted;
static uint32_t first_ms;
static struct timer *timers;
static struct wait_list timer_task;
static struct wait_list sleepers;

void time_start(uint32_t uptime_ms)
{
    booted = kernel_now();
    first_ms = uptime_ms;
}

uint32_t wm_os_internal_get_time(void)
{
    kernel_checkpoint();
    return first_ms + (uint32_t)((kernel_now() - booted) / KERNEL_TICK_NS);
}

uint32_t wm_os_internal_get_time_ms(void)
{
    return wm_os_internal_get_time();
}

void wm_os_internal_time_delay(uint32_t ticks)
{
    kernel_time deadline = kernel_deadline(ticks);
    if (ticks == 0) {
        wm_os_internal_task_yield();
        return;
    }
    kernel_lock();
    while (kernel_wait(&sleepers, deadline)) {
    }
    kernel_unlock();
}

void wm_os_internal_time_delay_ms(uint32_t ms)
{
    wm_os_internal_time_delay(ms);
}

/* Timers; the list is sorted by expiry. */

static void disarm(struct timer *timer)
{
    for (struct timer **link = &timers; *link; link = &(*link)->next) {
        if (*link == timer) {
            *link = timer->next;
            break;
        }
    }
    timer->active = false;
}

static void arm(struct timer *timer, kernel_time expires)
{
    disarm(timer);
    struct timer **link = &timers;
    while (*link && (*link)->expires <= expires) {
        link = &(*link)->next;
    }
    timer->expires = expires;
    timer->active = true;
    timer->next = *link;
    *link = timer;
    kernel_wake_one(&timer_task);
}

static void expire(struct timer *timer)
{
    wm_os_timer_callback callback = timer->callback;
    void *argument = timer->argument;
    if (timer->repeat) {
        arm(timer, timer->expires + timer->period * KERNEL_TICK_NS);
    } else {
        disarm(timer);
    }
    kernel_unlock();
    if (callback) {
        callback(timer, argument);
    }
    kernel_lock();
}

static void run_timers(void *unused)
{
    (void)unused;
    kernel_lock();
    for (;;) {
        if (timers && timers->expires <= kernel_now()) {
            expire(timers);
        } else {
            kernel_wait(&timer_task, timers ? timers->expires : KERNEL_FOREVER);
        }
    }
}

void timers_start(void)
{
    if (wm_os_internal_task_create(NULL, "Tmr Svc", run_timers, NULL, TIMER_TASK_STACK,
                                   CONFIG_FREERTOS_TIMER_TASK_PRIORITY, 0) != WM_OS_STATUS_SUCCESS) {
        kernel_panic("no memory for the timer task");
    }
}

wm_os_status_t wm_os_internal_timer_create(wm_os_timer_t **timer, wm_os_timer_callback callback, void *callback_arg,
                                           uint32_t period, bool repeat, char *name)
{
    (void)name;
    struct timer *created = wm_os_internal_calloc(1, sizeof *created);
    if (!created) {
        return WM_OS_STATUS_ERROR;
    }
    created->callback = callback;
    created->argument = callback_arg;
    created->period = period ? period : 1;
    created->repeat = repeat;
    if (timer) {
        *timer = created;
    }
    return WM_OS_STATUS_SUCCESS;
}

wm_os_status_t wm_os_internal_timer_create_ms(wm_os_timer_t **timer, wm_os_timer_callback callback, void *callback_arg,
                                              uint32_t period_ms, bool repeat, char *name)
{
    return wm_os_internal_timer_create(timer, callback, callback_arg, period_ms, repeat, name);
}

void wm_os_internal_timer_start(wm_os_timer_t *timer)
{
    kernel_lock();
    arm(timer, kernel_deadline(((struct timer *)timer)->period));
    kernel_unlock();
}

void wm_os_internal_timer_reset(wm_os_timer_t *timer)
{
    wm_os_internal_timer_start(timer);
}

void wm_os_internal_timer_change(wm_os_timer_t *timer, uint32_t ticks)
{
    kernel_lock();
    ((struct timer *)timer)->period = ticks ? ticks : 1;
    arm(timer, kernel_deadline(((struct timer *)timer)->period));
    kernel_unlock();
}

void wm_os_internal_timer_change_ms(wm_os_timer_t *timer, uint32_t ms)
{
    wm_os_internal_timer_change(timer, ms);
}

void wm_os_internal_timer_stop(wm_os_timer_t *timer)
{
    kernel_lock();
    disarm(timer);
    kernel_unlock();
}

wm_os_status_t wm_os_internal_timer_delete(wm_os_timer_t *timer)
{
    if (timer) {
        wm_os_internal_timer_stop(timer);
        wm_os_internal_free(timer);
    }
    return WM_OS_STATUS_SUCCESS;
}

uint8_t wm_os_internal_timer_active(wm_os_timer_t *timer)
{
    kernel_lock();
    bool active = ((struct timer *)timer)->active;
    kernel_unlock();
    return active;
}
