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
    free(sets->numbers);
    free(sets->sets);
    *sets = (struct signer_sets){0};
}

void signer_sets_copy(const struct signer_sets *sets, struct signer_sets *ret_copy)
{
    *ret_copy = (struct signer_sets){.count = sets->count};
    if (sets->count == 0)
        return;
    ret_copy->numbers = must_alloc(sets->count, sizeof *sets->numbers);
    ret_copy->sets = must_alloc(sets->count, sizeof *sets->sets);
    memcpy(ret_copy->numbers, sets->numbers, sets->count * sizeof *sets->numbers);
    memcpy(ret_copy->sets, sets->sets, sets->count * sizeof *sets->sets);
}

/* Where this number is, or would be. */
static size_t place_of(const struct signer_sets *sets, int64_t number)
{
    size_t from = 0, to = sets->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (sets->numbers[middle] < number)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct signer_set *signer_sets_find(const struct signer_sets *sets, int64_t number)
{
    size_t at = place_of(sets, number);

    return at < sets->count && sets->numbers[at] == number ? &sets->sets[at] : NULL;
}

static void insert(struct signer_sets *sets, size_t at, int64_t number,
                   const struct signer_set *set)
{
    size_t after = sets->count - at;

    sets->numbers = realloc(sets->numbers, (sets->count + 1) * sizeof *sets->numbers);
    sets->sets = realloc(sets->sets, (sets->count + 1) * sizeof *sets->sets);
    if (sets->numbers == NULL || sets->sets == NULL)
        abort();
    memmove(&sets->numbers[at + 1], &sets->numbers[at], after * sizeof *sets->numbers);
    memmove(&sets->sets[at + 1], &sets->sets[at], after * sizeof *sets->sets);
    sets->numbers[at] = number;
    sets->sets[at] = *set;
    sets->count++;
}

bool signer_sets_learn(struct signer_sets *sets, const struct signer_set *set)
{
    int64_t number = signer_set_number(set);
    size_t at = place_of(sets, number);

    assert(set->count > 1);
    if (at < sets->count && sets->numbers[at] == number)
        return true;
    if (sets->count == SIGNER_SETS_MAX)
        return false;
    insert(sets, at, number, set);
    return true;
}
