/*
 * client/daemon: signatures that say to be a key's of the project and are not (I1). What the daemon
 * receives is checked where it is received: each test fails if nobody looks at the signature.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(forged, .init = set_up, .fini = tear_down, .timeout = 60);

/* The site was told of this thing, once, and of nothing else. */
static void expect_told(enum refused_kind what, enum refusal refusal, const struct digest *digest)
{
    const struct refused_thing *told = &it.site.refused[0];

    cr_assert(eq(sz, it.site.refused_count, 1));
    cr_expect(eq(int, told->what, what));
    cr_expect(eq(int, told->refusal, refusal), "%s", refusal_code(told->refusal));
    cr_expect(digest_equals(&told->digest, digest));
}

/* --- units --- */

static void expect_the_first_unit_refused(void)
{
    const struct fake_task *task = &it.site.tasks[0];

    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, task->outcome, VISIT_REFUSED));
    cr_expect(eq(int, task->refusal, REFUSAL_CHANGED_PAYLOAD));
    cr_expect(digest_equals(&task->refused, &task->unit.digest));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 3), "the others are computed");
}

Test(forged, a_unit_is_refused)
{
    sample_forge(&it.site.sample, &it.site.tasks[0].unit, &it.site.sample.work);
    expect_the_first_unit_refused();
}

/* A signature that the key did make, of something else. */
Test(forged, a_unit_with_the_signature_of_another_is_refused)
{
    it.site.tasks[0].unit.signatures[0] = it.site.tasks[1].unit.signatures[0];
    expect_the_first_unit_refused();
}

Test(forged, a_unit_whose_signature_no_key_makes_is_refused_with_its_own_reason)
{
    struct signature *signature = &it.site.tasks[0].unit.signatures[0].signature;

    memset(signature->bytes + 32, 0xff, 32); /* S is far above the group's order */
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_BAD_SIGNATURE));
    cr_expect(eq(i64, it.launcher.started, 3));
}

/* --- units that are no envelopes --- */

/* Told by code and digest like any other, and the rest of the answer is taken (I1). */
static void expect_the_first_refused_alone(enum refusal refusal, const char *says)
{
    const struct fake_task *task = &it.site.tasks[0];

    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, task->outcome, VISIT_REFUSED));
    cr_expect(eq(int, task->refusal, refusal));
    cr_expect(digest_equals(&task->refused, &task->unit.digest));
    cr_expect(strstr(task->why, says) != NULL, "%s", task->why);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 3), "the others are computed");
    cr_expect(eq(str, it.site.broken, ""));
}

Test(forged, a_unit_that_nobody_signed_is_refused_alone)
{
    it.site.tasks[0].unit.signature_count = 0;
    expect_the_first_refused_alone(REFUSAL_MALFORMED, "signatures");
}

Test(forged, a_unit_that_names_a_key_of_small_order_is_refused_alone)
{
    it.site.tasks[0].unit.signatures[0].hint = (struct public_key){{1}};
    expect_the_first_refused_alone(REFUSAL_SMALL_ORDER_KEY, "its order is small");
}

Test(forged, a_unit_above_the_limit_is_refused_alone)
{
    CLEANUP(freep) char *payload = must_alloc(ENVELOPE_PAYLOAD_MAX + 2, 1);
    struct envelope *unit = &it.site.tasks[0].unit;
    CLEANUP(envelope_clear) struct envelope before = *unit;

    memset(payload, ' ', ENVELOPE_PAYLOAD_MAX + 1);
    envelope_init(unit, before.type, payload, ENVELOPE_PAYLOAD_MAX + 1);
    unit->signatures[0] = before.signatures[0];
    unit->signature_count = 1;
    expect_the_first_refused_alone(REFUSAL_MALFORMED, "65536 bytes");
}

/* --- apps --- */

static void expect_all_refused(const struct digest *what)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(eq(i64, it.site.files_served, 0), "nothing is fetched for it, either");
    for (size_t i = 0; i < it.site.task_count; i++) {
        cr_expect(eq(int, it.site.tasks[i].outcome, VISIT_REFUSED));
        cr_expect(eq(int, it.site.tasks[i].refusal, REFUSAL_CHANGED_PAYLOAD));
        cr_expect(digest_equals(&it.site.tasks[i].refused, what));
    }
}

Test(forged, an_app_version_is_refused)
{
    sample_forge(&it.site.sample, &it.site.app_version, &it.site.sample.app);
    expect_all_refused(&it.site.app_version.digest);
}

Test(forged, a_variant_is_refused)
{
    sample_forge(&it.site.sample, &it.site.variant, &it.site.sample.app);
    expect_all_refused(&it.site.variant.digest);
}

/* --- apps that are no envelopes --- */

