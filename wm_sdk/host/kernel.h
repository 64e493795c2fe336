/*
 * One CPU for many threads: the scheduler under the OSAL.
 *
 * Every SDK task is a POSIX thread that runs only while it holds the CPU token, so tasks see what they see on the chip:
 * the highest-priority ready task runs, equals take turns in order of becoming ready, and nobody else runs in between.
 * A running task loses the token only inside an OSAL call: when it blocks, yields, or a higher task has become ready.
 * Threads that are no tasks (UART, network) play the interrupts: they may wake tasks and never wait for them.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct task;

/* Tasks waiting for one thing, highest priority first, in order of arrival among equals. */
struct wait_list {
    struct task *head;
};

/* Monotonic nanoseconds; KERNEL_FOREVER never comes. */
typedef uint64_t kernel_time;
#define KERNEL_FOREVER UINT64_MAX
#define KERNEL_TICK_NS UINT64_C(1000000)

kernel_time kernel_now(void);
kernel_time kernel_deadline(uint32_t ticks);

/* The scheduler's lock. Unlocking is where a task gives way to a higher one. */
void kernel_lock(void);
void kernel_unlock(void);

/*
 * From now on a task that unlocks pauses now and then, as seeded, so that interrupts come there, or gives way to an
 * equal, as the chip's time slices do. 0 ends it.
 */
void kernel_preempt(uint32_t seed);

/* With the lock held: false when `deadline` came before a wake-up. */
bool kernel_wait(struct wait_list *list, kernel_time deadline);
bool kernel_wake_one(struct wait_list *list);
/* With the lock held: how a mutex lends its waiter's priority to its holder, and takes it back. */
struct task *kernel_self(void);
void kernel_lend_priority(struct task *holder, unsigned priority);
void kernel_mutex_taken(void);
void kernel_mutex_given(void);
unsigned kernel_priority(const struct task *task);

/* Gives way to a higher task where there is one. */
void kernel_checkpoint(void);

/* Around a wait for the host (a file descriptor, a clock): other tasks run meanwhile. No effect outside a task. */
void kernel_leave_cpu(void);
void kernel_enter_cpu(void);

/* Rows for AT+SYSTASKS?. */
typedef void (*kernel_task_visitor)(const char *name, unsigned priority, void *context);
void kernel_for_each_task(kernel_task_visitor visit, void *context);

/* Prints the message and aborts: the firmware did what would hang or corrupt the chip. */
_Noreturn void kernel_panic(const char *what);

#endif
