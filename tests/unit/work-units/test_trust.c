/* work-units/trust: I1. What does not chain to the pinned project id is refused, and why. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"
#include "tests/support/sample.h"

static struct sample sample;
static struct trust trust;
static struct trust_moment start = {.purpose = TRUST_START, .now_s = SAMPLE_NOW_S};
static struct trust_moment finish = {.purpose = TRUST_FINISH, .now_s = SAMPLE_NOW_S};
static struct trust_moment keep = {.purpose = TRUST_KEEP, .now_s = SAMPLE_NOW_S};

static void set_up(void)
{
    sample_init(&sample);
    sample_trust(&sample, &trust);
}

static void tear_down(void)
{
    trust_clear(&trust);
    sample_clear(&sample);
}

TestSuite(trust, .init = set_up, .fini = tear_down);

static struct checked_app the_app(void)
{
    return (struct checked_app){.digest = sample.app_digest, .app = &sample.app_version};
}

/* What a check says of an envelope, which is released. */
static enum refusal check_app(struct envelope envelope, const struct trust_moment *moment)
{
    CLEANUP(app_version_clear) struct app_version app = {.version = 0};
    struct error err;
    enum refusal refusal = trust_check_app_version(&trust, &envelope, moment, &app, &err);

    cr_expect(refusal == REFUSAL_NONE || strcmp(err.code, refusal_code(refusal)) == 0);
    envelope_clear(&envelope);
    return refusal;
}

static enum refusal check_variant(struct envelope envelope, const struct trust_moment *moment)
{
    CLEANUP(variant_clear) struct variant variant = {.file_count = 0};
    struct checked_app app = the_app();
    enum refusal refusal = trust_check_variant(&trust, &envelope, &app, moment, &variant, NULL);

    envelope_clear(&envelope);
    return refusal;
}

static enum refusal check_unit(struct envelope envelope, const struct trust_moment *moment)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {.index = 0};
    struct checked_app app = the_app();
    struct error err;
    enum refusal refusal = trust_check_unit(&trust, &envelope, &app, moment, &unit, &err);

    cr_expect(refusal == REFUSAL_NONE || strcmp(err.code, refusal_code(refusal)) == 0);
    envelope_clear(&envelope);
    return refusal;
}

static enum refusal check_notice(struct envelope envelope, const struct trust_moment *moment)
{
    struct notice notice;
    enum refusal refusal = trust_check_notice(&trust, &envelope, moment, &notice, NULL);

    envelope_clear(&envelope);
    return refusal;
}

static enum refusal accept_keyring(struct envelope envelope)
{
    enum refusal refusal = trust_accept_keyring(&trust, &envelope, NULL);

    envelope_clear(&envelope);
    return refusal;
}

static enum refusal accept_freshness(struct envelope envelope)
{
    enum refusal refusal = trust_accept_freshness(&trust, &envelope, SAMPLE_NOW_S, NULL);

    envelope_clear(&envelope);
    return refusal;
}

/* The sample's payload, signed by somebody else. */
static struct envelope unit_signed_by(const struct private_key *key)
{
    CLEANUP(freep) char *payload = work_unit_encode(&sample.unit);

    return sample_seal(WORK_UNIT_TYPE, payload, key);
}

static struct envelope app_signed_by(const struct private_key *key)
{
    CLEANUP(freep) char *payload = app_version_encode(&sample.app_version);

    return sample_seal(APP_VERSION_TYPE, payload, key);
}

/* A unit whose payload had one piece of text put in the place of another before it was signed. */
static struct envelope unit_with(const char *piece, const char *instead)
{
    CLEANUP(freep) char *payload = work_unit_encode(&sample.unit);
    CLEANUP(freep) char *changed = NULL;
    char *at = strstr(payload, piece);

    cr_assert(at != NULL, "%s", piece);
    changed = text_format("%.*s%s%s", (int)(at - payload), payload, instead, at + strlen(piece));
    return sample_seal(WORK_UNIT_TYPE, changed, &sample.work);
}

