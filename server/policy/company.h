/*
 * Whether visits that could be taken now should wait for others to share their transaction: one of
 * 3 to 6 visits costs twice the processor time a visit of one of 32 (docs/PERFORMANCE.md). Whoever
 * visits seldom meets nobody and is not kept.
 */
#ifndef SERVER_POLICY_COMPANY_H
#define SERVER_POLICY_COMPANY_H

#include <stddef.h>
#include <stdint.h>

#define COMPANY_ENOUGH 32 /* commands: more of them gain little */
#define COMPANY_LOOKS  6  /* at the queue, within the longest wait */

struct company_facts {
    size_t waiting;    /* commands that could be taken now */
    size_t before;     /* that the transaction before had */
    size_t came;       /* since the last look; none at the first */
    int64_t waited_ms; /* for company already; 0: the first look */
    int64_t most_ms;   /* configured: they wait no longer in all; 0: never */
};

/*
 * So long to wait until the next look; 0: take them now. There is a first wait only if there was
 * company lately, and another one only if somebody came during the last.
 */
int64_t company_wait_ms(const struct company_facts *facts);

#endif
