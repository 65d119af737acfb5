/*
 * Which accepted results of a batch are looked at again: drawn by a seed from all that the site
 * lists, so that who does not know the seed cannot tell which they will be, and the same seed draws
 * the same again.
 */
#ifndef OPERATOR_AUDIT_SAMPLE_H
#define OPERATOR_AUDIT_SAMPLE_H

#include "operator/batch_record.h"
#include "operator/result_check.h"

#define AUDIT_SEED_BYTES 16
#define AUDIT_SAMPLE_MAX 1000

struct audit_pick {
    struct digest rank;      /* of the unit under the seed: the lowest are picked */
    struct result_line line; /* owned; without bodies and statements, which were checked */
    struct error refusal;    /* of result_check(); STATUS_OK: it holds */
};

struct audit_sample {
    unsigned char seed[AUDIT_SEED_BYTES];
    size_t most;              /* 1..AUDIT_SAMPLE_MAX */
    bool is_shown;            /* draw how many were read: on a terminal, not under --json */
    int64_t accepted;         /* results that were drawn from */
    size_t count;             /* min(most, accepted) */
    struct audit_pick *picks; /* owned; by rank */
};

void audit_sample_clear(struct audit_sample *sample); /* for CLEANUP(), too */

/*
 * With seed, most and is_shown set, the rest zeroed. Reads all that the site lists of the batch;
 * what is picked is checked as `fetch` checks it. Ends early where the session is interrupted.
 */
enum status audit_sample_draw(struct audit_sample *sample, struct profile *profile,
                              const struct batch_record *record, const struct result_ground *ground,
                              struct error *err) MUST_USE;

#endif
