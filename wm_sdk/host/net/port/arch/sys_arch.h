/* lwIP's semaphores, mailboxes and threads are the OSAL's semaphores, queues and tasks. */
#ifndef W800_NET_ARCH_SYS_ARCH_H
#define W800_NET_ARCH_SYS_ARCH_H

#include "wm_osal.h"

typedef wm_os_sem_t *sys_sem_t;
typedef wm_os_queue_t *sys_mbox_t;
typedef wm_os_task_t sys_thread_t;
typedef int sys_prot_t;

#define SYS_SEM_NULL NULL
#define SYS_MBOX_NULL NULL

#define sys_sem_valid(sem) (*(sem) != SYS_SEM_NULL)
#define sys_sem_set_invalid(sem) (*(sem) = SYS_SEM_NULL)
#define sys_mbox_valid(mbox) (*(mbox) != SYS_MBOX_NULL)
#define sys_mbox_set_invalid(mbox) (*(mbox) = SYS_MBOX_NULL)

/*
 * The semaphore that the calling task waits on in socket calls; made at its first one. As on the chip, a task that ends
 * without lwip_socket_thread_cleanup leaves it on the heap.
 */
sys_sem_t *net_thread_semaphore(void);
void net_thread_semaphore_free(void);

#endif