/* The next keyring, issued now; nothing of it is sealed yet. */
static void next_keyring(void)
{
    sample.keyring.version++;
    sample.keyring.issued_s = SAMPLE_NOW_S;
}

static void end_key(struct key_end **ends, size_t *count, const struct private_key *key,
                    int64_t at_s)
{
    free(*ends);
    *ends = must_alloc(1, sizeof **ends);
    **ends = (struct key_end){.key = key->public_key, .at_s = at_s};
    *count = 1;
}

static void revoke_key(const struct private_key *key)
{
    next_keyring();
    end_key(&sample.keyring.revoked, &sample.keyring.revoked_count, key, SAMPLE_NOW_S);
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
}

static void retire_key(const struct private_key *key, int64_t at_s)
{
    next_keyring();
    end_key(&sample.keyring.retired, &sample.keyring.retired_count, key, at_s);
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
}

Test(trust, all_that_the_project_signed_is_accepted)
{
    cr_expect(eq(int, check_app(sample_seal_app_version(&sample), &start), REFUSAL_NONE));
    cr_expect(eq(int, check_variant(sample_seal_variant(&sample), &start), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_NONE));
    cr_expect(eq(int, check_notice(sample_seal_notice(&sample), &start), REFUSAL_NONE));
    cr_expect(eq(int, trust_check_pair(&sample.unit, &sample.variant, NULL), REFUSAL_NONE));
}

Test(trust, a_copy_knows_the_same_and_what_it_takes_leaves_no_trace)
{
    CLEANUP(freep) char *before = trust_encode(&trust);
    CLEANUP(freep) char *copied = NULL;
    CLEANUP(freep) char *after = NULL;
    CLEANUP(trust_clear) struct trust copy = {0};
    const struct trust nothing = {0};

    trust_copy(&trust, &copy);
    copied = trust_encode(&copy);
    cr_expect(eq(str, copied, before));
    copy.keyring.version++;
    copy.latest_signed_s++;
    after = trust_encode(&trust);
    cr_expect(eq(str, after, before));
    trust_clear(&copy);
    trust_copy(&nothing, &copy);
    cr_expect(digest_is_none(&copy.project));
}

/* ---- the start ---- */

Test(trust, a_first_keyring_that_is_not_the_pinned_one_is_refused)
{
    CLEANUP(envelope_clear) struct envelope keyring = {.type = ""};
    struct digest project = sample.project;
    struct trust fresh = {.has_freshness = false};

    sample.keyring.project[0] = 'B';
    keyring = sample_seal_keyring(&sample);
    cr_expect(eq(int, trust_start(&fresh, &project, &keyring, NULL), REFUSAL_OTHER_PROJECT));
    cr_expect(fresh.keyring.version == 0);
}

Test(trust, a_first_keyring_needs_its_own_threshold_and_version_one)
{
    CLEANUP(freep) char *payload = keyring_encode(&sample.keyring);
    CLEANUP(envelope_clear) struct envelope one = sample_seal(KEYRING_TYPE, payload, sample.root);
    CLEANUP(envelope_clear) struct envelope second = {.type = ""};
    struct trust fresh = {.has_freshness = false};

    cr_expect(eq(int, trust_start(&fresh, &one.digest, &one, NULL), REFUSAL_NOT_ENOUGH_ROOTS));
    one.signatures[1] = one.signatures[0];
    one.signature_count = 2;
    cr_expect(eq(int, trust_start(&fresh, &one.digest, &one, NULL), REFUSAL_NOT_ENOUGH_ROOTS),
              "one key twice is one key");
    sample.keyring.version = 2;
    second = sample_seal_keyring(&sample);
    cr_expect(eq(int, trust_start(&fresh, &second.digest, &second, NULL), REFUSAL_MALFORMED));
}

/* ---- keyrings that follow ---- */

Test(trust, a_later_keyring_of_the_root_is_accepted_and_again)
{
    next_keyring();
    cr_expect(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(i64, trust.keyring.version, 2));
    sample.keyring.version = 5; /* the ones between did not change the root */
    cr_expect(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(i64, trust.keyring.version, 5));
    cr_expect(digest_equals(&trust.project, &sample.project));
}

