/* operator/apps, app_add: which version a program becomes, whatever happened to the one before. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "operator/keychain.h"
#include "tests/support/desk.h"
#include "tests/support/messages.h"
#include "work-units/keyring.h"

#define DAYS(n) (INT64_C(86400) * (n))

TestSuite(apps, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

static bool says(const char *words)
{
    return strstr(desk_said, words) != NULL;
}

static void read_last(const struct texts *envelopes, struct envelope *ret_envelope)
{
    const char *text = envelopes->texts[envelopes->count - 1];

    cr_assert(eq(int, envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, ret_envelope, NULL),
                 STATUS_OK));
}

/* A keyring in which the key that was rotated away is not retired, and ran out yesterday: as where
 * another of the project's publishers signed the app. */
static void publish_one_that_ran_out(void)
{
    CLEANUP(envelope_clear) struct envelope newest = {0}, next = {0};
    CLEANUP(keyring_clear) struct keyring keyring = {0};
    CLEANUP(private_key_clear) struct private_key root = test_key(KEY_ROOT_USE);
    CLEANUP(freep) char *payload = NULL, *text = NULL;

    read_last(&desk_site.keyrings, &newest);
    cr_assert(
        eq(int, keyring_decode(newest.payload, newest.payload_length, &keyring, NULL), STATUS_OK));
    cr_assert(eq(sz, keyring.retired_count, 1));
    for (size_t i = 0; i < keyring.publisher_count; i++)
        if (public_key_equals(&keyring.publishers[i].key, &keyring.retired[0].key))
            keyring.publishers[i].not_after_s = desk_env.now_s - DAYS(1);
    keyring.retired_count = 0;
    keyring.version++;
    payload = keyring_encode(&keyring);
    envelope_init(&next, KEYRING_TYPE, payload, strlen(payload));
    cr_assert(eq(int, envelope_sign(&next, &root, NULL), STATUS_OK));
    text = envelope_encode(&next);
    texts_add(&desk_site.keyrings, text);
}

/* It was taken for unknown, and refused by the site as another version 2. */
Test(apps, one_whose_key_ran_out_is_signed_anew_as_the_version_that_it_is)
{
    CLEANUP(private_key_clear) struct private_key now = {0};
    CLEANUP(envelope_clear) struct envelope app = {0}, variant = {0};

    write_at_home("program", "#!/bin/sh\necho changed\n");
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program"), "--cores", "2"), EXIT_DONE));
    desk_env.now_s += DAYS(10);
    cr_assert(eq(int, RUN("key", "rotate", "app"), EXIT_DONE), "%s", desk_said);
    publish_one_that_ran_out();
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program"), "--cores", "2"), EXIT_DONE),
              "%s", desk_said);
    cr_expect(says("app version 2 is published"), "%s", desk_said);
    cr_expect(eq(sz, desk_site.app_versions.count, 2));
    cr_assert(eq(int,
                 private_key_load(&now, desk_env.base.disk,
                                  at_home(".config/dugnad/default/keys/app.pem"), "unused", NULL),
                 STATUS_OK));
    read_last(&desk_site.app_versions, &app);
    read_last(&desk_site.variants, &variant);
    cr_expect(envelope_is_signed_by(&app, &now.public_key));
    cr_expect(envelope_is_signed_by(&variant, &now.public_key));
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3"), EXIT_DONE), "%s", desk_said);
}

Test(apps, what_a_retired_key_signed_stays_as_it_is)
{
    cr_assert(eq(int, RUN("key", "rotate", "app"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(says("app version 1 is there already"), "%s", desk_said);
    cr_expect(eq(sz, desk_site.app_versions.count, 1));
}

static void expect_fresh(bool is_fresh)
{
    struct trust trust = desk_follow();

    cr_expect(
        eq(int, trust_may_start(&trust, desk_env.now_s, NULL) == REFUSAL_NONE, (int)is_fresh));
    trust_clear(&trust);
}

/* After two quiet weeks the version that was there was passed over, and its number given again. */
Test(apps, a_stale_project_knows_its_apps_and_is_made_fresh_for_a_new_one)
{
    desk_env.now_s += DAYS(20);
    cr_expect(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(says("app version 1 is there already"), "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--dry-run"), EXIT_DONE), "%s",
              desk_said);
    expect_fresh(false);
    cr_expect(eq(int, RUN("app", "add", "app", at_home("program"), "--cores", "2"), EXIT_DONE));
    cr_expect(says("app version 2 is published"), "%s", desk_said);
    expect_fresh(true);
}

/* Regression: it ended with 1, once all was read and asked. */
Test(apps, limits_that_no_app_may_have_are_a_wrong_command_line)
{
    static const char *const none[][2] = {
        {"--wall-time", "0s"}, {"--cpu-time", "0"}, {"--memory", "0"}};

    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        cr_expect(eq(int, RUN("app", "add", "app", at_home("program"), none[i][0], none[i][1]),
                     EXIT_USAGE),
                  "%s", desk_said);
        cr_expect(says(none[i][0]), "%s", desk_said);
    }
}

Test(apps, an_expired_keyring_is_named_and_nothing_is_published)
{
    desk_env.now_s += DAYS(450);
    cr_expect(eq(int, RUN("app", "add", "app", at_home("program"), "--cores", "2"), EXIT_FAILED));
    cr_expect(says("has expired") && says("key publish"), "%s", desk_said);
    cr_expect(eq(sz, desk_site.app_versions.count, 1));
    cr_expect(ne(int, RUN("submit", "app", "--range", "0..3"), EXIT_DONE));
    cr_expect(says("keyring") && says("expired"), "%s", desk_said);
    cr_expect(not(desk_site.has_batch));
}

/* The mended program of an app that was withdrawn could never be added: the contract is the same,
 * and so was the version, which is revoked for good. Nor does it help that its key was, too. */
Test(apps, a_withdrawn_version_is_followed_by_a_new_one)
{
    CLEANUP(envelope_clear) struct envelope first = {0};

    read_last(&desk_site.app_versions, &first);
    cr_assert(eq(int, RUN("key", "revoke", digest_format(&first.digest).text), EXIT_DONE), "%s",
              desk_said);
    cr_expect(ne(int, RUN("submit", "app", "--range", "0..3"), EXIT_DONE));
    cr_assert(eq(int, RUN("key", "revoke", "app"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE), "%s", desk_said);
    cr_expect(says("app version 2 is published"), "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3"), EXIT_DONE), "%s", desk_said);
}