/* The answer was no answer at all, came again for ever, and the site never knew. */
static void expect_the_app_told_and_refused(enum refusal refusal)
{
    volunteer_live(&it, 2 * HOUR);
    expect_told(REFUSED_ENVELOPE, refusal, &it.site.app_version.digest);
    cr_expect(eq(i64, it.launcher.started, 0));
    for (size_t i = 0; i < it.site.task_count; i++) {
        cr_expect(eq(int, it.site.tasks[i].outcome, VISIT_REFUSED));
        cr_expect(eq(int, it.site.tasks[i].refusal, refusal));
        cr_expect(digest_equals(&it.site.tasks[i].refused, &it.site.app_version.digest));
    }
}

Test(forged, an_app_version_that_nobody_signed_is_told_once_and_refused_with_its_tasks)
{
    it.site.grants_at_once = 1; /* so that it is sent four times */
    it.site.app_version.signature_count = 0;
    expect_the_app_told_and_refused(REFUSAL_MALFORMED);
    cr_expect(lt(i64, 4, it.site.visits));
}

Test(forged, an_app_version_that_names_a_key_of_small_order_is_told_and_refused)
{
    it.site.app_version.signatures[0].hint = (struct public_key){{1}};
    expect_the_app_told_and_refused(REFUSAL_SMALL_ORDER_KEY);
}

/* --- freshness --- */

/* The next one, as a server without the key would make it. */
static void forge_freshness(void)
{
    it.site.sample.freshness.sequence++;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
    sample_forge(&it.site.sample, &it.site.freshness, &it.site.sample.fresh);
}

Test(forged, a_freshness_does_not_keep_a_stolen_server_going)
{
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.launcher.started, 1));
    it.env.now_s += 20 * DAY_S;
    it.site.sample.freshness.expires_s += 20 * DAY_S;
    forge_freshness();
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 1), "the true one has run out");
    cr_expect(lt(i64, 10, it.site.bulletins));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
}

Test(forged, a_freshness_cannot_revoke)
{
    struct freshness *freshness = &it.site.sample.freshness;

    volunteer_live(&it, MINUTE / 2);
    freshness->app_versions = must_alloc(1, sizeof *freshness->app_versions);
    freshness->app_versions[0] = it.site.app_version.digest;
    freshness->app_version_count = 1;
    forge_freshness();
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.launcher.killed, 0));
    cr_expect(eq(i64, it.launcher.started, 4), "all that it has are computed");
    cr_expect(ne(str, (char *)volunteer_text(&it, "trouble"), ""), "and it is said");
    expect_told(REFUSED_FRESHNESS, REFUSAL_CHANGED_PAYLOAD, &it.site.freshness.digest);
}

Test(forged, a_freshness_that_is_no_envelope_is_told)
{
    volunteer_live(&it, MINUTE / 2);
    it.site.sample.freshness.sequence++;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
    it.site.freshness.signature_count = 0;
    volunteer_live(&it, 2 * HOUR);
    expect_told(REFUSED_FRESHNESS, REFUSAL_MALFORMED, &it.site.freshness.digest);
    cr_expect(eq(i64, it.launcher.started, 4), "all that it has are computed");
}

/* It knows the second one when the first comes again, bulletin after bulletin. */
static void go_back_to_the_older_freshness(void)
{
    struct envelope older = it.site.freshness;

    volunteer_live(&it, 2 * HOUR);
    cr_assert(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    it.site.return_s = 86400; /* no visit is due but to tell */
    it.site.sample.freshness.sequence++;
    it.site.freshness = sample_seal_freshness(&it.site.sample);
    volunteer_live(&it, HOUR / 2);
    cr_assert(
        eq(i64, volunteer_number(&it, "freshness_sequence"), it.site.sample.freshness.sequence));
    cr_assert(zero(sz, it.site.refused_count));
    envelope_clear(&it.site.freshness);
    it.site.freshness = older;
}

Test(forged, an_older_freshness_is_told_once_however_often_it_comes)
{
    int64_t bulletins;

    go_back_to_the_older_freshness();
    bulletins = it.site.bulletins;
    volunteer_live(&it, 5 * HOUR);
    cr_assert(lt(i64, bulletins + 3, it.site.bulletins));
    expect_told(REFUSED_FRESHNESS, REFUSAL_FRESHNESS_ROLLBACK, &it.site.freshness.digest);
}

/* The visit that told it was refused, or got no answer: the next one tells it. */
static void expect_told_although_visits_fail_with(enum status status)
{
    go_back_to_the_older_freshness();
    it.site.fails_with = status;
    volunteer_live(&it, 3 * HOUR);
    cr_assert(it.site.refused_body != NULL);
    cr_assert(strstr(it.site.refused_body, "\"freshness-rollback\"") != NULL);
    cr_assert(zero(sz, it.site.refused_count));
    it.site.fails_with = STATUS_OK;
    volunteer_live(&it, 5 * HOUR);
    expect_told(REFUSED_FRESHNESS, REFUSAL_FRESHNESS_ROLLBACK, &it.site.freshness.digest);
}

Test(forged, what_was_refused_is_told_until_a_visit_that_told_it_is_answered)
{
    expect_told_although_visits_fail_with(STATUS_BUSY);
}

Test(forged, what_was_refused_is_told_again_after_a_visit_that_was_given_up)
{
    expect_told_although_visits_fail_with(STATUS_INVALID);
}

/* --- keyrings --- */

/* Version 2, in which the stranger may sign all work, and units that the stranger signed. */
static void make_their_keyring(void)
{
    struct keyring *keyring = &it.site.sample.keyring;

    keyring->version = 2;
    for (size_t i = 0; i < keyring->publisher_count; i++)
        if (keyring->publishers[i].role == ROLE_WORK)
            keyring->publishers[i].key = it.site.sample.stranger.public_key;
    for (size_t i = 0; i < it.site.task_count; i++) {
        struct envelope *unit = &it.site.tasks[i].unit;
        struct envelope theirs = sample_seal(unit->type, unit->payload, &it.site.sample.stranger);

        envelope_clear(unit);
        *unit = theirs;
    }
}

/* It is heard of, and then the units are granted. */
static void serve_keyring(void)
{
    it.site.grants_at_once = 0;
    volunteer_live(&it, HOUR);
    it.site.grants_at_once = FAKE_UNITS_MAX;
}

/* The client goes on with the site once it serves the true one again, and with that one. */
static void expect_refused(struct envelope *theirs)
{
    struct envelope genuine = it.site.keyring;
    struct digest digest = theirs->digest;

    it.site.keyring = *theirs;
    serve_keyring();
    cr_expect(ne(str, (char *)volunteer_text(&it, "trouble"), ""), "and it is said");
    envelope_clear(&it.site.keyring);
    it.site.keyring = genuine;
    it.site.sample.keyring.version = 1;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 0));
    for (size_t i = 0; i < it.site.task_count; i++)
        cr_expect(eq(int, it.site.tasks[i].refusal, REFUSAL_UNKNOWN_KEY));
    expect_told(REFUSED_KEYRING, REFUSAL_NOT_ENOUGH_ROOTS, &digest);
}

