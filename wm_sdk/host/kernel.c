/* Tasks and the CPU token; see kernel.h for the rules. */
#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wm_osal.h"
#include "wm_task_config.h"

/* What a task control block costs on the chip. */
#define TCB_BYTES 96
/* Threads of the host need more stack than the chip's tasks: wider pointers, a bigger C library, sanitizers. */
#define HOST_STACK_BYTES (1024 * 1024)
#define NAME_BYTES 16
/* With a seed, one unlocking of so many is a switch, and a pause lasts less than this. */
#define PREEMPT_ONE_IN 8
#define PREEMPT_PAUSE_US 256

enum task_state { TASK_READY, TASK_RUNNING, TASK_BLOCKED, TASK_OUTSIDE };

struct task {
    pthread_t thread;
    pthread_cond_t wake;
    jmp_buf end;
    char name[NAME_BYTES];
    void (*entry)(void *param);
    void *param;
    unsigned priority;
    unsigned own_priority;
    unsigned mutexes;
    enum task_state state;
    bool killed;
    bool timed_out;
    struct wait_list *waiting_in;
    struct task *next;
    struct task *next_of_all;
    void *stack;
    void *tcb;
};

static struct {
    pthread_mutex_t lock;
    struct task *running;
    struct task *ready[configMAX_PRIORITIES];
    struct task *all;
    /* The state of the dice; 0 while nobody wants them. */
    uint32_t dice;
} kernel = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_mutex_t critical_lock;
static pthread_once_t critical_once = PTHREAD_ONCE_INIT;
static _Thread_local unsigned critical_depth;
static _Thread_local struct task *self;

const uint32_t HZ = CONFIG_FREERTOS_HZ;

_Noreturn void kernel_panic(const char *what)
{
    fprintf(stderr, "w800: panic in task \"%s\": %s\n", self ? self->name : "-", what);
    abort();
}

kernel_time kernel_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (kernel_time)now.tv_sec * 1000000000u + (kernel_time)now.tv_nsec;
}

kernel_time kernel_deadline(uint32_t ticks)
{
    return ticks == WM_OS_WAIT_TIME_MAX ? KERNEL_FOREVER : kernel_now() + ticks * KERNEL_TICK_NS;
}

/* Queues */

static void append(struct task **list, struct task *task)
{
    while (*list) {
        list = &(*list)->next;
    }
    task->next = NULL;
    *list = task;
}

static void insert_by_priority(struct task **list, struct task *task)
{
    while (*list && (*list)->priority >= task->priority) {
        list = &(*list)->next;
    }
    task->next = *list;
    *list = task;
}

static bool take_out(struct task **list, struct task *task)
{
    for (; *list; list = &(*list)->next) {
        if (*list == task) {
            *list = task->next;
            task->next = NULL;
            return true;
        }
    }
    return false;
}

static struct task **highest_ready(void)
{
    for (int priority = configMAX_PRIORITIES - 1; priority >= 0; priority--) {
        if (kernel.ready[priority]) {
            return &kernel.ready[priority];
        }
    }
    return NULL;
}

/* The token */

static void dispatch(void)
{
    if (kernel.running) {
        return;
    }
    struct task **queue = highest_ready();
    if (!queue) {
        return;
    }
    struct task *next = *queue;
    take_out(queue, next);
    next->state = TASK_RUNNING;
    kernel.running = next;
    pthread_cond_signal(&next->wake);
}

static void make_ready(struct task *task)
{
    task->state = TASK_READY;
    append(&kernel.ready[task->priority], task);
}

static void give_up_cpu(void)
{
    kernel.running = NULL;
    dispatch();
}

static void stop_waiting(struct task *task)
{
    take_out(&task->waiting_in->head, task);
    task->waiting_in = NULL;
}

static void sleep_until(struct task *task, kernel_time deadline)
{
    if (task->state != TASK_BLOCKED || deadline == KERNEL_FOREVER) {
        pthread_cond_wait(&task->wake, &kernel.lock);
        return;
    }
    struct timespec at = {.tv_sec = (time_t)(deadline / 1000000000u), .tv_nsec = (long)(deadline % 1000000000u)};
    int error = pthread_cond_timedwait(&task->wake, &kernel.lock, &at);
    if (error == ETIMEDOUT && task->state == TASK_BLOCKED && !task->killed) {
        stop_waiting(task);
        task->timed_out = true;
        make_ready(task);
        dispatch();
    }
}

static void wait_for_cpu(kernel_time deadline)
{
    while (kernel.running != self) {
        if (self->killed) {
            pthread_mutex_unlock(&kernel.lock);
            longjmp(self->end, 1);
        }
        sleep_until(self, deadline);
    }
}

