/*
 * Is this result ours, and did enough volunteers' own keys sign it? Pure. A stolen server may
 * withhold results and invent hosts; it cannot pass another unit, another output, or fewer signed
 * visits than the unit's manifest demands.
 */
#ifndef OPERATOR_RESULT_CHECK_H
#define OPERATOR_RESULT_CHECK_H

#include "protocol/result_line.h"
#include "work-units/app_version.h"
#include "work-units/work_unit.h"

/* What this profile knows of the batch. Borrowed. */
struct result_ground {
    struct digest project;
    struct batch_id batch;
    struct digest app_version;
    const struct app_version *app;
};

/* Why a result is refused: the error's code. */
#define RESULT_FOREIGN_UNIT   "foreign-unit"   /* it is not in our list at its index */
#define RESULT_OTHER_MANIFEST "other-manifest" /* the manifest shown is not the unit's */
#define RESULT_WRONG_OUTPUTS  "wrong-outputs"  /* missing, not signed for, or too large */
#define RESULT_TOO_FEW        "too-few"        /* fewer tasks than the quorum */
#define RESULT_SAME_HOST      "same-host"
#define RESULT_SAME_VOLUNTEER "same-volunteer"
#define RESULT_BAD_SIGNATURE  "bad-signature" /* the host's key did not sign the visit */
#define RESULT_OTHER_VISIT    "other-visit"   /* the visit does not name this task, unit, project */
#define RESULT_OTHER_OUTPUTS  "other-outputs" /* the visit names other outputs */
#define RESULT_WRONG_BODY     "wrong-body"    /* bytes that are not of the digest */

/*
 * STATUS_UNTRUSTED with one of the codes: it must not be used. `listed` is the digest that our list
 * has at the line's index; none: it ends before. Bodies inside the line are checked, too.
 */
enum status result_check(const struct result_line *line, const struct result_ground *ground,
                         const struct digest *listed, struct error *err) MUST_USE;

#endif
