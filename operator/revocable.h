/* What `key revoke` takes besides keys: an app version, a batch or a unit, by its digest or id. */
#ifndef OPERATOR_REVOCABLE_H
#define OPERATOR_REVOCABLE_H

#include "operator/profile.h"
#include "operator/publish.h"

/* Of exactly one thing; `revocations` points into it, so it must not be copied. */
struct revocable {
    struct revocations revocations;
    struct digest digest;
    struct batch_id batch;
};

struct revocable_search {
    bool is_unit;        /* a digest is a unit's, not an app version's */
    bool may_be_unknown; /* the site need not know it */
};

/* What can be said of the operand before anything is read: STATUS_INVALID, no role, key, digest or
 * batch id. */
enum status revocable_check(const char *what, struct error *err) MUST_USE;

/*
 * STATUS_INVALID: neither digest nor batch id, or a unit's digest where an app version's was meant.
 * STATUS_NOT_FOUND: the site knows no such thing, and it may not be unknown. A freshness holds few
 * revocations and keeps them for ever; a mistyped one would take a place and stop nothing.
 */
enum status revocable_find(struct profile *profile, const char *what,
                           const struct revocable_search *search, struct revocable *ret_thing,
                           struct error *err) MUST_USE;

#endif
