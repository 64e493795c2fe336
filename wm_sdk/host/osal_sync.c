/*
 * Semaphores, mutexes and queues. As in FreeRTOS a woken task looks again for what it waited for: a higher one may have
 * taken it meanwhile.
 */
#include <string.h>

#include "kernel.h"
#include "wm_osal.h"

#define SEM_MAX UINT16_MAX
#define DEFAULT_QUEUE_SIZE 10

struct semaphore {
    uint32_t count;
    struct wait_list waiters;
};

struct mutex {
    struct task *holder;
    uint32_t depth;
    bool recursive;
    struct wait_list waiters;
};

struct queue {
    uint32_t item_size;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    struct wait_list receivers;
    struct wait_list senders;
    unsigned char items[];
};

static wm_os_status_t status(bool done)
{
    return done ? WM_OS_STATUS_SUCCESS : WM_OS_STATUS_ERROR;
}

static void must_be_idle(const struct wait_list *list)
{
    if (list->head) {
        kernel_panic("a semaphore, mutex or queue is deleted while a task waits for it");
    }
}

/* Semaphores */

wm_os_status_t wm_os_internal_sem_create(wm_os_sem_t **sem, uint32_t cnt)
{
    struct semaphore *created = wm_os_internal_calloc(1, sizeof *created);
    if (created) {
        created->count = cnt < SEM_MAX ? cnt : SEM_MAX;
    }
    *sem = created;
    return status(created != NULL);
}

wm_os_status_t wm_os_internal_sem_delete(wm_os_sem_t *sem)
{
    must_be_idle(&((struct semaphore *)sem)->waiters);
    wm_os_internal_free(sem);
    return WM_OS_STATUS_SUCCESS;
}

wm_os_status_t wm_os_internal_sem_acquire(wm_os_sem_t *sem, uint32_t wait_time)
{
    struct semaphore *semaphore = sem;
    kernel_time deadline = kernel_deadline(wait_time);
    kernel_lock();
    bool may_wait = wait_time != 0;
    while (semaphore->count == 0 && may_wait) {
        may_wait = kernel_wait(&semaphore->waiters, deadline);
    }
    bool taken = semaphore->count > 0;
    if (taken) {
        semaphore->count--;
    }
    kernel_unlock();
    return status(taken);
}

wm_os_status_t wm_os_internal_sem_acquire_ms(wm_os_sem_t *sem, uint32_t wait_time_ms)
{
    return wm_os_internal_sem_acquire(sem, wait_time_ms);
}

wm_os_status_t wm_os_internal_sem_release(wm_os_sem_t *sem)
{
    struct semaphore *semaphore = sem;
    kernel_lock();
    bool given = semaphore->count < SEM_MAX;
    if (given) {
        semaphore->count++;
        kernel_wake_one(&semaphore->waiters);
    }
    kernel_unlock();
    return status(given);
}

wm_os_status_t wm_os_internal_sem_reset(wm_os_sem_t *sem)
{
    kernel_lock();
    ((struct semaphore *)sem)->count = 0;
    kernel_unlock();
    return WM_OS_STATUS_SUCCESS;
}

uint16_t wm_os_internal_sem_get_count(wm_os_sem_t *sem)
{
    kernel_lock();
    uint32_t count = ((struct semaphore *)sem)->count;
    kernel_unlock();
    return (uint16_t)count;
}

/* Mutexes */

static wm_os_status_t create_mutex(wm_os_mutex_t **mutex, bool recursive)
{
    struct mutex *created = wm_os_internal_calloc(1, sizeof *created);
    if (created) {
        created->recursive = recursive;
    }
    *mutex = created;
    return status(created != NULL);
}

wm_os_status_t wm_os_internal_mutex_create(wm_os_mutex_t **mutex)
{
    return create_mutex(mutex, false);
}

wm_os_status_t wm_os_internal_recursive_mutex_create(wm_os_mutex_t **mutex)
{
    return create_mutex(mutex, true);
}

wm_os_status_t wm_os_internal_mutex_delete(wm_os_mutex_t *mutex)
{
    must_be_idle(&((struct mutex *)mutex)->waiters);
    wm_os_internal_free(mutex);
    return WM_OS_STATUS_SUCCESS;
}

wm_os_status_t wm_os_internal_recursive_mutex_delete(wm_os_mutex_t *mutex)
{
    return wm_os_internal_mutex_delete(mutex);
}

static bool wait_for_mutex(struct mutex *mutex, kernel_time deadline)
{
    kernel_lend_priority(mutex->holder, kernel_priority(kernel_self()));
    return kernel_wait(&mutex->waiters, deadline);
}

wm_os_status_t wm_os_internal_mutex_acquire(wm_os_mutex_t *mutex, uint32_t wait_time)
{
    struct mutex *wanted = mutex;
    kernel_time deadline = kernel_deadline(wait_time);
    if (!kernel_self()) {
        kernel_panic("a thread that is no task takes a mutex");
    }
    kernel_lock();
    bool again = wanted->recursive && wanted->holder == kernel_self();
    bool may_wait = wait_time != 0;
    while (wanted->holder && !again && may_wait) {
        may_wait = wait_for_mutex(wanted, deadline);
    }
    bool taken = again || !wanted->holder;
    if (taken) {
        wanted->holder = kernel_self();
        wanted->depth++;
    }
    if (taken && !again) {
        kernel_mutex_taken();
    }
    kernel_unlock();
    return status(taken);
}