Test(trust, keyring_rollback_is_refused)
{
    struct envelope first = sample_seal_keyring(&sample);

    next_keyring();
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, accept_keyring(first), REFUSAL_KEYRING_ROLLBACK));
    cr_expect(eq(i64, trust.keyring.version, 2));
}

Test(trust, a_keyring_fork_is_refused_and_only_the_root_can_make_one)
{
    CLEANUP(freep) char *payload = NULL;

    sample.keyring.project[0] = 'B';
    payload = keyring_encode(&sample.keyring);
    cr_expect(eq(int, accept_keyring(sample_seal(KEYRING_TYPE, payload, &sample.root[0])),
                 REFUSAL_NOT_ENOUGH_ROOTS));
    cr_expect(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_KEYRING_FORK));
    cr_expect(eq(str, trust.keyring.project, "A sample"));
}

Test(trust, a_keyring_without_enough_root_signatures_is_refused)
{
    CLEANUP(freep) char *payload = NULL;

    next_keyring();
    payload = keyring_encode(&sample.keyring);
    cr_expect(eq(int, accept_keyring(sample_seal(KEYRING_TYPE, payload, &sample.root[0])),
                 REFUSAL_NOT_ENOUGH_ROOTS));
    cr_expect(eq(int, accept_keyring(sample_seal(KEYRING_TYPE, payload, &sample.work)),
                 REFUSAL_NOT_ENOUGH_ROOTS));
    cr_expect(eq(i64, trust.keyring.version, 1));
}

Test(trust, a_root_change_needs_the_old_and_the_new_set)
{
    CLEANUP(envelope_clear) struct envelope keyring = {.type = ""};

    next_keyring();
    sample.keyring.root.keys[0] = sample.root[2].public_key; /* in place of root[0] */
    keyring = sample_seal_keyring(&sample);                  /* root[0] and root[1]: the old set */
    cr_expect(eq(int, trust_accept_keyring(&trust, &keyring, NULL), REFUSAL_NOT_ENOUGH_ROOTS));

    keyring.signature_count = 0;
    cr_assert(eq(int, envelope_sign(&keyring, &sample.root[1], NULL), STATUS_OK));
    cr_assert(eq(int, envelope_sign(&keyring, &sample.root[2], NULL), STATUS_OK)); /* the new set */
    cr_expect(eq(int, trust_accept_keyring(&trust, &keyring, NULL), REFUSAL_NOT_ENOUGH_ROOTS));

    cr_assert(eq(int, envelope_sign(&keyring, &sample.root[0], NULL), STATUS_OK));
    cr_expect(eq(int, trust_accept_keyring(&trust, &keyring, NULL), REFUSAL_NONE));
    cr_expect(root_set_equals(&trust.keyring.root, &sample.keyring.root));
    sample.keyring.version = 3; /* the old set alone has no say any more */
    cr_expect(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NOT_ENOUGH_ROOTS));
}

Test(trust, an_expired_keyring_starts_nothing_but_lets_finish)
{
    start.now_s = finish.now_s = sample.keyring.expires_s;
    cr_expect(eq(int, trust_may_start(&trust, start.now_s, NULL), REFUSAL_KEYRING_EXPIRED));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_NONE));
    sample.unit.not_after_s = sample.keyring.expires_s + DAY_S;
    sample.keyring.publishers[1].not_after_s = sample.keyring.expires_s + DAY_S;
    next_keyring();
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_KEYRING_EXPIRED));
}

/* ---- freshness ---- */

Test(trust, without_a_fresh_freshness_nothing_starts_but_all_may_finish)
{
    trust_clear(&trust);
    CLEANUP(envelope_clear) struct envelope keyring = sample_seal_keyring(&sample);

    cr_assert(eq(int, trust_start(&trust, &sample.project, &keyring, NULL), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_STALE_FRESHNESS));
    cr_expect(
        eq(int, check_app(sample_seal_app_version(&sample), &start), REFUSAL_STALE_FRESHNESS));
    cr_expect(
        eq(int, check_variant(sample_seal_variant(&sample), &start), REFUSAL_STALE_FRESHNESS));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &keep), REFUSAL_NONE));
}

