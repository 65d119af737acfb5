/*
 * server/engine: app versions and variants that are published again, signed by another key: the
 * envelope that hosts are given is one whose signature holds.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/messages.h"
#include "tests/support/village.h"

static struct village village;
static size_t ann;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    village_add_units(&village, 1, NULL);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(signed_again, .init = set_up, .fini = tear_down);

static void publish(enum command_kind kind, struct envelope envelope)
{
    struct command command = {.kind = kind, .publish = {.envelope = &envelope}};

    cr_assert(eq(int, village_run(&village, &command), STATUS_OK));
    envelope_clear(&envelope);
}

static void publish_both(void)
{
    publish(COMMAND_APP_VERSION, sample_seal_app_version(&village.sample));
    publish(COMMAND_VARIANT, sample_seal_variant(&village.sample));
}

/* A further key may sign apps; returns the one that did so far. Clear it. */
static struct private_key add_app_key(unsigned seed)
{
    struct keyring *keyring = &village.sample.keyring;
    struct private_key first = village.sample.app;
    struct publisher *grown =
        realloc(keyring->publishers, (keyring->publisher_count + 1) * sizeof *grown);

    cr_assert(grown != NULL);
    keyring->publishers = grown;
    keyring->version++;
    village.sample.app = test_key(seed);
    grown[keyring->publisher_count++] = (struct publisher){.key = village.sample.app.public_key,
                                                           .role = ROLE_APP,
                                                           .not_before_s = grown[0].not_before_s,
                                                           .not_after_s = grown[0].not_after_s};
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    return first;
}

/* What a host without any envelope is given with its task: both are signed by this key. */
static void expect_given(const struct public_key *key)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_assert(eq(sz, visit.reply.envelopes.count, 2));
    for (size_t i = 0; i < visit.reply.envelopes.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        const char *text = visit.reply.envelopes.texts[i];

        cr_assert(eq(int,
                     envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                     STATUS_OK));
        cr_expect(envelope_is_signed_by(&envelope, key), "%s", envelope.type);
    }
    village_visit_clear(&visit);
}

