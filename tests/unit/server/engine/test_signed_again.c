/*
 * server/engine: app versions and variants that are published again, signed by another key: the
 * envelope that hosts are given is one whose signature holds.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
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

/* Whoever may sign apps could otherwise put a good signature out of the way by one that ends soon.
 */
Test(signed_again, a_signature_that_holds_is_not_replaced)
{
    CLEANUP(private_key_clear) struct private_key first = add_app_key(200);

    publish_both();
    expect_given(&first.public_key);
}