Test(trust, a_freshness_goes_stale_at_its_expiry)
{
    cr_expect(eq(int, trust_may_start(&trust, sample.freshness.expires_s - 1, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trust_may_start(&trust, sample.freshness.expires_s, NULL),
                 REFUSAL_STALE_FRESHNESS));
}

Test(trust, a_freshness_must_not_fall_back)
{
    struct envelope first = sample_seal_freshness(&sample);

    cr_expect(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NONE));
    sample.freshness.sequence = 2;
    cr_expect(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, accept_freshness(first), REFUSAL_FRESHNESS_ROLLBACK));
    sample.freshness.expires_s++; /* another one of the same sequence */
    cr_expect(
        eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_FRESHNESS_ROLLBACK));
    cr_expect(eq(i64, trust.freshness.sequence, 2));
}

Test(trust, a_freshness_names_the_keyring)
{
    sample.freshness.sequence = 2;
    sample.freshness.keyring_version = 2;
    cr_expect(
        eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NEEDS_NEWER_KEYRING));
    sample.freshness.keyring_version = 1;
    sample.freshness.keyring = digest_of("another", 7);
    cr_expect(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_KEYRING_FORK));
    cr_expect(eq(i64, trust.freshness.sequence, 1));
}

Test(trust, a_freshness_of_another_key_or_project_is_refused)
{
    CLEANUP(freep) char *payload = NULL;

    sample.freshness.sequence = 2;
    payload = freshness_encode(&sample.freshness);
    cr_expect(eq(int, accept_freshness(sample_seal(FRESHNESS_TYPE, payload, &sample.work)),
                 REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, accept_freshness(sample_seal(FRESHNESS_TYPE, payload, &sample.stranger)),
                 REFUSAL_UNKNOWN_KEY));
    sample.freshness.project = digest_of("another", 7);
    cr_expect(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_OTHER_PROJECT));
}

Test(trust, a_stolen_fresh_key_blocks_nothing_once_it_is_revoked)
{
    sample.freshness.sequence = PROFILE_INTEGER_MAX;
    sample.freshness.issued_s = SAMPLE_NOW_S + 200 * DAY_S;
    sample.freshness.expires_s = SAMPLE_NOW_S + 250 * DAY_S;
    cr_assert(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NONE));
    cr_expect(eq(i64, trust_judged_s(&trust, SAMPLE_NOW_S), SAMPLE_NOW_S + 200 * DAY_S));

    sample.keyring.publishers[2].key = sample.stranger.public_key; /* the new fresh key */
    revoke_key(&sample.fresh);
    cr_expect(not(trust.has_freshness));
    cr_expect(eq(i64, trust_judged_s(&trust, 0), SAMPLE_NOW_S));
    cr_expect(eq(int, trust_may_start(&trust, SAMPLE_NOW_S, NULL), REFUSAL_STALE_FRESHNESS));
}

/* ---- whose signature ---- */

Test(trust, an_unknown_key_is_refused)
{
    cr_expect(eq(int, check_unit(unit_signed_by(&sample.stranger), &start), REFUSAL_UNKNOWN_KEY));
    cr_expect(eq(int, check_app(app_signed_by(&sample.stranger), &start), REFUSAL_UNKNOWN_KEY));
}

Test(trust, a_key_of_the_wrong_role_is_refused)
{
    cr_expect(eq(int, check_unit(unit_signed_by(&sample.app), &start), REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, check_unit(unit_signed_by(&sample.fresh), &start), REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, check_unit(unit_signed_by(&sample.root[0]), &start), REFUSAL_WRONG_ROLE));
    cr_expect(eq(int, check_app(app_signed_by(&sample.work), &start), REFUSAL_WRONG_ROLE));
}

