/* GET /v1/batches/{id}/explain: what a batch waits for, and why units of it failed. */
#ifndef PROTOCOL_EXPLAIN_H
#define PROTOCOL_EXPLAIN_H

#include "protocol/batch.h"

#define EXPLAIN_MAX          (1024 * 1024)
#define EXPLAIN_WAITS_MAX    16
#define EXPLAIN_FAILURES_MAX 32
#define EXPLAIN_STDERR_MAX   (16 * 1024) /* bytes, fit to be shown, may have lines */

/* Failures of one cause. */
struct explain_failure {
    char why[WHY_MAX + 1];
    int64_t count; /* 1.. */
    struct digest example_unit;
    char *stderr_tail; /* owned; of that example; NULL: none */
};

struct explanation {
    enum batch_phase phase;
    struct texts waits_for; /* sentences, each up to WHY_MAX bytes */
    size_t failure_count;
    struct explain_failure *failures; /* owned; most frequent first */
    int64_t units_examined;           /* the groups count the first of those that failed; 0: all */
    int64_t hosts;                    /* seen lately */
    int64_t volunteers;               /* who own them */
};

void explanation_clear(struct explanation *explanation);
enum status explanation_decode(const char *body, size_t length, struct explanation *ret_explanation,
                               struct error *err) MUST_USE;
char *explanation_encode(const struct explanation *explanation);

#endif
