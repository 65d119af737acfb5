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

/* In any order; once more is fine. Not more than ENVELOPE_SIGNATURES_MAX different ones. */
void signer_set_add(struct signer_set *set, int64_t signer);
bool signer_set_has(const struct signer_set *set, int64_t signer);

/*
 * In 1..2^63-1. Of one key it is that key's own; of several, the first 63 bits of the SHA-256 of
 * all, 8 bytes each, big-endian, rising: whoever met it in the store finds the same. Not for an
 * empty set. It takes a SHA-256 of several: for what is looked at often, keep it.
 */
int64_t signer_set_number(const struct signer_set *set);

/* Sets of several, by their numbers. Zeroed: none. */
struct signer_sets {
    size_t count;            /* 0..SIGNER_SETS_MAX */
    int64_t *numbers;        /* owned; rising, each once */
    struct signer_set *sets; /* owned; in the order of their numbers */
};

void signer_sets_clear(struct signer_sets *sets);

/* `ret_copy` is to be cleared by itself. */
void signer_sets_copy(const struct signer_sets *sets, struct signer_sets *ret_copy);

/* A set of two and more is copied; once more is fine. False: there are SIGNER_SETS_MAX others. */
bool signer_sets_learn(struct signer_sets *sets, const struct signer_set *set);

/*
 * NULL: it is no number of several, as far as known. Borrowed, until the next is learned. Takes
 * no digest: each check of a unit's signer comes here.
 */
const struct signer_set *signer_sets_find(const struct signer_sets *sets, int64_t number);

#endif