Test(trust, one_right_signature_among_others_is_enough)
{
    struct envelope unit = unit_signed_by(&sample.stranger);

    cr_assert(eq(int, envelope_sign(&unit, &sample.app, NULL), STATUS_OK));
    cr_assert(eq(int, envelope_sign(&unit, &sample.work, NULL), STATUS_OK));
    cr_expect(eq(int, check_unit(unit, &start), REFUSAL_NONE));
}

Test(trust, an_app_that_the_key_does_not_cover_is_refused)
{
    sample.app_version.name = (struct word){"weather"};
    cr_expect(
        eq(int, check_app(sample_seal_app_version(&sample), &start), REFUSAL_APP_NOT_COVERED));
    cr_expect(
        eq(int, check_variant(sample_seal_variant(&sample), &start), REFUSAL_APP_NOT_COVERED));
}

Test(trust, outside_its_validity_a_key_is_refused_but_may_finish)
{
    next_keyring();
    sample.keyring.publishers[1].not_after_s = SAMPLE_NOW_S - 1;
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_NONE));
    next_keyring();
    sample.keyring.publishers[1].not_before_s = SAMPLE_NOW_S + 10;
    sample.keyring.publishers[1].not_after_s = SAMPLE_NOW_S + 20;
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &keep), REFUSAL_OUTSIDE_VALIDITY));
}

Test(trust, a_revoked_key_is_refused_whatever_it_signed)
{
    revoke_key(&sample.work);
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_REVOKED_KEY));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_REVOKED_KEY));
}

Test(trust, a_revoked_key_is_named_so_when_it_is_no_publisher_any_more)
{
    sample.keyring.publisher_count = 1; /* work and fresh are gone */
    revoke_key(&sample.work);
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &keep), REFUSAL_REVOKED_KEY));
}

Test(trust, a_retired_keys_earlier_signatures_stay_valid_and_later_ones_are_refused)
{
    retire_key(&sample.work, sample.unit.not_before_s + 1);
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_NONE));
    sample.unit.not_before_s += 1;
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_RETIRED_KEY));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_RETIRED_KEY));
}

Test(trust, a_retired_key_stays_good_for_what_it_signed_beyond_its_validity)
{
    sample.keyring.publishers[0].not_after_s = SAMPLE_NOW_S - 1;
    retire_key(&sample.app, SAMPLE_NOW_S - 10);
    cr_expect(eq(int, check_app(sample_seal_app_version(&sample), &start), REFUSAL_NONE));
}

/* ---- what was signed ---- */

Test(trust, another_projects_things_are_refused)
{
    sample.unit.project = sample.app_version.project = sample.variant.project =
        sample.notice.project = digest_of("another", 7);
    cr_expect(eq(int, check_app(sample_seal_app_version(&sample), &start), REFUSAL_OTHER_PROJECT));
    cr_expect(eq(int, check_variant(sample_seal_variant(&sample), &start), REFUSAL_OTHER_PROJECT));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_OTHER_PROJECT));
    cr_expect(eq(int, check_notice(sample_seal_notice(&sample), &start), REFUSAL_OTHER_PROJECT));
}

Test(trust, outside_its_validity_a_unit_is_refused_but_may_finish)
{
    sample.unit.not_before_s = SAMPLE_NOW_S + 1;
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &keep), REFUSAL_NONE));
    sample.unit.not_before_s = SAMPLE_NOW_S - 100;
    sample.unit.not_after_s = SAMPLE_NOW_S - 1;
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &keep), REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_NONE));
}

Test(trust, a_clock_set_back_does_not_bring_validity_back)
{
    sample.unit.not_before_s = SAMPLE_NOW_S - 100 * DAY_S;
    sample.unit.not_after_s = SAMPLE_NOW_S - 2 * DAY_S;
    start.now_s = SAMPLE_NOW_S - 50 * DAY_S; /* the freshness was issued a day before now */
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_OUTSIDE_VALIDITY));
}

Test(trust, a_notice_that_is_over_is_refused)
{
    start.now_s = sample.notice.until_s + 1;
    cr_expect(eq(int, check_notice(sample_seal_notice(&sample), &start), REFUSAL_OUTSIDE_VALIDITY));
}

