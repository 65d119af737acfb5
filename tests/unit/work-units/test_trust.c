/* work-units/trust: I1. What does not chain to the pinned project id is refused, and why. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"
#include "tests/support/trial.h"

TestSuite(trust, .init = trial_set_up, .fini = trial_tear_down);

Test(trust, all_that_the_project_signed_is_accepted)
{
    cr_expect(eq(int, trial_check_app(sample_seal_app_version(&trial.sample), &trial.start),
                 REFUSAL_NONE));
    cr_expect(eq(int, trial_check_variant(sample_seal_variant(&trial.sample), &trial.start),
                 REFUSAL_NONE));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start), REFUSAL_NONE));
    cr_expect(
        eq(int, trial_check_notice(sample_seal_notice(&trial.sample), &trial.start), REFUSAL_NONE));
    cr_expect(
        eq(int, trust_check_pair(&trial.sample.unit, &trial.sample.variant, NULL), REFUSAL_NONE));
}

Test(trust, a_copy_knows_the_same_and_what_it_takes_leaves_no_trace)
{
    CLEANUP(freep) char *before = trust_encode(&trial.trust);
    CLEANUP(freep) char *copied = NULL;
    CLEANUP(freep) char *after = NULL;
    CLEANUP(trust_clear) struct trust copy = {0};
    const struct trust nothing = {0};

    trust_copy(&trial.trust, &copy);
    copied = trust_encode(&copy);
    cr_expect(eq(str, copied, before));
    copy.keyring.version++;
    copy.latest_signed_s++;
    after = trust_encode(&trial.trust);
    cr_expect(eq(str, after, before));
    trust_clear(&copy);
    trust_copy(&nothing, &copy);
    cr_expect(digest_is_none(&copy.project));
}

/* ---- whose signature ---- */

Test(trust, an_unknown_key_is_refused)
{
    cr_expect(eq(int, trial_check_unit(trial_unit_signed_by(&trial.sample.stranger), &trial.start),
                 REFUSAL_UNKNOWN_KEY));
    cr_expect(eq(int, trial_check_app(trial_app_signed_by(&trial.sample.stranger), &trial.start),
                 REFUSAL_UNKNOWN_KEY));
}

Test(trust, a_key_of_the_wrong_role_is_refused)
{
    cr_expect(eq(int, trial_check_unit(trial_unit_signed_by(&trial.sample.app), &trial.start),
                 REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, trial_check_unit(trial_unit_signed_by(&trial.sample.fresh), &trial.start),
                 REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, trial_check_unit(trial_unit_signed_by(&trial.sample.root[0]), &trial.start),
                 REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, trial_check_app(trial_app_signed_by(&trial.sample.work), &trial.start),
                 REFUSAL_WRONG_ROLE));
}

Test(trust, one_right_signature_among_others_is_enough)
{
    struct envelope unit = trial_unit_signed_by(&trial.sample.stranger);

    cr_assert(eq(int, envelope_sign(&unit, &trial.sample.app, NULL), STATUS_OK));
    cr_assert(eq(int, envelope_sign(&unit, &trial.sample.work, NULL), STATUS_OK));
    cr_expect(eq(int, trial_check_unit(unit, &trial.start), REFUSAL_NONE));
}

Test(trust, an_app_that_the_key_does_not_cover_is_refused)
{
    trial.sample.app_version.name = (struct word){"weather"};
    cr_expect(eq(int, trial_check_app(sample_seal_app_version(&trial.sample), &trial.start),
                 REFUSAL_APP_NOT_COVERED));
    cr_expect(eq(int, trial_check_variant(sample_seal_variant(&trial.sample), &trial.start),
                 REFUSAL_APP_NOT_COVERED));
}

Test(trust, outside_its_validity_a_key_is_refused_but_may_finish)
{
    trial_next_keyring();
    trial.sample.keyring.publishers[1].not_after_s = SAMPLE_NOW_S - 1;
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish), REFUSAL_NONE));
    trial_next_keyring();
    trial.sample.keyring.publishers[1].not_before_s = SAMPLE_NOW_S + 10;
    trial.sample.keyring.publishers[1].not_after_s = SAMPLE_NOW_S + 20;
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.keep),
                 REFUSAL_OUTSIDE_VALIDITY));
}

