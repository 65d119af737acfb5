/* work-units/trust: the first keyring, those that follow it, and freshness. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"
#include "tests/support/trial.h"

TestSuite(trust, .init = trial_set_up, .fini = trial_tear_down);

/* ---- the start ---- */

Test(trust, a_first_keyring_that_is_not_the_pinned_one_is_refused)
{
    CLEANUP(envelope_clear) struct envelope keyring = {.type = ""};
    struct digest project = trial.sample.project;
    struct trust fresh = {.has_freshness = false};

    trial.sample.keyring.project[0] = 'B';
    keyring = sample_seal_keyring(&trial.sample);
    cr_expect(eq(int, trust_start(&fresh, &project, &keyring, NULL), REFUSAL_OTHER_PROJECT));
    cr_expect(fresh.keyring.version == 0);
}

Test(trust, a_first_keyring_needs_its_own_threshold_and_version_one)
{
    CLEANUP(freep) char *payload = keyring_encode(&trial.sample.keyring);
    CLEANUP(envelope_clear)
    struct envelope one = sample_seal(KEYRING_TYPE, payload, trial.sample.root);
    CLEANUP(envelope_clear) struct envelope second = {.type = ""};
    struct trust fresh = {.has_freshness = false};

    cr_expect(eq(int, trust_start(&fresh, &one.digest, &one, NULL), REFUSAL_NOT_ENOUGH_ROOTS));
    one.signatures[1] = one.signatures[0];
    one.signature_count = 2;
    cr_expect(eq(int, trust_start(&fresh, &one.digest, &one, NULL), REFUSAL_NOT_ENOUGH_ROOTS),
              "one key twice is one key");
    trial.sample.keyring.version = 2;
    second = sample_seal_keyring(&trial.sample);
    cr_expect(eq(int, trust_start(&fresh, &second.digest, &second, NULL), REFUSAL_MALFORMED));
}

/* ---- keyrings that follow ---- */

Test(trust, a_later_keyring_of_the_root_is_accepted_and_again)
{
    trial_next_keyring();
    cr_expect(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(i64, trial.trust.keyring.version, 2));
    trial.sample.keyring.version = 5; /* the ones between did not change the root */
    cr_expect(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(i64, trial.trust.keyring.version, 5));
    cr_expect(digest_equals(&trial.trust.project, &trial.sample.project));
}

Test(trust, keyring_rollback_is_refused)
{
    struct envelope first = sample_seal_keyring(&trial.sample);

    trial_next_keyring();
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_accept_keyring(first), REFUSAL_KEYRING_ROLLBACK));
    cr_expect(eq(i64, trial.trust.keyring.version, 2));
}

Test(trust, a_keyring_fork_is_refused_and_only_the_root_can_make_one)
{
    CLEANUP(freep) char *payload = NULL;

    trial.sample.keyring.project[0] = 'B';
    payload = keyring_encode(&trial.sample.keyring);
    cr_expect(eq(int,
                 trial_accept_keyring(sample_seal(KEYRING_TYPE, payload, &trial.sample.root[0])),
                 REFUSAL_NOT_ENOUGH_ROOTS));
    cr_expect(
        eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_KEYRING_FORK));
    cr_expect(eq(str, trial.trust.keyring.project, "A sample"));
}

Test(trust, a_keyring_without_enough_root_signatures_is_refused)
{
    CLEANUP(freep) char *payload = NULL;

    trial_next_keyring();
    payload = keyring_encode(&trial.sample.keyring);
    cr_expect(eq(int,
                 trial_accept_keyring(sample_seal(KEYRING_TYPE, payload, &trial.sample.root[0])),
                 REFUSAL_NOT_ENOUGH_ROOTS));
    cr_expect(eq(int, trial_accept_keyring(sample_seal(KEYRING_TYPE, payload, &trial.sample.work)),
                 REFUSAL_NOT_ENOUGH_ROOTS));
    cr_expect(eq(i64, trial.trust.keyring.version, 1));
}

Test(trust, a_root_change_needs_the_old_and_the_new_set)
{
    CLEANUP(envelope_clear) struct envelope keyring = {.type = ""};

    trial_next_keyring();
    trial.sample.keyring.root.keys[0] = trial.sample.root[2].public_key; /* in place of root[0] */
    keyring = sample_seal_keyring(&trial.sample); /* root[0] and root[1]: the old set */
    cr_expect(
        eq(int, trust_accept_keyring(&trial.trust, &keyring, NULL), REFUSAL_NOT_ENOUGH_ROOTS));

    keyring.signature_count = 0;
    cr_assert(eq(int, envelope_sign(&keyring, &trial.sample.root[1], NULL), STATUS_OK));
    cr_assert(
        eq(int, envelope_sign(&keyring, &trial.sample.root[2], NULL), STATUS_OK)); /* the new set */
    cr_expect(
        eq(int, trust_accept_keyring(&trial.trust, &keyring, NULL), REFUSAL_NOT_ENOUGH_ROOTS));

    cr_assert(eq(int, envelope_sign(&keyring, &trial.sample.root[0], NULL), STATUS_OK));
    cr_expect(eq(int, trust_accept_keyring(&trial.trust, &keyring, NULL), REFUSAL_NONE));
    cr_expect(root_set_equals(&trial.trust.keyring.root, &trial.sample.keyring.root));
    trial.sample.keyring.version = 3; /* the old set alone has no say any more */
    cr_expect(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)),
                 REFUSAL_NOT_ENOUGH_ROOTS));
}