Test(trust, what_freshness_revokes_is_refused_at_once)
{
    CLEANUP(envelope_clear) struct envelope unit = sample_seal_unit(&sample);

    sample.freshness.sequence = 2;
    sample.freshness.units = must_alloc(1, sizeof unit.digest);
    sample.freshness.units[0] = unit.digest;
    sample.freshness.unit_count = 1;
    cr_assert(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_REVOKED_UNIT));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_REVOKED_UNIT));
    cr_expect(eq(int, trust_check_revoked(&trust, &unit.digest, &sample.unit, NULL),
                 REFUSAL_REVOKED_UNIT));

    sample.freshness.sequence = 3;
    sample.freshness.unit_count = 0;
    sample.freshness.batches = must_alloc(1, sizeof(struct batch_id));
    sample.freshness.batches[0] = sample.unit.batch;
    sample.freshness.batch_count = 1;
    cr_assert(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_REVOKED_BATCH));

    sample.freshness.sequence = 4;
    sample.freshness.batch_count = 0;
    sample.freshness.app_versions = must_alloc(1, sizeof unit.digest);
    sample.freshness.app_versions[0] = sample.app_digest;
    sample.freshness.app_version_count = 1;
    cr_assert(eq(int, accept_freshness(sample_seal_freshness(&sample)), REFUSAL_NONE));
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &finish), REFUSAL_REVOKED_APP_VERSION));
    cr_expect(
        eq(int, check_app(sample_seal_app_version(&sample), &finish), REFUSAL_REVOKED_APP_VERSION));
    cr_expect(
        eq(int, check_variant(sample_seal_variant(&sample), &finish), REFUSAL_REVOKED_APP_VERSION));
}

Test(trust, a_variant_of_another_app_version_is_refused)
{
    sample.variant.app_version = digest_of("another", 7);
    cr_expect(
        eq(int, check_variant(sample_seal_variant(&sample), &start), REFUSAL_VARIANT_NOT_OF_APP));
    cr_expect(
        eq(int, trust_check_pair(&sample.unit, &sample.variant, NULL), REFUSAL_VARIANT_NOT_OF_APP));
}

Test(trust, a_unit_of_another_app_version_is_refused)
{
    sample.unit.app_version = digest_of("another", 7);
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_OTHER_APP_VERSION));
}

Test(trust, a_unit_runs_only_where_it_may)
{
    texts_add(&sample.unit.only.platforms, "aarch64-linux-gnu");
    cr_expect(
        eq(int, trust_check_pair(&sample.unit, &sample.variant, NULL), REFUSAL_NOT_ALLOWED_HERE));
    texts_add(&sample.unit.only.platforms, "x86_64-linux-gnu");
    cr_expect(eq(int, trust_check_pair(&sample.unit, &sample.variant, NULL), REFUSAL_NONE));
    texts_add(&sample.unit.only.classes, "wasm");
    cr_expect(
        eq(int, trust_check_pair(&sample.unit, &sample.variant, NULL), REFUSAL_NOT_ALLOWED_HERE));
}

Test(trust, each_limit_above_its_ceiling_is_refused)
{
    int64_t *limits[] = {&sample.unit.limits.cores,      &sample.unit.limits.memory_bytes,
                         &sample.unit.limits.disk_bytes, &sample.unit.limits.output_bytes,
                         &sample.unit.limits.cpu_s,      &sample.unit.limits.wall_s};

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        ++*limits[i];
        cr_expect(
            eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_LIMITS_ABOVE_CEILING));
        --*limits[i];
    }
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_NONE));
}

Test(trust, a_unit_that_needs_a_newer_keyring_is_refused)
{
    sample.unit.keyring_version = 2;
    cr_expect(eq(int, check_unit(sample_seal_unit(&sample), &start), REFUSAL_NEEDS_NEWER_KEYRING));
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
        cr_expect(eq(int, check_unit(unit_with(cases[i].piece, cases[i].instead), &start),
                     cases[i].refusal),
                  "%s", cases[i].instead);
}

