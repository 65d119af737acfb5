#include "work-units/signer_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

bool signer_set_has(const struct signer_set *set, int64_t signer)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->signers[i] == signer)
            return true;
    return false;
}

void signer_set_add(struct signer_set *set, int64_t signer)
{
    size_t at = set->count;

    if (signer_set_has(set, signer))
        return;
    assert(set->count < ENVELOPE_SIGNATURES_MAX);
    for (; at > 0 && set->signers[at - 1] > signer; at--)
        set->signers[at] = set->signers[at - 1];
    set->signers[at] = signer;
    set->count++;
}

int64_t signer_set_number(const struct signer_set *set)
{
    uint8_t bytes[sizeof set->signers];
    struct digest digest;
    uint64_t number = 0;

    assert(set->count > 0);
    if (set->count == 1)
        return set->signers[0];
    for (size_t i = 0; i < set->count; i++) /* the same on every machine: a database may move */
        for (size_t j = 0; j < 8; j++)
            bytes[8 * i + j] = (uint8_t)((uint64_t)set->signers[i] >> (56 - 8 * j));
    digest = digest_of(bytes, 8 * set->count);
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | digest.bytes[i];
    number &= INT64_MAX;
    return number == 0 ? 1 : (int64_t)number;
}

void signer_sets_clear(struct signer_sets *sets)
{
    free(sets->sets);
    *sets = (struct signer_sets){0};
}

const struct signer_set *signer_sets_find(const struct signer_sets *sets, int64_t number)
{
    for (size_t i = 0; i < sets->count; i++)
        if (signer_set_number(&sets->sets[i]) == number)
            return &sets->sets[i];
    return NULL;
}

bool signer_sets_learn(struct signer_sets *sets, const struct signer_set *set)
{
    assert(set->count > 1);
    if (signer_sets_find(sets, signer_set_number(set)) != NULL)
        return true;
    if (sets->count == SIGNER_SETS_MAX)
        return false;
    sets->sets = realloc(sets->sets, (sets->count + 1) * sizeof *sets->sets);
    if (sets->sets == NULL)
        abort();
    sets->sets[sets->count++] = *set;
    return true;
}
