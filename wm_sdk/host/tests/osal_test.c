/* The OSAL keeps the promises of kernel.h and wm_osal.h. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "heap.h"
#include "kernel.h"
#include "wm_osal.h"

#define LOW 3
#define CONTROLLER 5
#define MIDDLE 6
#define HIGH 8
#define STACK 1024

static char trace[64];
static size_t traced;

static void note(char mark)
{
    trace[traced++] = mark;
    trace[traced] = '\0';
}

static void clear_trace(void)
{
    traced = 0;
    trace[0] = '\0';
}

/* Lets lower tasks run until they have written so much. */
static void wait_for_notes(size_t count)
{
    for (int ms = 0; ms < 5000 && traced < count; ms++) {
        wm_os_internal_time_delay_ms(1);
    }
}

static wm_os_task_t start(void (*entry)(void *), void *param, uint32_t priority)
{
    wm_os_task_t task;
    CHECK(wm_os_internal_task_create(&task, "t", entry, param, STACK, priority, 0) == WM_OS_STATUS_SUCCESS);
    return task;
}

static void note_and_end(void *mark)
{
    note(*(const char *)mark);
    wm_os_internal_task_del(NULL);
}

static void higher_runs_at_once_lower_when_we_wait(void)
{
    clear_trace();
    start(note_and_end, "a", LOW);
    start(note_and_end, "b", LOW);
    start(note_and_end, "h", HIGH);
    start(note_and_end, "e", CONTROLLER);
    note('c');
    CHECK_TEXT(trace, "hc");
    wm_os_internal_task_yield();
    CHECK_TEXT(trace, "hce");
    wait_for_notes(5);
    CHECK_TEXT(trace, "hceab");
}

static void wait_and_note(void *sem)
{
    CHECK(wm_os_internal_sem_acquire(sem, WM_OS_WAIT_TIME_MAX) == WM_OS_STATUS_SUCCESS);
    note('w');
    wm_os_internal_task_del(NULL);
}

static void release_gives_way_to_a_higher_waiter_only(void)
{
    wm_os_sem_t *sem;
    CHECK(wm_os_internal_sem_create(&sem, 0) == WM_OS_STATUS_SUCCESS);
    clear_trace();
    start(wait_and_note, sem, HIGH);
    wm_os_internal_sem_release(sem);
    note('c');
    CHECK_TEXT(trace, "wc");
    clear_trace();
    start(wait_and_note, sem, LOW);
    wm_os_internal_sem_release(sem);
    note('c');
    wait_for_notes(2);
    CHECK_TEXT(trace, "cw");
    wm_os_internal_sem_delete(sem);
}

static void critical_section_puts_preemption_off(void)
{
    wm_os_sem_t *sem;
    wm_os_internal_sem_create(&sem, 0);
    clear_trace();
    start(wait_and_note, sem, HIGH);
    wm_os_internal_set_critical();
    wm_os_internal_set_critical();
    wm_os_internal_sem_release(sem);
    wm_os_internal_release_critical();
    note('c');
    wm_os_internal_release_critical();
    CHECK_TEXT(trace, "cw");
    wm_os_internal_sem_delete(sem);
}

static void *release_from_outside(void *sem)
{
    CHECK(wm_os_internal_get_isr_count() == 1);
    wm_os_internal_sem_release(sem);
    return NULL;
}

static void interrupt_takes_effect_at_the_next_call(void)
{
    wm_os_sem_t *sem;
    pthread_t outside;
    wm_os_internal_sem_create(&sem, 0);
    clear_trace();
    start(wait_and_note, sem, HIGH);
    pthread_create(&outside, NULL, release_from_outside, sem);
    pthread_join(outside, NULL);
    note('c');
    CHECK(wm_os_internal_get_isr_count() == 0);
    wm_os_internal_get_time_ms();
    CHECK_TEXT(trace, "cw");
    wm_os_internal_sem_delete(sem);
}