static enum refusal check_signer(void)
{
    return trust_check_signer(&trial.trust, trust_signer_of(&trial.sample.work.public_key),
                              trial.sample.unit.not_before_s, &trial.start);
}

static void expect_signer_as_envelope(enum refusal refusal)
{
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start), (int)refusal));
    cr_expect(eq(int, check_signer(), (int)refusal));
}

Test(trust, a_units_signer_holds_as_long_as_its_envelope_does)
{
    int64_t retired_s = trial.sample.unit.not_before_s + 1;

    expect_signer_as_envelope(REFUSAL_NONE);
    trial_retire_key(&trial.sample.work, retired_s);
    expect_signer_as_envelope(REFUSAL_NONE);
    trial.sample.unit.not_before_s = retired_s;
    expect_signer_as_envelope(REFUSAL_RETIRED_KEY);
    trial_revoke_key(&trial.sample.work);
    expect_signer_as_envelope(REFUSAL_REVOKED_KEY);
}

Test(trust, a_revoked_signer_is_named_so_when_it_is_no_publisher_any_more)
{
    trial.sample.keyring.publisher_count = 1; /* work and fresh are gone */
    trial_revoke_key(&trial.sample.work);
    expect_signer_as_envelope(REFUSAL_REVOKED_KEY);
}

Test(trust, a_signer_of_another_role_or_outside_its_validity_does_not_hold)
{
    trial_next_keyring();
    trial.sample.keyring.publishers[1].not_after_s = SAMPLE_NOW_S - 1;
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
    expect_signer_as_envelope(REFUSAL_OUTSIDE_VALIDITY);
    cr_expect(eq(int,
                 trust_check_signer(&trial.trust, trust_signer_of(&trial.sample.app.public_key), 0,
                                    &trial.start),
                 REFUSAL_UNKNOWN_KEY));
}

/* A unit may be good by another than its first signature. */
Test(trust, the_signer_is_the_one_whose_signature_holds)
{
    CLEANUP(envelope_clear)
    struct envelope envelope = trial_unit_signed_by(&trial.sample.stranger);
    CLEANUP(work_unit_clear) struct work_unit unit = {0};
    const struct checked_app app = trial_the_app();
    struct signer_set signers = {0};

    cr_assert(eq(int, envelope_sign(&envelope, &trial.sample.work, NULL), STATUS_OK));
    cr_assert(eq(
        int, trust_admit_unit(&trial.trust, &envelope, &app, &trial.start, &unit, &signers, NULL),
        REFUSAL_NONE));
    cr_expect(eq(i64, signer_set_number(&signers), trust_signer_of(&trial.sample.work.public_key)));
}

Test(trust, a_revoked_key_is_refused_whatever_it_signed)
{
    trial_revoke_key(&trial.sample.work);
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_REVOKED_KEY));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish),
                 REFUSAL_REVOKED_KEY));
}

Test(trust, a_revoked_key_is_named_so_when_it_is_no_publisher_any_more)
{
    trial.sample.keyring.publisher_count = 1; /* work and fresh are gone */
    trial_revoke_key(&trial.sample.work);
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.keep),
                 REFUSAL_REVOKED_KEY));
}

Test(trust, a_retired_keys_earlier_signatures_stay_valid_and_later_ones_are_refused)
{
    trial_retire_key(&trial.sample.work, trial.sample.unit.not_before_s + 1);
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start), REFUSAL_NONE));
    trial.sample.unit.not_before_s += 1;
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_RETIRED_KEY));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish),
                 REFUSAL_RETIRED_KEY));
}

Test(trust, a_retired_key_stays_good_for_what_it_signed_beyond_its_validity)
{
    trial.sample.keyring.publishers[0].not_after_s = SAMPLE_NOW_S - 1;
    trial_retire_key(&trial.sample.app, SAMPLE_NOW_S - 10);
    cr_expect(eq(int, trial_check_app(sample_seal_app_version(&trial.sample), &trial.start),
                 REFUSAL_NONE));
}

