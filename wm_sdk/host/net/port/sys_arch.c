/*
 * lwIP's system layer on the OSAL. It may be called from tasks only.
 *
 * A lack of memory for a semaphore or a mailbox ends the program, as the assertions in the SDK's own system layer do.
 */
#include <stdbool.h>

#include "lwip/debug.h"
#include "lwip/err.h"
#include "lwip/sys.h"

#ifdef __csky__
/* Semaphores are pointers, as the words that tasks have for themselves (wm_sdk/chip/board.h). */
void **board_task_word(void);
#define thread_semaphore (*board_task_word())
#else
static _Thread_local sys_sem_t thread_semaphore;
#endif

void sys_init(void) {}

u32_t sys_now(void)
{
    return wm_os_internal_get_time_ms();
}

/* Critical sections nest, and no other task runs inside one. */
sys_prot_t sys_arch_protect(void)
{
    wm_os_internal_set_critical();
    return 0;
}

void sys_arch_unprotect(sys_prot_t previous)
{
    (void)previous;
    wm_os_internal_release_critical();
}

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
    *sem = SYS_SEM_NULL;
    bool created = wm_os_internal_sem_create(sem, count) == WM_OS_STATUS_SUCCESS;
    LWIP_ASSERT("no memory for a semaphore", created);
    return created ? ERR_OK : ERR_MEM;
}

void sys_sem_free(sys_sem_t *sem)
{
    if (sys_sem_valid(sem)) {
        wm_os_internal_sem_delete(*sem);
        sys_sem_set_invalid(sem);
    }
}

void sys_sem_signal(sys_sem_t *sem)
{
    wm_os_internal_sem_release(*sem);
}

/* lwIP means "for ever" with 0. */
static uint32_t wait_limit(u32_t timeout)
{
    return timeout == 0 ? WM_OS_WAIT_TIME_MAX : timeout;
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout)
{
    uint32_t start = wm_os_internal_get_time_ms();
    if (wm_os_internal_sem_acquire_ms(*sem, wait_limit(timeout)) != WM_OS_STATUS_SUCCESS) {
        return SYS_ARCH_TIMEOUT;
    }
    return wm_os_internal_get_time_ms() - start;
}

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
    *mbox = SYS_MBOX_NULL;
    bool created = wm_os_internal_queue_create(mbox, (uint32_t)size) == WM_OS_STATUS_SUCCESS;
    LWIP_ASSERT("no memory for a mailbox", created);
    return created ? ERR_OK : ERR_MEM;
}

void sys_mbox_free(sys_mbox_t *mbox)
{
    if (sys_mbox_valid(mbox)) {
        wm_os_internal_queue_delete(*mbox);
        sys_mbox_set_invalid(mbox);
    }
}

void sys_mbox_post(sys_mbox_t *mbox, void *message)
{
    wm_os_internal_queue_forever_send(*mbox, message);
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *message)
{
    return wm_os_internal_queue_send(*mbox, message) == WM_OS_STATUS_SUCCESS ? ERR_OK : ERR_MEM;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *message)
{
    return sys_mbox_trypost(mbox, message);
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **message, u32_t timeout)
{
    uint32_t start = wm_os_internal_get_time_ms();
    void *received = NULL;
    if (wm_os_internal_queue_receive_ms(*mbox, &received, wait_limit(timeout)) != WM_OS_STATUS_SUCCESS) {
        return SYS_ARCH_TIMEOUT;
    }
    if (message != NULL) {
        *message = received;
    }
    return wm_os_internal_get_time_ms() - start;
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **message)
{
    void *received = NULL;
    if (wm_os_internal_queue_receive_ms(*mbox, &received, 0) != WM_OS_STATUS_SUCCESS) {
        return SYS_MBOX_EMPTY;
    }
    if (message != NULL) {
        *message = received;
    }
    return 0;
}

sys_thread_t sys_thread_new(const char *name, lwip_thread_fn entry, void *argument, int stack_size, int priority)
{
    wm_os_task_t task = NULL;
    if (wm_os_internal_task_create(&task, name, entry, argument, (uint32_t)stack_size, (uint32_t)priority, 0) !=
        WM_OS_STATUS_SUCCESS) {
        return NULL;
    }
    return task;
}

sys_sem_t *net_thread_semaphore(void)
{
    if (!sys_sem_valid(&thread_semaphore)) {
        sys_sem_new(&thread_semaphore, 0);
    }
    return &thread_semaphore;
}

void net_thread_semaphore_free(void)
{
    sys_sem_free(&thread_semaphore);
}