Test(trust, a_keyring_that_names_a_key_of_small_order_is_refused)
{
    next_keyring();
    sample.keyring.publishers[1].key = (struct public_key){{1}};
    cr_expect(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_SMALL_ORDER_KEY));
}

Test(trust, one_type_signed_is_no_other)
{
    CLEANUP(freep) char *payload = work_unit_encode(&sample.unit);

    cr_expect(eq(int, check_unit(sample_seal(NOTICE_TYPE, payload, &sample.work), &start),
                 REFUSAL_MALFORMED));
    cr_expect(eq(int, check_notice(sample_seal(NOTICE_TYPE, payload, &sample.work), &start),
                 REFUSAL_MALFORMED));
}

Test(trust, any_changed_byte_of_a_payload_is_refused)
{
    CLEANUP(envelope_clear) struct envelope good = sample_seal_unit(&sample);

    for (size_t i = 0; i < good.payload_length; i++) {
        struct envelope changed;

        envelope_init(&changed, good.type, good.payload, good.payload_length);
        changed.payload[i] ^= (char)(1 << i % 8);
        changed.signatures[0] = good.signatures[0];
        changed.signature_count = 1;
        cr_expect(eq(int, check_unit(changed, &start), REFUSAL_CHANGED_PAYLOAD), "byte %zu", i);
    }
}

Test(trust, any_changed_byte_of_an_envelope_is_refused_or_harmless, .timeout = 60)
{
    CLEANUP(envelope_clear) struct envelope good = sample_seal_unit(&sample);
    CLEANUP(freep) char *text = envelope_encode(&good);
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        struct envelope read;

        text[i] ^= (char)(1 << i % 8);
        if (envelope_decode(text, length, ENVELOPE_PAYLOAD_MAX, &read, NULL) == STATUS_OK) {
            bool is_same = digest_equals(&read.digest, &good.digest);
            enum refusal refusal = check_unit(read, &start);

            cr_expect(refusal != REFUSAL_NONE || is_same, "byte %zu of %s", i, text);
        }
        text[i] ^= (char)(1 << i % 8);
    }
}

Test(trust, a_signature_that_no_key_makes_has_its_own_reason)
{
    struct envelope unit = sample_seal_unit(&sample);

    memset(unit.signatures[0].signature.bytes, 0, 32);
    cr_expect(eq(int, check_unit(unit, &start), REFUSAL_BAD_SIGNATURE));
}

/* ---- files ---- */

Test(trust, changed_inputs_and_executables_are_refused)
{
    struct digest data = digest_of("data", 4), binary = digest_of("binary", 6);
    struct digest other = digest_of("othe", 4);

    cr_expect(eq(int, trust_check_input(&sample.unit, "data", 4, &data, NULL), REFUSAL_NONE));
    cr_expect(
        eq(int, trust_check_input(&sample.unit, "data", 4, &other, NULL), REFUSAL_CHANGED_INPUT));
    cr_expect(
        eq(int, trust_check_input(&sample.unit, "data", 3, &data, NULL), REFUSAL_CHANGED_INPUT));
    cr_expect(
        eq(int, trust_check_input(&sample.unit, "else", 4, &data, NULL), REFUSAL_CHANGED_INPUT));
    cr_expect(eq(int, trust_check_input(&sample.unit, "data", 4, NULL, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trust_check_input(&sample.unit, "data", 5, NULL, NULL),
                 REFUSAL_LARGER_THAN_SIGNED));
    cr_expect(eq(int, trust_check_file(&sample.variant, "primes", 6, &binary, NULL), REFUSAL_NONE));
    cr_expect(eq(int, trust_check_file(&sample.variant, "primes", 6, &other, NULL),
                 REFUSAL_CHANGED_EXECUTABLE));
    cr_expect(eq(int, trust_check_file(&sample.variant, "primes", 5, &binary, NULL),
                 REFUSAL_CHANGED_EXECUTABLE));
    cr_expect(eq(int, trust_check_file(&sample.variant, "sh", 6, &binary, NULL),
                 REFUSAL_CHANGED_EXECUTABLE));
    cr_expect(eq(int, trust_check_file(&sample.variant, "primes", 7, NULL, NULL),
                 REFUSAL_LARGER_THAN_SIGNED));
}

/* ---- the stored state ---- */

Test(trust, its_state_comes_back_from_storage)
{
    CLEANUP(freep) char *text = NULL, *again = NULL;
    CLEANUP(trust_clear) struct trust read = {.has_freshness = false};
    struct error err = {.text = ""};

    next_keyring();
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    text = trust_encode(&trust);
    cr_assert(eq(int, trust_decode(text, strlen(text), &read, &err), STATUS_OK), "%s", err.text);
    again = trust_encode(&read);
    cr_expect(eq(str, again, text));
    cr_expect(eq(i64, read.keyring.version, 2));
    cr_expect(read.has_freshness);
    cr_expect(eq(i64, read.latest_signed_s, SAMPLE_NOW_S));
}

Test(trust, a_state_without_freshness_comes_back_too)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(trust_clear) struct trust first = {.has_freshness = false}, read = first;
    CLEANUP(envelope_clear) struct envelope keyring = sample_seal_keyring(&sample);

    cr_assert(eq(int, trust_start(&first, &sample.project, &keyring, NULL), REFUSAL_NONE));
    text = trust_encode(&first);
    cr_assert(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_OK));
    cr_expect(not(read.has_freshness));
}