/* ---- what was signed ---- */

Test(trust, another_projects_things_are_refused)
{
    trial.sample.unit.project = trial.sample.app_version.project = trial.sample.variant.project =
        trial.sample.notice.project = digest_of("another", 7);
    cr_expect(eq(int, trial_check_app(sample_seal_app_version(&trial.sample), &trial.start),
                 REFUSAL_OTHER_PROJECT));
    cr_expect(eq(int, trial_check_variant(sample_seal_variant(&trial.sample), &trial.start),
                 REFUSAL_OTHER_PROJECT));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_OTHER_PROJECT));
    cr_expect(eq(int, trial_check_notice(sample_seal_notice(&trial.sample), &trial.start),
                 REFUSAL_OTHER_PROJECT));
}

Test(trust, outside_its_validity_a_unit_is_refused_but_may_finish)
{
    trial.sample.unit.not_before_s = SAMPLE_NOW_S + 1;
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.keep), REFUSAL_NONE));
    trial.sample.unit.not_before_s = SAMPLE_NOW_S - 100;
    trial.sample.unit.not_after_s = SAMPLE_NOW_S - 1;
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.keep),
                 REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish), REFUSAL_NONE));
}

Test(trust, a_clock_set_back_does_not_bring_validity_back)
{
    trial.sample.unit.not_before_s = SAMPLE_NOW_S - 100 * DAY_S;
    trial.sample.unit.not_after_s = SAMPLE_NOW_S - 2 * DAY_S;
    trial.start.now_s = SAMPLE_NOW_S - 50 * DAY_S; /* the freshness was issued a day before now */
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_OUTSIDE_VALIDITY));
}

Test(trust, a_notice_that_is_over_is_refused)
{
    trial.start.now_s = trial.sample.notice.until_s + 1;
    cr_expect(eq(int, trial_check_notice(sample_seal_notice(&trial.sample), &trial.start),
                 REFUSAL_OUTSIDE_VALIDITY));
}

Test(trust, what_freshness_revokes_is_refused_at_once)
{
    CLEANUP(envelope_clear) struct envelope unit = sample_seal_unit(&trial.sample);

    trial.sample.freshness.sequence = 2;
    trial.sample.freshness.units = must_alloc(1, sizeof unit.digest);
    trial.sample.freshness.units[0] = unit.digest;
    trial.sample.freshness.unit_count = 1;
    cr_assert(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_REVOKED_UNIT));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish),
                 REFUSAL_REVOKED_UNIT));
    cr_expect(eq(int, trust_check_revoked(&trial.trust, &unit.digest, &trial.sample.unit, NULL),
                 REFUSAL_REVOKED_UNIT));

    trial.sample.freshness.sequence = 3;
    trial.sample.freshness.unit_count = 0;
    trial.sample.freshness.batches = must_alloc(1, sizeof(struct batch_id));
    trial.sample.freshness.batches[0] = trial.sample.unit.batch;
    trial.sample.freshness.batch_count = 1;
    cr_assert(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish),
                 REFUSAL_REVOKED_BATCH));

    trial.sample.freshness.sequence = 4;
    trial.sample.freshness.batch_count = 0;
    trial.sample.freshness.app_versions = must_alloc(1, sizeof unit.digest);
    trial.sample.freshness.app_versions[0] = trial.sample.app_digest;
    trial.sample.freshness.app_version_count = 1;
    cr_assert(eq(int, trial_accept_freshness(sample_seal_freshness(&trial.sample)), REFUSAL_NONE));
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.finish),
                 REFUSAL_REVOKED_APP_VERSION));
    cr_expect(eq(int, trial_check_app(sample_seal_app_version(&trial.sample), &trial.finish),
                 REFUSAL_REVOKED_APP_VERSION));
    cr_expect(eq(int, trial_check_variant(sample_seal_variant(&trial.sample), &trial.finish),
                 REFUSAL_REVOKED_APP_VERSION));
}