static void give_way_to_higher(void)
{
    struct task **queue = highest_ready();
    if (queue && (*queue)->priority > self->priority) {
        /* A preempted task stays first among its equals. */
        self->state = TASK_READY;
        self->next = kernel.ready[self->priority];
        kernel.ready[self->priority] = self;
        give_up_cpu();
        wait_for_cpu(KERNEL_FOREVER);
    }
}

/* Xorshift: never 0 from a state that is not. */
static uint32_t roll(void)
{
    kernel.dice ^= kernel.dice << 13;
    kernel.dice ^= kernel.dice >> 17;
    kernel.dice ^= kernel.dice << 5;
    return kernel.dice;
}

/* The token stays here, so no lower task runs meanwhile; "interrupts" make tasks ready. */
static void pause_for_interrupts(uint32_t microseconds)
{
    struct timespec pause = {.tv_nsec = (long)microseconds * 1000};
    pthread_mutex_unlock(&kernel.lock);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&kernel.lock);
}

static void give_way_to_all(void)
{
    make_ready(self);
    give_up_cpu();
    wait_for_cpu(KERNEL_FOREVER);
}

static void preempt(void)
{
    uint32_t thrown = kernel.dice ? roll() >> 8 : 1;
    if (thrown % PREEMPT_ONE_IN == 0) {
        pause_for_interrupts(thrown / PREEMPT_ONE_IN % PREEMPT_PAUSE_US);
        give_way_to_all();
    }
}

void kernel_preempt(uint32_t seed)
{
    kernel_lock();
    kernel.dice = seed;
    kernel_unlock();
}

void kernel_lock(void)
{
    pthread_mutex_lock(&kernel.lock);
}

void kernel_unlock(void)
{
    if (self && kernel.running == self && critical_depth == 0) {
        preempt();
        give_way_to_higher();
    }
    pthread_mutex_unlock(&kernel.lock);
}

void kernel_checkpoint(void)
{
    if (self) {
        kernel_lock();
        kernel_unlock();
    }
}

bool kernel_wait(struct wait_list *list, kernel_time deadline)
{
    if (!self) {
        kernel_panic("a thread that is no task waits in an OSAL call");
    }
    if (critical_depth > 0) {
        kernel_panic("blocking call inside a critical section");
    }
    if (deadline != KERNEL_FOREVER && deadline <= kernel_now()) {
        return false;
    }
    self->state = TASK_BLOCKED;
    self->timed_out = false;
    self->waiting_in = list;
    insert_by_priority(&list->head, self);
    give_up_cpu();
    wait_for_cpu(deadline);
    return !self->timed_out;
}

bool kernel_wake_one(struct wait_list *list)
{
    struct task *task = list->head;
    if (!task) {
        return false;
    }
    stop_waiting(task);
    make_ready(task);
    dispatch();
    return true;
}

void kernel_leave_cpu(void)
{
    if (!self) {
        return;
    }
    if (critical_depth > 0) {
        kernel_panic("blocking call inside a critical section");
    }
    kernel_lock();
    self->state = TASK_OUTSIDE;
    give_up_cpu();
    pthread_mutex_unlock(&kernel.lock);
}

void kernel_enter_cpu(void)
{
    if (!self) {
        return;
    }
    kernel_lock();
    if (!self->killed) {
        make_ready(self);
        dispatch();
    }
    wait_for_cpu(KERNEL_FOREVER);
    kernel_unlock();
}

/* Priority inheritance */

struct task *kernel_self(void)
{
    return self;
}

unsigned kernel_priority(const struct task *task)
{
    return task->priority;
}

static void set_priority(struct task *task, unsigned priority)
{
    bool queued = task->state == TASK_READY && take_out(&kernel.ready[task->priority], task);
    task->priority = priority;
    if (queued) {
        append(&kernel.ready[priority], task);
    } else if (task->state == TASK_BLOCKED) {
        take_out(&task->waiting_in->head, task);
        insert_by_priority(&task->waiting_in->head, task);
    }
}

void kernel_lend_priority(struct task *holder, unsigned priority)
{
    if (holder->priority < priority) {
        set_priority(holder, priority);
    }
}

void kernel_mutex_taken(void)
{
    self->mutexes++;
}

void kernel_mutex_given(void)
{
    self->mutexes--;
    if (self->mutexes == 0) {
        self->priority = self->own_priority;
    }
}

/* Birth and death */

static void forget(struct task *task)
{
    for (struct task **link = &kernel.all; *link; link = &(*link)->next_of_all) {
        if (*link == task) {
            *link = task->next_of_all;
            return;
        }
    }
}

static void free_task(struct task *task)
{
    wm_heap_caps_free(task->stack);
    wm_heap_caps_free(task->tcb);
    pthread_cond_destroy(&task->wake);
    free(task);
}

