/*
 * The submissions that a batch was made of, the first and each --append: in batches/NAME/rounds,
 * 8 bytes of the index at which each began (big-endian) and DIGEST_BYTES of its fingerprint. So a
 * site that lost several gets them again one by one, each by its own command line.
 */
#ifndef OPERATOR_ROUNDS_H
#define OPERATOR_ROUNDS_H

#include "operator/batch_record.h"

struct round {
    int64_t base;              /* index of its first unit */
    int64_t end;               /* of the next one's first unit; of the last: INT64_MAX */
    struct digest fingerprint; /* of its command line */
};

/*
 * That of record->base begins, durably, unless it is listed. Another one that began there before
 * had listed no unit, and gives way.
 */
enum status rounds_begin(const struct batch_record *record, struct error *err) MUST_USE;

/* The one of which the unit `index` is. STATUS_NOT_FOUND: none that began so early is listed. */
enum status rounds_of(const struct batch_record *record, int64_t index, struct round *ret_round,
                      struct error *err) MUST_USE;

#endif
