#include "check.h"

#include <pthread.h>

#include "heap.h"
#include "osal_time.h"
#include "wm_log.h"
#include "wm_osal.h"

/* Shortly before the ms counter wraps: the tests run across it. */
#define UPTIME_MS 0xffffff80u

static struct {
    const struct test *tests;
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done;
} run = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void run_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < run.count; i++) {
        run.tests[i].run();
        printf("ok %s\n", run.tests[i].name);
    }
    pthread_mutex_lock(&run.lock);
    run.done = 1;
    pthread_cond_signal(&run.changed);
    pthread_mutex_unlock(&run.lock);
    wm_os_internal_task_del(NULL);
}

int run_tests(const struct test *tests, size_t count, unsigned priority)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    run.tests = tests;
    run.count = count;
    time_start(UPTIME_MS);
    timers_start();
    if (wm_os_internal_task_create(NULL, "tests", run_all, NULL, 4096, priority, 0) != WM_OS_STATUS_SUCCESS) {
        return EXIT_FAILURE;
    }
    pthread_mutex_lock(&run.lock);
    while (!run.done) {
        pthread_cond_wait(&run.changed, &run.lock);
    }
    pthread_mutex_unlock(&run.lock);
    return EXIT_SUCCESS;
}