static void waits_time_out(void)
{
    wm_os_sem_t *sem;
    wm_os_queue_t *queue;
    void *message;
    wm_os_internal_sem_create(&sem, 0);
    wm_os_internal_queue_create(&queue, 1);
    uint32_t before = wm_os_internal_get_time_ms();
    CHECK(wm_os_internal_sem_acquire_ms(sem, 0) == WM_OS_STATUS_ERROR);
    CHECK(wm_os_internal_sem_acquire_ms(sem, 30) == WM_OS_STATUS_ERROR);
    CHECK(wm_os_internal_queue_receive_ms(queue, &message, 30) == WM_OS_STATUS_ERROR);
    uint32_t waited = wm_os_internal_get_time_ms() - before;
    CHECK(waited >= 60 && waited < 2000);
    wm_os_internal_queue_delete(queue);
    wm_os_internal_sem_delete(sem);
}

static wm_os_mutex_t *mutex;
static wm_os_sem_t *go_on;

static void hold_until_told(void *unused)
{
    (void)unused;
    wm_os_internal_mutex_acquire(mutex, WM_OS_WAIT_TIME_MAX);
    note('l');
    wm_os_internal_sem_acquire(go_on, WM_OS_WAIT_TIME_MAX);
    note('l');
    wm_os_internal_mutex_release(mutex);
    note('e');
    wm_os_internal_task_del(NULL);
}

static void want_mutex(void *unused)
{
    (void)unused;
    wm_os_internal_mutex_acquire(mutex, WM_OS_WAIT_TIME_MAX);
    note('h');
    wm_os_internal_mutex_release(mutex);
    wm_os_internal_task_del(NULL);
}

static void tell_holder(void *unused)
{
    (void)unused;
    wm_os_internal_sem_release(go_on);
    note('m');
    wm_os_internal_task_del(NULL);
}

/* The holder runs before the middle task goes on although its own priority is lower, and only until it releases. */
static void holder_of_a_mutex_inherits_priority(void)
{
    clear_trace();
    CHECK(wm_os_internal_mutex_create(&mutex) == WM_OS_STATUS_SUCCESS);
    wm_os_internal_sem_create(&go_on, 0);
    start(hold_until_told, NULL, LOW);
    wait_for_notes(1);
    start(want_mutex, NULL, HIGH);
    start(tell_holder, NULL, MIDDLE);
    wait_for_notes(5);
    CHECK_TEXT(trace, "llhme");
    CHECK(wm_os_internal_mutex_release(mutex) == WM_OS_STATUS_ERROR);
    wm_os_internal_mutex_delete(mutex);
    wm_os_internal_sem_delete(go_on);
}

static void release_what_another_holds(void *unused)
{
    (void)unused;
    note(wm_os_internal_mutex_release(mutex) == WM_OS_STATUS_ERROR ? 'n' : '!');
    note(wm_os_internal_mutex_acquire(mutex, 0) == WM_OS_STATUS_ERROR ? 'n' : '!');
    note(wm_os_internal_mutex_acquire(mutex, 30) == WM_OS_STATUS_ERROR ? 't' : '!');
    wm_os_internal_task_del(NULL);
}

/* Neither another task's release nor its patience takes a mutex from its holder; the holder itself gets it once only.
 */
static void mutex_stays_with_its_holder(void)
{
    struct heap_figures before = heap_get_figures();
    clear_trace();
    CHECK(wm_os_internal_mutex_create(&mutex) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_mutex_acquire(mutex, 0) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_mutex_acquire(mutex, 0) == WM_OS_STATUS_ERROR);
    start(release_what_another_holds, NULL, HIGH);
    wait_for_notes(3);
    CHECK_TEXT(trace, "nnt");
    CHECK(wm_os_internal_mutex_release(mutex) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_mutex_release(mutex) == WM_OS_STATUS_ERROR);
    CHECK(wm_os_internal_mutex_delete(mutex) == WM_OS_STATUS_SUCCESS);
    CHECK(heap_get_figures().used == before.used);
}