Test(trust, a_variant_of_another_app_version_is_refused)
{
    trial.sample.variant.app_version = digest_of("another", 7);
    cr_expect(eq(int, trial_check_variant(sample_seal_variant(&trial.sample), &trial.start),
                 REFUSAL_VARIANT_NOT_OF_APP));
    cr_expect(eq(int, trust_check_pair(&trial.sample.unit, &trial.sample.variant, NULL),
                 REFUSAL_VARIANT_NOT_OF_APP));
}

Test(trust, a_unit_of_another_app_version_is_refused)
{
    trial.sample.unit.app_version = digest_of("another", 7);
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_OTHER_APP_VERSION));
}

Test(trust, a_unit_runs_only_where_it_may)
{
    texts_add(&trial.sample.unit.only.platforms, "aarch64-linux-gnu");
    cr_expect(eq(int, trust_check_pair(&trial.sample.unit, &trial.sample.variant, NULL),
                 REFUSAL_NOT_ALLOWED_HERE));
    texts_add(&trial.sample.unit.only.platforms, "x86_64-linux-gnu");
    cr_expect(
        eq(int, trust_check_pair(&trial.sample.unit, &trial.sample.variant, NULL), REFUSAL_NONE));
    texts_add(&trial.sample.unit.only.classes, "wasm");
    cr_expect(eq(int, trust_check_pair(&trial.sample.unit, &trial.sample.variant, NULL),
                 REFUSAL_NOT_ALLOWED_HERE));
}

/* Regression: anybody ran it. */
Test(trust, a_unit_for_one_organisation_runs_nowhere_as_no_host_is_of_any)
{
    texts_add(&trial.sample.unit.only.organisations, "An organisation");
    cr_expect(eq(int, trust_check_pair(&trial.sample.unit, &trial.sample.variant, NULL),
                 REFUSAL_NOT_ALLOWED_HERE));
}

Test(trust, each_limit_above_its_ceiling_is_refused)
{
    int64_t *limits[] = {
        &trial.sample.unit.limits.cores,      &trial.sample.unit.limits.memory_bytes,
        &trial.sample.unit.limits.disk_bytes, &trial.sample.unit.limits.output_bytes,
        &trial.sample.unit.limits.cpu_s,      &trial.sample.unit.limits.wall_s};

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        ++*limits[i];
        cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                     REFUSAL_LIMITS_ABOVE_CEILING));
        --*limits[i];
    }
    cr_expect(
        eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start), REFUSAL_NONE));
}

Test(trust, a_unit_that_needs_a_newer_keyring_is_refused)
{
    trial.sample.unit.keyring_version = 2;
    cr_expect(eq(int, trial_check_unit(sample_seal_unit(&trial.sample), &trial.start),
                 REFUSAL_NEEDS_NEWER_KEYRING));
}

