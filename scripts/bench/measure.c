/* See measure.h. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned long long now(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) {
        measure_fail("no such clock", "");
    }
    return (unsigned long long)time.tv_sec * 1000000000u + (unsigned long long)time.tv_nsec;
}

void measure_begin(struct measure *measure, clockid_t processor)
{
    measure->processor = processor;
    measure->processor_began = now(processor);
    measure->began = now(CLOCK_MONOTONIC);
}

void measure_end(struct measure *measure)
{
    measure->ended = now(CLOCK_MONOTONIC);
    measure->processor_ended = now(measure->processor);
}

void measure_print(const struct measure *measure, size_t heap_peak)
{
    fprintf(stderr, "{\"began\":%llu,\"ended\":%llu,\"processor\":%llu,\"own\":%llu,\"heap\":%zu}\n", measure->began,
            measure->ended, measure->processor_ended - measure->processor_began, now(CLOCK_PROCESS_CPUTIME_ID),
            heap_peak);
}

void measure_ready(void)
{
    fputs("ready\n", stderr);
}

unsigned long measure_number(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (end == text || *end != '\0') {
        measure_fail("no number", text);
    }
    return number;
}

_Noreturn void measure_fail(const char *what, const char *detail)
{
    fprintf(stderr, "failed: %s: %s\n", what, detail);
    exit(EXIT_FAILURE);
}