Test(forged, a_keyring_that_one_root_key_of_two_signed_is_refused)
{
    struct envelope theirs;

    make_their_keyring();
    theirs = sample_seal_keyring(&it.site.sample);
    sample_forge(&it.site.sample, &theirs, &it.site.sample.root[1]);
    expect_refused(&theirs);
}

Test(forged, a_keyring_that_no_root_key_signed_is_refused)
{
    struct envelope theirs;

    make_their_keyring();
    theirs = sample_seal_keyring(&it.site.sample);
    sample_forge(&it.site.sample, &theirs, &it.site.sample.root[0]);
    sample_forge(&it.site.sample, &theirs, &it.site.sample.root[1]);
    expect_refused(&theirs);
}

/* So that the two above fail for want of a signature, and of nothing else. */
Test(forged, the_same_keyring_signed_by_both_is_taken)
{
    make_their_keyring();
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    serve_keyring();
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 4));
}

/* It says that it has the third one, and shows the first. */
Test(forged, a_keyring_that_was_rolled_back_is_told_once)
{
    struct digest first = it.site.keyring.digest;
    struct envelope old = it.site.keyring;

    it.site.sample.keyring.version = 2;
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    volunteer_live(&it, HOUR);
    cr_assert(eq(i64, volunteer_number(&it, "keyring_version"), 2));
    envelope_clear(&it.site.keyring);
    it.site.keyring = old;
    it.site.sample.keyring.version = 3;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, volunteer_number(&it, "keyring_version"), 2));
    it.site.sample.keyring.version = 2;
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    envelope_clear(&old);
    volunteer_live(&it, 5 * HOUR);
    expect_told(REFUSED_KEYRING, REFUSAL_KEYRING_ROLLBACK, &first);
}

Test(forged, a_keyring_that_is_no_envelope_is_told)
{
    struct digest digest;

    make_their_keyring();
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    digest = it.site.keyring.digest;
    it.site.keyring.signature_count = 0;
    serve_keyring();
    it.site.sample.keyring.version = 1; /* says no more that it has a newer one */
    volunteer_live(&it, 5 * HOUR);
    expect_told(REFUSED_KEYRING, REFUSAL_MALFORMED, &digest);
}

/* Regression: it asked for keys, which it refused, and for ever made no visit but the one that told
 * so: what it had finished was reported by nobody. */
Test(forged, finished_work_is_reported_to_a_site_whose_keys_are_refused)
{
    int64_t visits;

    volunteer_live(&it, MINUTE / 2);
    cr_assert(zero(sz, fake_site_count(&it.site, FAKE_STORED)));
    it.site.sample.keyring.version = 2;
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    sample_forge(&it.site.sample, &it.site.keyring, &it.site.sample.root[0]);
    sample_forge(&it.site.sample, &it.site.keyring, &it.site.sample.root[1]);
    visits = it.site.visits;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(lt(i64, visits + 1, it.site.visits));
    cr_expect(zero(i64, it.site.asked_tasks), "nothing new is wanted");
    cr_expect(ne(str, (char *)volunteer_text(&it, "trouble"), ""), "and it is said");
    visits = it.site.visits;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, it.site.visits, visits), "there is nothing to report any more");
}
