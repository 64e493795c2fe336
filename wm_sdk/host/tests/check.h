/* What the board's tests share: a check that stops the program, and a trace that tasks write their order into. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: in %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition);                   \
            exit(EXIT_FAILURE);                                                                                        \
        }                                                                                                              \
    } while (0)

#define CHECK_TEXT(text, expected)                                                                                     \
    do {                                                                                                               \
        const char *is = (text);                                                                                       \
        const char *should = (expected);                                                                               \
        if (strcmp(is, should) != 0) {                                                                                 \
            fprintf(stderr, "%s:%d: in %s: is       [%s]\nshould be [%s]\n", __FILE__, __LINE__, __func__, is,         \
                    should);                                                                                           \
            exit(EXIT_FAILURE);                                                                                        \
        }                                                                                                              \
    } while (0)

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(function) {#function, function}

/* Boots a board of tasks alone and runs the tests in a task of `priority`; returns the exit status. */
int run_tests(const struct test *tests, size_t count, unsigned priority);

#endif
