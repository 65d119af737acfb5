/* How a command line names one unit: "BATCH UNIT" or "BATCH/UNIT" by the profile's own list, or its
 * digest anywhere. */
#ifndef OPERATOR_NAMED_UNIT_H
#define OPERATOR_NAMED_UNIT_H

#include "common/base/options.h"
#include "operator/profile.h"

/* STATUS_INVALID: the first operand begins like a digest and is none. */
enum status named_unit_check(const struct options *options, struct error *err) MUST_USE;

/* Which unit the operands name. *ret_digest none: they name a batch. */
enum status named_unit_find(struct profile *profile, const struct options *options,
                            struct digest *ret_digest, struct error *err) MUST_USE;

#endif