static void leave_for_good(void)
{
    struct task *task = self;
    kernel_lock();
    if (task->killed) {
        pthread_mutex_unlock(&kernel.lock);
        return;
    }
    forget(task);
    pthread_detach(task->thread);
    free_task(task);
    self = NULL;
    give_up_cpu();
    pthread_mutex_unlock(&kernel.lock);
}

static void *run_task(void *argument)
{
    self = argument;
    /* Deleting a task abandons its stack as it stands, as on the chip: nothing is unwound. */
    if (setjmp(self->end) == 0) {
        kernel_lock();
        wait_for_cpu(KERNEL_FOREVER);
        pthread_mutex_unlock(&kernel.lock);
        self->entry(self->param);
    }
    leave_for_good();
    return NULL;
}

static bool start_thread(struct task *task)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&task->wake, &clock);
    pthread_condattr_destroy(&clock);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, HOST_STACK_BYTES);
    int error = pthread_create(&task->thread, &attributes, run_task, task);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

static struct task *new_task(const char *name, uint32_t stack_bytes)
{
    struct task *task = calloc(1, sizeof *task);
    if (!task) {
        return NULL;
    }
    task->stack = wm_os_internal_malloc(stack_bytes);
    task->tcb = wm_os_internal_malloc(TCB_BYTES);
    if (!task->stack || !task->tcb) {
        wm_heap_caps_free(task->stack);
        wm_heap_caps_free(task->tcb);
        free(task);
        return NULL;
    }
    snprintf(task->name, sizeof task->name, "%s", name ? name : "");
    return task;
}

wm_os_status_t wm_os_internal_task_create(wm_os_task_t *task, const char *name, void (*entry)(void *param), void *param,
                                          uint32_t stk_size, uint32_t prio, uint32_t flag)
{
    (void)flag;
    struct task *created = new_task(name, stk_size);
    if (task) {
        *task = created;
    }
    if (!created) {
        return WM_OS_STATUS_ERROR;
    }
    created->entry = entry;
    created->param = param;
    created->priority = created->own_priority = prio < configMAX_PRIORITIES ? prio : configMAX_PRIORITIES - 1;

    kernel_lock();
    if (!start_thread(created)) {
        kernel_panic("the host cannot start a thread");
    }
    created->next_of_all = kernel.all;
    kernel.all = created;
    make_ready(created);
    dispatch();
    kernel_unlock();
    return WM_OS_STATUS_SUCCESS;
}

static void delete_other(struct task *task)
{
    kernel_lock();
    if (task->state == TASK_BLOCKED) {
        stop_waiting(task);
    } else if (task->state == TASK_READY) {
        take_out(&kernel.ready[task->priority], task);
    }
    forget(task);
    task->killed = true;
    pthread_cond_signal(&task->wake);
    pthread_mutex_unlock(&kernel.lock);

    pthread_join(task->thread, NULL);
    free_task(task);
    kernel_checkpoint();
}

wm_os_status_t wm_os_internal_task_del(wm_os_task_t *task)
{
    struct task *victim = (struct task *)task;
    if (!self) {
        kernel_panic("a thread that is no task deletes a task");
    }
    if (!victim || victim == self) {
        longjmp(self->end, 1);
    }
    delete_other(victim);
    return WM_OS_STATUS_SUCCESS;
}

wm_os_task_t wm_os_internal_task_id(void)
{
    return self;
}

const char *wm_os_internal_get_task_name(void)
{
    return self ? self->name : "Noname";
}

wm_os_sched_state_t wm_os_internal_task_schedule_state(void)
{
    return WM_OS_SCHED_RUNNING;
}

void wm_os_internal_task_yield(void)
{
    if (!self) {
        return;
    }
    kernel_lock();
    give_way_to_all();
    kernel_unlock();
}

uint32_t wm_os_internal_task_get_max_priority(void)
{
    return configMAX_PRIORITIES - 1;
}

uint8_t wm_os_internal_get_isr_count(void)
{
    return self ? 0 : 1;
}

void kernel_for_each_task(kernel_task_visitor visit, void *context)
{
    kernel_lock();
    for (struct task *task = kernel.all; task; task = task->next_of_all) {
        visit(task->name, task->own_priority, context);
    }
    kernel_unlock();
}

/* Critical sections: tasks exclude each other by the token alone; the lock keeps the "interrupts" out too. */

static void make_critical_lock(void)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&critical_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

void wm_os_internal_set_critical(void)
{
    pthread_once(&critical_once, make_critical_lock);
    pthread_mutex_lock(&critical_lock);
    critical_depth++;
}

void wm_os_internal_release_critical(void)
{
    critical_depth--;
    pthread_mutex_unlock(&critical_lock);
    if (critical_depth == 0) {
        kernel_checkpoint();
    }
}