/* Equals get the CPU at calls that would otherwise keep it; a lower task never does while its better is ready. */
static void seed_lets_equals_in_and_no_lower_task(void)
{
    wm_os_sem_t *sem;
    CHECK(wm_os_internal_sem_create(&sem, 0) == WM_OS_STATUS_SUCCESS);
    clear_trace();
    start(note_and_end, "l", LOW);
    start(note_and_end, "e", CONTROLLER);
    kernel_preempt(7);
    for (int i = 0; i < 200; i++) {
        CHECK(wm_os_internal_sem_release(sem) == WM_OS_STATUS_SUCCESS);
        CHECK(wm_os_internal_sem_acquire(sem, 0) == WM_OS_STATUS_SUCCESS);
    }
    kernel_preempt(0);
    CHECK_TEXT(trace, "e");
    wait_for_notes(2);
    CHECK_TEXT(trace, "el");
    wm_os_internal_sem_delete(sem);
}

static void recursive_mutex_counts(void)
{
    wm_os_mutex_t *again;
    wm_os_internal_recursive_mutex_create(&again);
    CHECK(wm_os_internal_recursive_mutex_acquire(again, 0) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_recursive_mutex_acquire(again, 0) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_recursive_mutex_release(again) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_recursive_mutex_release(again) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_recursive_mutex_release(again) == WM_OS_STATUS_ERROR);
    wm_os_internal_recursive_mutex_delete(again);
}

static void never_end(void *sem)
{
    wm_os_internal_sem_acquire(sem, WM_OS_WAIT_TIME_MAX);
    note('!');
}

static void deleting_a_task_gives_everything_back(void)
{
    wm_os_sem_t *sem;
    struct heap_figures before = heap_get_figures();
    wm_os_internal_sem_create(&sem, 0);
    clear_trace();
    for (int i = 0; i < 50; i++) {
        wm_os_task_t blocked = start(never_end, sem, HIGH);
        wm_os_task_t not_begun = start(never_end, sem, LOW);
        CHECK(heap_get_figures().used > before.used + 2 * STACK);
        wm_os_internal_task_del(blocked);
        wm_os_internal_task_del(not_begun);
        start(note_and_end, ".", HIGH);
        clear_trace();
    }
    wm_os_internal_sem_release(sem);
    CHECK(wm_os_internal_sem_get_count(sem) == 1);
    wm_os_internal_sem_delete(sem);
    CHECK_TEXT(trace, "");
    CHECK(heap_get_figures().used == before.used && heap_get_figures().blocks == before.blocks);
}

static void queue_keeps_order_and_limit(void)
{
    wm_os_queue_t *queue;
    void *message;
    char items[3] = "abc";
    wm_os_internal_queue_create(&queue, 2);
    CHECK(wm_os_internal_queue_is_empty(queue));
    CHECK(wm_os_internal_queue_send(queue, &items[0]) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_queue_send_to_front(queue, &items[1]) == WM_OS_STATUS_SUCCESS);
    CHECK(wm_os_internal_queue_send(queue, &items[2]) == WM_OS_STATUS_ERROR);
    CHECK(wm_os_internal_queue_space_available(queue) == 0);
    CHECK(wm_os_internal_queue_receive(queue, &message, 0) == WM_OS_STATUS_SUCCESS && message == &items[1]);
    CHECK(wm_os_internal_queue_receive(queue, &message, 0) == WM_OS_STATUS_SUCCESS && message == &items[0]);
    CHECK(wm_os_internal_queue_receive(queue, &message, 0) == WM_OS_STATUS_ERROR);
    wm_os_internal_queue_delete(queue);
}

static void send_three(void *queue)
{
    static char items[3] = "123";
    for (int i = 0; i < 3; i++) {
        wm_os_internal_queue_forever_send(queue, &items[i]);
    }
    wm_os_internal_task_del(NULL);
}

static void full_queue_blocks_a_patient_sender(void)
{
    wm_os_queue_t *queue;
    void *message;
    wm_os_internal_queue_create(&queue, 1);
    start(send_three, queue, HIGH);
    clear_trace();
    for (int i = 0; i < 3; i++) {
        CHECK(wm_os_internal_queue_receive(queue, &message, WM_OS_WAIT_TIME_MAX) == WM_OS_STATUS_SUCCESS);
        note(*(char *)message);
    }
    CHECK_TEXT(trace, "123");
    wm_os_internal_queue_delete(queue);
}

