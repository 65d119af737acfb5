/* Accepted results of what the desk submitted, as its site would list them. */
#ifndef TESTS_SUPPORT_RESULTS_H
#define TESTS_SUPPORT_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

/* A line for the index-th unit, signed by two test hosts, tasks 2 * index + 1 and + 2; its one
 * output, "stdout", has these bytes. To be freed. */
char *result_of(size_t index, const char *body, bool is_inline);

/* That the site lists from now on. */
void add_result(size_t index, const char *body, bool is_inline);

#endif
