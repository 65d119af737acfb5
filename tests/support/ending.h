/*
 * For what a fixture checks when a test is over. Criterion 2.4.1 prints a failed cr_expect() or
 * cr_assert() in .fini and counts it as passed; a crash there fails the program.
 */
#ifndef TESTS_SUPPORT_ENDING_H
#define TESTS_SUPPORT_ENDING_H

#include <stdio.h>
#include <stdlib.h>

#define END_MUST(condition)                                                                        \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: at the end of a test, not: %s\n", __FILE__, __LINE__,    \
                          #condition);                                                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
