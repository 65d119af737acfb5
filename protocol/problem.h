/*
 * A failure as its peer is told of it (RFC 9457, application/problem+json):
 * {"type": word, "title": the status in words, "status": HTTP's, "detail": what happened and what
 *  to do, "code"?: a finer word, "retry_after_s"?}
 */
#ifndef PROTOCOL_PROBLEM_H
#define PROTOCOL_PROBLEM_H

#include "protocol/words.h"

#define PROBLEM_MAX         (16 * 1024)
#define PROBLEM_RETRY_MAX_S INT64_C(86400) /* a later one is taken as this */

struct problem {
    enum status status;       /* by `type`; STATUS_COUNT: a type nobody here knows */
    int http;                 /* 100..599 */
    char code[64 + 1];        /* "": none */
    char detail[WHY_MAX + 1]; /* fit to be shown */
    int64_t retry_after_s;    /* 0: not said */
};

/* Never about the request that failed: STATUS_INVALID says that this is no problem document. */
enum status problem_decode(const char *body, size_t length, struct problem *ret_problem,
                           struct error *err) MUST_USE;

/* `err` is a failure. Its detail is for our own log and not written. */
char *problem_encode(const struct error *err);

#endif
