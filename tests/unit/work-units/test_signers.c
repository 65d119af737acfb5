/* work-units/signer_set: a unit that several keys signed is good as long as one of them is. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/trial.h"
#include "work-units/signer_set.h"

TestSuite(signers, .init = trial_set_up, .fini = trial_tear_down);

static struct signer_set signed_by_two(void)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {0};
    CLEANUP(envelope_clear) struct envelope envelope = sample_seal_unit(&trial.sample);
    const struct checked_app app = trial_the_app();
    struct publisher *publishers = trial.sample.keyring.publishers;
    struct signer_set signers = {0};

    trial_next_keyring();
    texts_clear(&publishers[0].apps);
    publishers[0] = publishers[1]; /* an app key is none of work */
    publishers[0].key = trial.sample.stranger.public_key;
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_assert(eq(int, envelope_sign(&envelope, &trial.sample.stranger, NULL), STATUS_OK));
    cr_assert(
        eq(int, trust_admit_unit(&trial.trust, &envelope, &app, &trial.keep, &unit, &signers, NULL),
           REFUSAL_NONE));
    return signers;
}

/* Regression: it was bound to the first of them. */
static void expect_that_one_is_enough(const struct private_key *first,
                                      const struct private_key *second)
{
    struct signer_set signers = signed_by_two();
    int64_t number = signer_set_number(&signers);
    CLEANUP(trust_clear) struct trust copy = {0};

    cr_assert(eq(sz, signers.count, 2));
    cr_expect(ne(i64, number, signers.signers[0]));
    cr_expect(ne(i64, number, signers.signers[1]));
    cr_expect(trust_learn_signers(&trial.trust, &signers));
    cr_expect(eq(int, trust_check_signer(&trial.trust, number, 0, &trial.start), REFUSAL_NONE));
    trial_revoke_key(first);
    trust_copy(&trial.trust, &copy);
    cr_expect(eq(int, trust_check_signer(&copy, number, 0, &trial.start), REFUSAL_NONE));
    trial_revoke_key(second);
    cr_expect(
        eq(int, trust_check_signer(&trial.trust, number, 0, &trial.start), REFUSAL_REVOKED_KEY));
}

Test(signers, what_two_keys_signed_holds_though_the_first_is_revoked)
{
    expect_that_one_is_enough(&trial.sample.work, &trial.sample.stranger);
}

Test(signers, what_two_keys_signed_holds_though_the_second_is_revoked)
{
    expect_that_one_is_enough(&trial.sample.stranger, &trial.sample.work);
}

Test(signers, a_set_is_the_same_in_whatever_order_its_keys_signed)
{
    struct signer_set rising = {0}, falling = {0}, other = {0};

    for (int64_t i = 1; i <= ENVELOPE_SIGNATURES_MAX; i++) {
        signer_set_add(&rising, i);
        signer_set_add(&rising, i);
        signer_set_add(&falling, ENVELOPE_SIGNATURES_MAX + 1 - i);
    }
    signer_set_add(&other, 1);
    cr_expect(eq(i64, signer_set_number(&other), 1), "one is that key's own");
    cr_assert(eq(sz, rising.count, ENVELOPE_SIGNATURES_MAX));
    cr_assert(eq(sz, falling.count, ENVELOPE_SIGNATURES_MAX));
    cr_expect(eq(i64, signer_set_number(&rising), signer_set_number(&falling)));
    for (int64_t i = 2; i < ENVELOPE_SIGNATURES_MAX; i++) {
        signer_set_add(&other, i);
        cr_expect(ne(i64, signer_set_number(&other), signer_set_number(&rising)));
        cr_expect(lt(i64, 0, signer_set_number(&other)));
    }
}

/* More are not learned: the server takes one key for all of them then. */
Test(signers, sets_have_a_limit)
{
    CLEANUP(signer_sets_clear) struct signer_sets sets = {0};

    for (int64_t i = 0; i <= SIGNER_SETS_MAX; i++) {
        const struct signer_set set = {.count = 2, .signers = {1, 2 + i}};

        cr_assert(eq(int, signer_sets_learn(&sets, &set), i < SIGNER_SETS_MAX));
        cr_expect(
            eq(int, signer_sets_find(&sets, signer_set_number(&set)) != NULL, i < SIGNER_SETS_MAX));
    }
    cr_expect(signer_sets_learn(&sets, &sets.sets[0]), "once more is fine");
}

static struct signer_set two(int64_t first, int64_t second)
{
    struct signer_set set = {0};

    signer_set_add(&set, first);
    signer_set_add(&set, second);
    return set;
}

/* Regression: each look made the numbers of all anew, of a SHA-256 each, at every check of a unit.
 * One whose number would be another if it were made now, is found by the one that was. */
Test(signers, a_set_is_found_by_the_number_that_it_was_learned_with)
{
    CLEANUP(signer_sets_clear) struct signer_sets sets = {0};
    const struct signer_set set = two(1, 2);
    int64_t number = signer_set_number(&set);

    cr_assert(signer_sets_learn(&sets, &set));
    sets.sets[0].signers[1] = 3;
    cr_expect(signer_sets_find(&sets, number) == &sets.sets[0]);
    cr_expect(signer_sets_find(&sets, signer_set_number(&sets.sets[0])) == NULL);
}

/* In whatever order they come, each number leads to its own set; also in a copy. */
Test(signers, each_number_leads_to_its_set)
{
    CLEANUP(trust_clear) struct trust copy = {0};
    struct signer_sets *sets = &trial.trust.signer_sets;

    for (int64_t i = 0; i < 100; i++) {
        const struct signer_set set = two(1000 - i, 1001);

        cr_assert(signer_sets_find(sets, signer_set_number(&set)) == NULL);
        cr_assert(signer_sets_learn(sets, &set));
    }
    trust_copy(&trial.trust, &copy);
    cr_assert(eq(sz, copy.signer_sets.count, 100));
    for (int64_t i = 0; i < 100; i++) {
        const struct signer_set set = two(1000 - i, 1001);
        int64_t number = signer_set_number(&set);

        cr_expect(eq(i64, signer_sets_find(sets, number)->signers[0], 1000 - i));
        cr_expect(eq(i64, signer_sets_find(&copy.signer_sets, number)->signers[0], 1000 - i));
    }
    cr_expect(signer_sets_find(sets, 1001) == NULL, "one key is no set");
    cr_expect(signer_sets_find(sets, 0) == NULL);
    cr_expect(signer_sets_find(sets, INT64_MAX) == NULL);
}
