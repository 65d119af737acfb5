/*
 * What can go wrong, as a value.
 *
 * Every fallible function returns an enum status and, where the reason needs words, fills the
 * caller's struct error (always the last parameter, may be NULL). Programmer errors are not
 * statuses: they are asserts. Unless a header says otherwise, on failure no `ret_` argument was
 * written.
 */
#ifndef COMMON_BASE_ERROR_H
#define COMMON_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

/*  X(symbol, HTTP status, may the peer repeat it unchanged?, problem type)  */
#define STATUS_TABLE(X)                                                                            \
    X(OK, 200, false, "ok")                                                                        \
    X(INVALID, 400, false, "invalid")           /* the input is wrong; the words name the field */ \
    X(UNAUTHORIZED, 401, false, "unauthorized") /* no token, or an unknown one */                  \
    X(FORBIDDEN, 403, false, "forbidden")       /* known, but may not */                           \
    X(UNTRUSTED, 403, false, "untrusted")       /* a signature chain does not hold */              \
    X(NOT_FOUND, 404, false, "not-found")                                                          \
    X(CONFLICT, 409, true, "conflict")       /* somebody else changed it meanwhile */              \
    X(GONE, 410, false, "gone")              /* was there, is over */                              \
    X(TOO_LARGE, 413, false, "too-large")    /* beyond a stated limit */                           \
    X(LIMITED, 429, true, "limited")         /* beyond a rate or budget; wait */                   \
    X(STORAGE, 500, true, "storage")         /* our disk or database failed */                     \
    X(UNREACHABLE, 502, true, "unreachable") /* the peer, as seen by a client */                   \
    X(BUSY, 503, true, "busy")                                                                     \
    X(FULL, 507, true, "full") /* no room on the disk */

enum status {
#define X(symbol, http, retry, name) STATUS_##symbol,
    STATUS_TABLE(X)
#undef X
        STATUS_COUNT,
};

/* Lives on the caller's stack; needs no release. Both texts are cut to fit, always terminated. */
struct error {
    enum status status;
    int64_t retry_after_s; /* 0: not said */
    const char *code;      /* static; a finer reason than the status; NULL: none */
    char text[240];        /* for the peer: never a path, SQL, a secret or words of somebody else */
    char detail[240];      /* for our log alone: the cause, as the library below us put it */
};

/* What the peer is told of a status. */
struct status_facts {
    const char *name; /* static; the problem document's `type` */
    int http;
    bool may_retry;
};

const struct status_facts *status_facts(enum status status);

/* The status that a problem document's `type` names; STATUS_COUNT: none. */
enum status status_from_name(const char *name);

/* Record a failure, without detail, and return `status`: any but STATUS_OK. `err` may be NULL. */
enum status error_set(struct error *err, enum status status, const char *text_fmt, ...)
    PRINTF_LIKE(3, 4);

/* Hand on a failure that is recorded elsewhere, with all there is of it. `err` may be NULL. */
enum status error_pass(struct error *err, const struct error *failure);

/* Add the cause to a failure just recorded. `err` may be NULL. */
void error_detail(struct error *err, const char *detail_fmt, ...) PRINTF_LIKE(2, 3);

/* Add a finer reason, such as "unknown-member", to a failure just recorded. `err` may be NULL. */
void error_code(struct error *err, const char *code);

/* Add when it makes sense to ask again. `err` may be NULL. */
void error_retry_after(struct error *err, int64_t seconds);

/* Return `status` at once unless it is STATUS_OK. The one macro that hides a return. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        enum status try_status_ = (expression);                                                    \
        if (try_status_ != STATUS_OK)                                                              \
            return try_status_;                                                                    \
    } while (0)

#endif