/* The state says nothing that a signature does not: only the clock's mark could be changed. */
Test(trust, a_changed_state_is_refused, .timeout = 60)
{
    CLEANUP(freep) char *text = trust_encode(&trust);
    size_t length = strlen(text);
    const char *mark = strstr(text, "latest_signed");

    for (size_t i = 0; text + i < mark; i++) {
        CLEANUP(trust_clear) struct trust read = {.has_freshness = false};

        text[i] ^= (char)(1 << i % 7);
        if (trust_decode(text, length, &read, NULL) == STATUS_OK) {
            cr_expect(digest_equals(&read.keyring_envelope.digest, &trust.keyring_envelope.digest),
                      "byte %zu", i);
            cr_expect(
                digest_equals(&read.freshness_envelope.digest, &trust.freshness_envelope.digest),
                "byte %zu", i);
            cr_expect(digest_equals(&read.project, &trust.project));
        }
        text[i] ^= (char)(1 << i % 7);
    }
}

Test(trust, a_state_whose_keyring_the_root_did_not_sign_is_refused)
{
    CLEANUP(freep) char *text = NULL;
    struct trust read = {.has_freshness = false};

    next_keyring();
    cr_assert(eq(int, accept_keyring(sample_seal_keyring(&sample)), REFUSAL_NONE));
    trust.keyring_envelope.signature_count = 1;
    text = trust_encode(&trust);
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_UNTRUSTED));
}

Test(trust, a_state_of_another_project_than_its_first_keyring_is_refused)
{
    CLEANUP(freep) char *text = NULL;
    struct trust read = {.has_freshness = false};

    trust.project = digest_of("another", 7);
    trust.has_freshness = false;
    text = trust_encode(&trust);
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_UNTRUSTED));
}

Test(trust, what_is_no_state_is_refused)
{
    static const char *const texts[] = {"", "{}", "[]", "{\"type\":\"dugnad-trust\"}"};
    CLEANUP(freep) char *text = trust_encode(&trust);
    struct trust read = {.has_freshness = false};
    char *mark = strstr(text, "\"latest_signed\":1");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect(eq(int, trust_decode(texts[i], strlen(texts[i]), &read, NULL), STATUS_INVALID));
    mark[strlen("\"latest_signed\":")] = '0';
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_INVALID));
    mark[strlen("\"latest_signed\":")] = '1';
    mark[strlen("\"latest_signed\":1")] = '0'; /* earlier than what was signed */
    cr_expect(eq(int, trust_decode(text, strlen(text), &read, NULL), STATUS_UNTRUSTED));
}