wm_os_status_t wm_os_internal_recursive_mutex_acquire(wm_os_mutex_t *mutex, uint32_t wait_time)
{
    return wm_os_internal_mutex_acquire(mutex, wait_time);
}

wm_os_status_t wm_os_internal_mutex_release(wm_os_mutex_t *mutex)
{
    struct mutex *held = mutex;
    kernel_lock();
    bool mine = held->holder && held->holder == kernel_self();
    if (mine && --held->depth == 0) {
        held->holder = NULL;
        kernel_mutex_given();
        kernel_wake_one(&held->waiters);
    }
    kernel_unlock();
    return status(mine);
}

wm_os_status_t wm_os_internal_recursive_mutex_release(wm_os_mutex_t *mutex)
{
    return wm_os_internal_mutex_release(mutex);
}

/* Queues */

wm_os_status_t wm_os_internal_queue_create_ex(wm_os_queue_t **queue, uint32_t item_size, uint32_t queue_size)
{
    uint32_t capacity = queue_size ? queue_size : DEFAULT_QUEUE_SIZE;
    struct queue *created = wm_os_internal_calloc(1, sizeof *created + (size_t)capacity * item_size);
    if (created) {
        created->item_size = item_size;
        created->capacity = capacity;
    }
    *queue = created;
    return status(created != NULL);
}

wm_os_status_t wm_os_internal_queue_create(wm_os_queue_t **queue, uint32_t queue_size)
{
    return wm_os_internal_queue_create_ex(queue, sizeof(void *), queue_size);
}

wm_os_status_t wm_os_internal_queue_delete(wm_os_queue_t *queue)
{
    if (queue) {
        must_be_idle(&((struct queue *)queue)->receivers);
        must_be_idle(&((struct queue *)queue)->senders);
        wm_os_internal_free(queue);
    }
    return WM_OS_STATUS_SUCCESS;
}

static unsigned char *slot(struct queue *queue, uint32_t index)
{
    return queue->items + (size_t)(index % queue->capacity) * queue->item_size;
}

static wm_os_status_t send(struct queue *queue, const void *item, bool to_front, uint32_t wait_time)
{
    kernel_time deadline = kernel_deadline(wait_time);
    kernel_lock();
    bool may_wait = wait_time != 0;
    while (queue->count == queue->capacity && may_wait) {
        may_wait = kernel_wait(&queue->senders, deadline);
    }
    bool room = queue->count < queue->capacity;
    if (room && to_front) {
        queue->first = (queue->first + queue->capacity - 1) % queue->capacity;
    }
    if (room) {
        memcpy(slot(queue, to_front ? queue->first : queue->first + queue->count), item, queue->item_size);
        queue->count++;
        kernel_wake_one(&queue->receivers);
    }
    kernel_unlock();
    return status(room);
}

wm_os_status_t wm_os_internal_queue_send(wm_os_queue_t *queue, void *msg)
{
    return send(queue, &msg, false, 0);
}

wm_os_status_t wm_os_internal_queue_send_to_back(wm_os_queue_t *queue, void *msg)
{
    return send(queue, &msg, false, 0);
}

wm_os_status_t wm_os_internal_queue_send_to_front(wm_os_queue_t *queue, void *msg)
{
    return send(queue, &msg, true, 0);
}

wm_os_status_t wm_os_internal_queue_send_ex(wm_os_queue_t *queue, void *msg)
{
    return send(queue, msg, false, 0);
}

wm_os_status_t wm_os_internal_queue_forever_send(wm_os_queue_t *queue, void *msg)
{
    return send(queue, &msg, false, WM_OS_WAIT_TIME_MAX);
}

wm_os_status_t wm_os_internal_queue_receive(wm_os_queue_t *queue, void **msg, uint32_t wait_time)
{
    struct queue *from = queue;
    kernel_time deadline = kernel_deadline(wait_time);
    kernel_lock();
    bool may_wait = wait_time != 0;
    while (from->count == 0 && may_wait) {
        may_wait = kernel_wait(&from->receivers, deadline);
    }
    bool any = from->count > 0;
    if (any) {
        memcpy(msg, slot(from, from->first), from->item_size);
        from->first = (from->first + 1) % from->capacity;
        from->count--;
        kernel_wake_one(&from->senders);
    }
    kernel_unlock();
    return status(any);
}

wm_os_status_t wm_os_internal_queue_receive_ms(wm_os_queue_t *queue, void **msg, uint32_t wait_time_ms)
{
    return wm_os_internal_queue_receive(queue, msg, wait_time_ms);
}

uint8_t wm_os_internal_queue_is_empty(wm_os_queue_t *queue)
{
    kernel_lock();
    bool empty = ((struct queue *)queue)->count == 0;
    kernel_unlock();
    return empty;
}

uint32_t wm_os_internal_queue_space_available(wm_os_queue_t *queue)
{
    kernel_lock();
    uint32_t space = ((struct queue *)queue)->capacity - ((struct queue *)queue)->count;
    kernel_unlock();
    return space;
}