static void note_timer(wm_os_timer_t *timer, void *mark)
{
    (void)timer;
    note(*(const char *)mark);
}

static void timers_fire_in_time(void)
{
    wm_os_timer_t *once;
    wm_os_timer_t *often;
    clear_trace();
    wm_os_internal_timer_create_ms(&once, note_timer, "o", 50, false, "once");
    wm_os_internal_timer_create_ms(&often, note_timer, "p", 100, true, "often");
    CHECK(!wm_os_internal_timer_active(once));
    wm_os_internal_timer_start(once);
    wm_os_internal_timer_start(often);
    wm_os_internal_time_delay_ms(250);
    CHECK_TEXT(trace, "opp");
    CHECK(!wm_os_internal_timer_active(once) && wm_os_internal_timer_active(often));
    wm_os_internal_timer_stop(often);
    wm_os_internal_timer_change_ms(once, 10);
    wait_for_notes(4);
    CHECK_TEXT(trace, "oppo");
    wm_os_internal_timer_start(once);
    wm_os_internal_timer_delete(once);
    wm_os_internal_timer_delete(often);
    wm_os_internal_time_delay_ms(40);
    CHECK_TEXT(trace, "oppo");
}

static void milliseconds_wrap(void)
{
    while ((int32_t)wm_os_internal_get_time_ms() < 0) {
        wm_os_internal_time_delay_ms(1);
    }
    CHECK(wm_os_internal_get_time_ms() < 60000);
}

static void heap_has_a_limit(void)
{
    struct heap_figures before = heap_get_figures();
    size_t free_bytes = wm_heap_get_free_size();
    CHECK(wm_os_internal_malloc(free_bytes) == NULL);
    CHECK(wm_os_internal_malloc(0) == NULL);
    CHECK(wm_os_internal_calloc((size_t)-1, 16) == NULL);
    char *block = wm_os_internal_malloc(free_bytes - 32);
    CHECK(block && wm_os_internal_malloc(64) == NULL);
    CHECK(wm_heap_get_minimum_ever_free_size() < 32);
    CHECK(wm_os_internal_realloc(block, free_bytes) == NULL);
    wm_os_internal_free(block);

    block = wm_os_internal_calloc(1, 4);
    CHECK(block[3] == 0);
    memcpy(block, "abc", 4);
    block = wm_os_internal_realloc(block, 100);
    CHECK_TEXT(block, "abc");
    CHECK(wm_os_internal_realloc(block, 0) == NULL);
    CHECK(heap_get_figures().used == before.used && heap_get_figures().blocks == before.blocks);
    CHECK(heap_get_figures().refused == before.refused + 3);
}

static void overrun(void)
{
    volatile char *block = wm_os_internal_malloc(10);
    block[10] = 0;
    wm_os_internal_free((void *)block);
}

/* In a process of its own, before any thread is there. */
static void heap_notices_an_overrun(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        fclose(stderr);
        overrun();
        _exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(higher_runs_at_once_lower_when_we_wait),
        TEST(release_gives_way_to_a_higher_waiter_only),
        TEST(critical_section_puts_preemption_off),
        TEST(interrupt_takes_effect_at_the_next_call),
        TEST(waits_time_out),
        TEST(holder_of_a_mutex_inherits_priority),
        TEST(mutex_stays_with_its_holder),
        TEST(seed_lets_equals_in_and_no_lower_task),
        TEST(recursive_mutex_counts),
        TEST(deleting_a_task_gives_everything_back),
        TEST(queue_keeps_order_and_limit),
        TEST(full_queue_blocks_a_patient_sender),
        TEST(timers_fire_in_time),
        TEST(milliseconds_wrap),
        TEST(heap_has_a_limit),
    };
    heap_notices_an_overrun();
    return run_tests(tests, sizeof tests / sizeof *tests, CONTROLLER);
}
