/* What both sides of the comparison share: when a measurement begins and ends, and what it prints. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>
#include <time.h>

/* What is published and received: PAYLOAD_BYTE as often as asked for, on TOPIC. */
#define TOPIC "bench"
#define PAYLOAD_BYTE 'x'

struct measure {
    /* Processor time, user and system, of the process under test. */
    clockid_t processor;
    unsigned long long began;
    unsigned long long ended;
    unsigned long long processor_began;
    unsigned long long processor_ended;
};

void measure_begin(struct measure *measure, clockid_t processor);
void measure_end(struct measure *measure);

/* One line of JSON on standard error: times in nanoseconds of CLOCK_MONOTONIC, the heap's peak in bytes. */
void measure_print(const struct measure *measure, size_t heap_peak);

/* Tells whoever feeds the messages to be received that they can come. */
void measure_ready(void);

/* A number of the command line. */
unsigned long measure_number(const char *text);

_Noreturn void measure_fail(const char *what, const char *detail);

#endif
