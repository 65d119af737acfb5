/*
 * Who of a project's publishers signed a thing, and whether one of them may. Part of trust.h's
 * checks, apart because every kind of payload begins with it.
 */
#ifndef WORK_UNITS_SIGNERS_H
#define WORK_UNITS_SIGNERS_H

#include "work-units/trust.h"

struct signers {
    size_t count;                                                /* at least 1 */
    const struct publisher *publishers[ENVELOPE_SIGNATURES_MAX]; /* borrowed */
};

/*
 * The type is this, and publishers of this role, not revoked and valid at that moment, signed it.
 * Asked before the payload is parsed.
 */
enum refusal signers_find(const struct trust *trust, const struct envelope *envelope,
                          const char *type, enum publisher_role role,
                          const struct trust_moment *moment, struct signers *ret_signers,
                          struct error *err) MUST_USE;

/* What the payload says of itself, as far as it matters to who may sign it. */
struct signed_claim {
    struct digest project;
    const char *app; /* NULL: of no app */
    int64_t made_s;  /* 0: it tells no time */
};

/* One of them may sign that: those who may are *ret_allowed (may be NULL). */
enum refusal signers_allow(const struct trust *trust, const struct signers *signers,
                           const struct signed_claim *claim, struct signers *ret_allowed,
                           struct error *err) MUST_USE;

/* From a stored state: taken as it was, though it or its key may have run out meanwhile. */
enum refusal trust_restore_freshness(struct trust *trust, const struct envelope *envelope,
                                     struct error *err) MUST_USE;

/* Fills `err` and returns `refusal`, with the table's words or ones that say more. */
enum refusal refuse(struct error *err, enum refusal refusal);
enum refusal refuse_with(struct error *err, enum refusal refusal, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* What a decoder's failure means, handed on. */
enum refusal refuse_decoded(struct error *err, const struct error *cause);

#endif
