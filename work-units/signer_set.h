/*
 * Those whose signatures make one unit good, as one number: of a single key its own, of several one
 * of them all. Who keeps numbers with units keeps what is behind those of several apart.
 */
#ifndef WORK_UNITS_SIGNER_SET_H
#define WORK_UNITS_SIGNER_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/envelope.h"

#define SIGNER_SETS_MAX 1024 /* that a site knows; one key more, and there may be twice as many */

/* Of keys, by trust_signer_of(). Zeroed: none. */
struct signer_set {
    size_t count;                             /* 0..ENVELOPE_SIGNATURES_MAX */
    int64_t signers[ENVELOPE_SIGNATURES_MAX]; /* rising, each once */
};

void signer_set_add(struct signer_set *set, int64_t signer);
bool signer_set_has(const struct signer_set *set, int64_t signer);

/* Not for an empty one. In 1..2^63-1. */
int64_t signer_set_number(const struct signer_set *set);

/* Sets of several, by their numbers. */
struct signer_sets {
    size_t count;
    struct signer_set *sets; /* owned */
};

void signer_sets_clear(struct signer_sets *sets);

/* Once more is fine. False: there are SIGNER_SETS_MAX others. */
bool signer_sets_learn(struct signer_sets *sets, const struct signer_set *set);

/* NULL: it is no number of several, as far as known. Until the next is learned. */
const struct signer_set *signer_sets_find(const struct signer_sets *sets, int64_t number);

#endif