Test(trust, what_a_decoder_finds_has_its_own_reason)
{
    static const struct {
        const char *piece, *instead;
        enum refusal refusal;
    } cases[] = {
        {"\"index\":7", "\"index\":7,\"extra\":1", REFUSAL_UNKNOWN_MEMBER},
        {"\"index\":7", "\"index\":7,\"index\":7", REFUSAL_DUPLICATE_MEMBER},
        {"\"index\":7", "\"index\":7.0", REFUSAL_BAD_NUMBER},
        {"\"index\":7", "\"index\":-7", REFUSAL_BAD_NUMBER},
        {"\"name\":\"unit-7\"", "\"name\":\"../7\"", REFUSAL_BAD_FILE_NAME},
        {"\"index\":7", "\"index\":\"7\"", REFUSAL_MALFORMED},
        {"\"index\":7,", "", REFUSAL_MALFORMED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(
            eq(int,
               trial_check_unit(trial_unit_with(cases[i].piece, cases[i].instead), &trial.start),
               cases[i].refusal),
            "%s", cases[i].instead);
}

Test(trust, a_keyring_that_names_a_key_of_small_order_is_refused)
{
    trial_next_keyring();
    trial.sample.keyring.publishers[1].key = (struct public_key){{1}};
    cr_expect(
        eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_SMALL_ORDER_KEY));
}

Test(trust, one_type_signed_is_no_other)
{
    CLEANUP(freep) char *payload = work_unit_encode(&trial.sample.unit);

    cr_expect(eq(
        int, trial_check_unit(sample_seal(NOTICE_TYPE, payload, &trial.sample.work), &trial.start),
        REFUSAL_MALFORMED));
    cr_expect(
        eq(int,
           trial_check_notice(sample_seal(NOTICE_TYPE, payload, &trial.sample.work), &trial.start),
           REFUSAL_MALFORMED));
}

Test(trust, any_changed_byte_of_a_payload_is_refused)
{
    CLEANUP(envelope_clear) struct envelope good = sample_seal_unit(&trial.sample);

    for (size_t i = 0; i < good.payload_length; i++) {
        struct envelope changed;

        envelope_init(&changed, good.type, good.payload, good.payload_length);
        changed.payload[i] ^= (char)(1 << i % 8);
        changed.signatures[0] = good.signatures[0];
        changed.signature_count = 1;
        cr_expect(eq(int, trial_check_unit(changed, &trial.start), REFUSAL_CHANGED_PAYLOAD),
                  "byte %zu", i);
    }
}

Test(trust, any_changed_byte_of_an_envelope_is_refused_or_harmless, .timeout = 60)
{
    CLEANUP(envelope_clear) struct envelope good = sample_seal_unit(&trial.sample);
    CLEANUP(freep) char *text = envelope_encode(&good);
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        struct envelope read;

        text[i] ^= (char)(1 << i % 8);
        if (envelope_decode(text, length, ENVELOPE_PAYLOAD_MAX, &read, NULL) == STATUS_OK) {
            bool is_same = digest_equals(&read.digest, &good.digest);
            enum refusal refusal = trial_check_unit(read, &trial.start);

            cr_expect(refusal != REFUSAL_NONE || is_same, "byte %zu of %s", i, text);
        }
        text[i] ^= (char)(1 << i % 8);
    }
}

Test(trust, a_signature_that_no_key_makes_has_its_own_reason)
{
    struct envelope unit = sample_seal_unit(&trial.sample);

    memset(unit.signatures[0].signature.bytes, 0, 32);
    cr_expect(eq(int, trial_check_unit(unit, &trial.start), REFUSAL_BAD_SIGNATURE));
}

/* ---- files ---- */

Test(trust, changed_inputs_and_executables_are_refused)
{
    struct digest data = digest_of("data", 4), binary = digest_of("binary", 6);
    struct digest other = digest_of("othe", 4);

    cr_expect(eq(int, trust_check_input(&trial.sample.unit, "data", 4, &data, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trust_check_input(&trial.sample.unit, "data", 4, &other, NULL),
                 REFUSAL_CHANGED_INPUT));
    cr_expect(eq(int, trust_check_input(&trial.sample.unit, "data", 3, &data, NULL),
                 REFUSAL_CHANGED_INPUT));
    cr_expect(eq(int, trust_check_input(&trial.sample.unit, "else", 4, &data, NULL),
                 REFUSAL_CHANGED_INPUT));
    cr_expect(eq(int, trust_check_input(&trial.sample.unit, "data", 4, NULL, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trust_check_input(&trial.sample.unit, "data", 5, NULL, NULL),
                 REFUSAL_LARGER_THAN_SIGNED));
    cr_expect(
        eq(int, trust_check_file(&trial.sample.variant, "primes", 6, &binary, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trust_check_file(&trial.sample.variant, "primes", 6, &other, NULL),
                 REFUSAL_CHANGED_EXECUTABLE));
    cr_expect(eq(int, trust_check_file(&trial.sample.variant, "primes", 5, &binary, NULL),
                 REFUSAL_CHANGED_EXECUTABLE));
    cr_expect(eq(int, trust_check_file(&trial.sample.variant, "sh", 6, &binary, NULL),
                 REFUSAL_CHANGED_EXECUTABLE));
    cr_expect(eq(int, trust_check_file(&trial.sample.variant, "primes", 7, NULL, NULL),
                 REFUSAL_LARGER_THAN_SIGNED));
}