/* `app add` said that it was published, and hosts were given what the revoked key had signed. */
Test(signed_again, by_a_new_key_after_the_first_was_revoked_it_is_given_with_the_new_signature)
{
    sample_revoke_key(&village.sample, &village.sample.app, 200);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    publish_both();
    cr_expect(eq(i64, village_count(&village, "count(*) FROM app_version"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM variant"), 1));
    village_restart(&village);
    expect_given(&village.sample.app.public_key);
}

static size_t granted(char ret_why[WHY_MAX + 1])
{
    struct village_visit visit;
    size_t count;

    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    count = visit.reply.grant_count;
    (void)text_fit(ret_why, WHY_MAX + 1, visit.reply.why);
    village_visit_clear(&visit);
    return count;
}

/* Regression: it was granted, every client refused it, and each refusal counted as a failure. */
Test(signed_again, what_a_revoked_key_signed_is_not_granted_until_another_signs_it)
{
    char why[WHY_MAX + 1];

    sample_revoke_key(&village.sample, &village.sample.app, 200);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    cr_expect(zero(sz, granted(why)));
    cr_expect(strstr(why, "the key that signed its app") != NULL, "%s", why);
    publish(COMMAND_APP_VERSION, sample_seal_app_version(&village.sample));
    cr_expect(zero(sz, granted(why)), "its build is signed by the old key still");
    publish(COMMAND_VARIANT, sample_seal_variant(&village.sample));
    cr_expect(eq(sz, granted(why), 1), "%s", why);
}

/* An answer that was lost is given again, but not what nobody takes by now. */
Test(signed_again, a_task_that_was_lost_is_not_sent_again_while_its_key_is_revoked)
{
    char why[WHY_MAX + 1];

    cr_assert(eq(sz, granted(why), 1));
    sample_revoke_key(&village.sample, &village.sample.app, 200);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    cr_expect(zero(sz, granted(why)));
    publish_both();
    cr_expect(eq(sz, granted(why), 1), "%s", why);
}

static void revoke_work_key(void)
{
    sample_revoke_key(&village.sample, &village.sample.work, 201);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
}

/* Regression: clients refused them, one after the other, and each refusal counted as a failure. */
Test(signed_again, units_that_a_revoked_key_signed_are_not_granted_and_block_no_others)
{
    char why[WHY_MAX + 1];

    revoke_work_key();
    cr_expect(zero(sz, granted(why)));
    cr_expect(strstr(why, "the key that signed its work") != NULL, "%s", why);
    village_restart(&village);
    cr_expect(zero(sz, granted(why)), "what it was signed by is stored");
    village_add_units(&village, 1, NULL);
    cr_expect(eq(sz, granted(why), 1), "%s", why);
}

Test(signed_again, a_lost_task_of_a_unit_is_not_sent_again_once_its_key_is_revoked)
{
    char why[WHY_MAX + 1];

    cr_assert(eq(sz, granted(why), 1));
    revoke_work_key();
    cr_expect(zero(sz, granted(why)));
}

/* A further key may sign units, and does sign them besides the first. Clear it. */
static struct private_key add_cosigner(void)
{
    struct keyring *keyring = &village.sample.keyring;
    struct publisher *grown =
        realloc(keyring->publishers, (keyring->publisher_count + 1) * sizeof *grown);
    struct private_key second = test_key(210);

    cr_assert(grown != NULL);
    keyring->publishers = grown;
    keyring->version++;
    grown[keyring->publisher_count++] = (struct publisher){.key = second.public_key,
                                                           .role = ROLE_WORK,
                                                           .not_before_s = grown[0].not_before_s,
                                                           .not_after_s = grown[0].not_after_s};
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    return second;
}

static void revoke(struct private_key *key, unsigned seed)
{
    sample_revoke_key(&village.sample, key, seed);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
}

/* Regression: it was bound to the first key whose signature held. */
static void expect_that_one_is_enough(bool is_first_revoked, bool restarts)
{
    struct private_key second = add_cosigner();
    char why[WHY_MAX + 1];

    village_report(&village, ann, village_get(&village, ann), "42\n"); /* only one key signed it */
    village.cosigner = &second;
    village_add_units(&village, 4, NULL);
    if (restarts)
        village_restart(&village);
    revoke(is_first_revoked ? &village.sample.work : &second, 211);
    cr_expect(eq(sz, granted(why), 1), "%s", why);
    revoke(is_first_revoked ? &second : &village.sample.work, 212);
    cr_expect(zero(sz, granted(why)));
    village.cosigner = NULL;
    private_key_clear(&second);
}

Test(signed_again, what_two_keys_signed_is_granted_though_the_first_is_revoked)
{
    expect_that_one_is_enough(true, false);
}

Test(signed_again, what_two_keys_signed_is_granted_though_the_second_is_revoked)
{
    expect_that_one_is_enough(false, false);
}

Test(signed_again, who_signed_together_is_known_after_a_restart)
{
    expect_that_one_is_enough(true, true);
}

/* --- slices --- */

#define SLICE 5

struct signed_slice {
    struct work_unit units[SLICE];
    struct envelope envelopes[SLICE];
    struct command_unit added[SLICE];
    char *json[SLICE];
};

/* The first is signed by one key, the others by both. */
static void make_slice(struct signed_slice *ret_slice, const struct private_key *second)
{
    *ret_slice = (struct signed_slice){.json = {NULL}};
    for (size_t i = 0; i < SLICE; i++) {
        struct command_unit *added = &ret_slice->added[i];
        struct envelope *envelope = &ret_slice->envelopes[i];
        struct error err = {0};

        village.sample.unit.batch = village.batch;
        village.sample.unit.index = 100 + (int64_t)i;
        (void)snprintf(village.sample.unit.name.text, sizeof village.sample.unit.name.text, "s%zu",
                       i);
        *envelope = sample_seal_unit(&village.sample);
        if (i > 0)
            cr_assert(eq(int, envelope_sign(envelope, second, &err), STATUS_OK));
        cr_assert(eq(int,
                     published_check_unit(engine_published(village.engine),
                                          &village.sample.app_digest, envelope, village.env.now_s,
                                          &ret_slice->units[i], &added->signers, &err),
                     STATUS_OK),
                  "%s", err.text);
        ret_slice->json[i] = envelope_encode(envelope);
        added->unit = &ret_slice->units[i];
        added->digest = envelope->digest;
        added->envelope = ret_slice->json[i];
        added->envelope_length = strlen(ret_slice->json[i]);
    }
}

static void signed_slice_clear(struct signed_slice *slice)
{
    for (size_t i = 0; i < SLICE; i++) {
        work_unit_clear(&slice->units[i]);
        envelope_clear(&slice->envelopes[i]);
        free(slice->json[i]);
    }
}

static enum status add_slice(const struct signed_slice *slice)
{
    struct command command = {
        .kind = COMMAND_UNITS,
        .units = {.batch = village.batch, .units = slice->added, .count = SLICE}};

    return village_run(&village, &command);
}

static int puts_made;

static enum status count_put(struct store *store, const struct signer_set *signers,
                             struct error *err)
{
    puts_made++;
    return village.store.original.publish->signers_put(store, signers, err);
}

/* Regression: a statement for each of them and each of its keys, under the site's lock. */
Test(signed_again, who_signed_a_slice_together_is_put_once)
{
    struct private_key second = add_cosigner();
    CLEANUP(signed_slice_clear) struct signed_slice slice;

    puts_made = 0;
    make_slice(&slice, &second);
    village.store.publish.signers_put = count_put;
    cr_expect(eq(int, add_slice(&slice), STATUS_OK));
    cr_expect(eq(int, puts_made, 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM signer_set"), 2));
    cr_expect(eq(i64, village_count(&village, "count(DISTINCT signer) FROM unit"), 2));
    private_key_clear(&second);
}

/* The trust knows them then, and the store does not. */
Test(signed_again, who_signed_a_slice_is_put_though_it_was_rolled_back_at_first)
{
    struct private_key second = add_cosigner();
    CLEANUP(signed_slice_clear) struct signed_slice slice;
    int step = 1;

    make_slice(&slice, &second);
    for (village.store.steps_to_failure = step; add_slice(&slice) != STATUS_OK;
         village.store.steps_to_failure = ++step)
        cr_expect(zero(i64, village_count(&village, "count(*) FROM signer_set")), "%d", step);
    village.store.steps_to_failure = 0;
    cr_expect(lt(int, 2, step));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM signer_set"), 2));
    private_key_clear(&second);
}

static void set_end_of_work_key(int64_t time_s)
{
    struct keyring *keyring = &village.sample.keyring;

    for (size_t i = 0; i < keyring->publisher_count; i++)
        if (keyring->publishers[i].role == ROLE_WORK)
            keyring->publishers[i].not_after_s = time_s;
    keyring->version++;
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
}

/* Its units may be valid longer than the key that signed them. */
Test(signed_again, units_whose_key_ran_out_are_not_granted)
{
    char why[WHY_MAX + 1];

    set_end_of_work_key(village.env.now_s + 100);
    village_pass(&village, 200);
    cr_expect(zero(sz, granted(why)));
    cr_expect(strstr(why, "the key that signed its work") != NULL, "%s", why);
}

static void refuse(int64_t task, enum refusal refusal)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, ann);
    village_visit_failed(&village, &visit, task, VISIT_REFUSED)->refusal = refusal;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    village_visit_clear(&visit);
}

static void expect_charged(int64_t times)
{
    cr_expect(eq(i64, village_count(&village, "sum(errors) FROM host"), times));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 6"), times));
    cr_expect(eq(i64, village_count(&village, "sum(failed_tasks) FROM batch"), times));
}

/* Regression: the answer was lost, came again as it was, and the refusal counted as a failure of
 * the unit, and of the host. */
Test(signed_again, a_refusal_of_what_a_revoked_key_signed_is_charged_to_nobody)
{
    int64_t task = village_get(&village, ann);

    revoke_work_key();
    refuse(task, REFUSAL_REVOKED_KEY);
    expect_charged(0);
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 2));
}

Test(signed_again, a_refusal_of_an_app_that_a_revoked_key_signed_is_charged_to_nobody)
{
    int64_t task = village_get(&village, ann);

    sample_revoke_key(&village.sample, &village.sample.app, 200);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    refuse(task, REFUSAL_REVOKED_KEY);
    expect_charged(0);
}

/* It may have read the envelope that the revoked key signed. */
Test(signed_again, a_refusal_that_comes_after_another_key_signed_it_is_charged_to_nobody)
{
    int64_t task = village_get(&village, ann);

    sample_revoke_key(&village.sample, &village.sample.app, 200);
    publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample));
    publish_both();
    refuse(task, REFUSAL_REVOKED_KEY);
    expect_charged(0);
}

Test(signed_again, a_refusal_without_a_ground_counts_as_it_did)
{
    refuse(village_get(&village, ann), REFUSAL_REVOKED_KEY);
    expect_charged(1);
}

/* Whoever may sign apps could otherwise put a good signature out of the way by one that ends soon.
 */
Test(signed_again, a_signature_that_holds_is_not_replaced)
{
    CLEANUP(private_key_clear) struct private_key first = add_app_key(200);

    publish_both();
    expect_given(&first.public_key);
}