Test(trust, an_expired_keyring_starts_nothing_but_lets_finish)
{
    trial.start.now_s = trial.finish.now_s = trial.sample.keyring.expires_s;
    cr_expect(
        eq(int, trust_may_start(&trial.trust, trial.start.now_s, NULL), REFUSAL_KEYRING_EXPIRED));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish), REFUSAL_NONE));
    trial.sample.unit.not_after_s = trial.sample.keyring.expires_s + DAY_S;
    trial.sample.keyring.publishers[1].not_after_s = trial.sample.keyring.expires_s + DAY_S;
    trial_next_keyring();
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_KEYRING_EXPIRED));
}

/* ---- freshness ---- */

Test(trust, without_a_fresh_freshness_nothing_starts_but_all_may_finish)
{
    trust_clear(&trial.trust);
    CLEANUP(envelope_clear) struct envelope keyring = sample_seal_keyring(&trial.sample);

    cr_assert(
        eq(int, trust_start(&trial.trust, &trial.sample.project, &keyring, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_STALE_FRESHNESS));
    cr_expect(eq(int, trial_check_app(sample_seal_app_version(&trial.sample), &trial.start),
                 REFUSAL_STALE_FRESHNESS));
    cr_expect(eq(int, trial_check_variant(sample_seal_variant(&trial.sample), &trial.start),
                 REFUSAL_STALE_FRESHNESS));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish), REFUSAL_NONE));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.keep), REFUSAL_NONE));
}

Test(trust, a_freshness_goes_stale_at_its_expiry)
{
    cr_expect(eq(int, trust_may_start(&trial.trust, trial.sample.freshness.expires_s - 1, NULL),
                 REFUSAL_NONE));
    cr_expect(eq(int, trust_may_start(&trial.trust, trial.sample.freshness.expires_s, NULL),
                 REFUSAL_STALE_FRESHNESS));
}

Test(trust, a_freshness_must_not_fall_back)
{
    struct envelope first = sample_seal_freshness(&trial.sample);

    cr_expect(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)), REFUSAL_NONE));
    trial.sample.freshness.sequence = 2;
    cr_expect(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_accept_freshness(first), REFUSAL_FRESHNESS_ROLLBACK));
    trial.sample.freshness.expires_s++; /* another one of the same sequence */
    cr_expect(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)),
                 REFUSAL_FRESHNESS_ROLLBACK));
    cr_expect(eq(i64, trial.trust.freshness.sequence, 2));
}

Test(trust, a_freshness_names_the_keyring)
{
    trial.sample.freshness.sequence = 2;
    trial.sample.freshness.keyring_version = 2;
    cr_expect(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)),
                 REFUSAL_NEEDS_NEWER_KEYRING));
    trial.sample.freshness.keyring_version = 1;
    trial.sample.freshness.keyring = digest_of("another", 7);
    cr_expect(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)),
                 REFUSAL_KEYRING_FORK));
    cr_expect(eq(i64, trial.trust.freshness.sequence, 1));
}

Test(trust, a_freshness_of_another_key_or_project_is_refused)
{
    CLEANUP(freep) char *payload = NULL;

    trial.sample.freshness.sequence = 2;
    payload = freshness_encode(&trial.sample.freshness);
    cr_expect(eq(int,
                 trial_accept_freshness(sample_seal(FRESHNESS_TYPE, payload, &trial.sample.work)),
                 REFUSAL_WRONG_ROLE));
    cr_expect(eq(
        int, trial_accept_freshness(sample_seal(FRESHNESS_TYPE, payload, &trial.sample.stranger)),
        REFUSAL_UNKNOWN_KEY));
    trial.sample.freshness.project = digest_of("another", 7);
    cr_expect(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)),
                 REFUSAL_OTHER_PROJECT));
}

Test(trust, a_stolen_fresh_key_blocks_nothing_once_it_is_revoked)
{
    trial.sample.freshness.sequence = PROFILE_INTEGER_MAX;
    trial.sample.freshness.issued_s = SAMPLE_NOW_S + 200 * DAY_S;
    trial.sample.freshness.expires_s = SAMPLE_NOW_S + 250 * DAY_S;
    cr_assert(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(i64, trust_judged_s(&trial.trust, SAMPLE_NOW_S), SAMPLE_NOW_S + 200 * DAY_S));

    trial.sample.keyring.publishers[2].key =
        trial.sample.stranger.public_key; /* the new fresh key */
    trial_revoke_key(&trial.sample.fresh);
    cr_expect(not(trial.trust.has_freshness));
    cr_expect(eq(i64, trust_judged_s(&trial.trust, 0), SAMPLE_NOW_S));
    cr_expect(eq(int, trust_may_start(&trial.trust, SAMPLE_NOW_S, NULL), REFUSAL_STALE_FRESHNESS));
}
