/*
 * client/daemon: app versions and variants that come again, signed by another key, for the first
 * one was revoked (I1): the client asks for them, and takes none in the place of a good one.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "client/daemon/attached.h"
#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
    it.site.task_count = 2;
    volunteer_live(&it, HOUR);
    cr_assert(eq(sz, fake_site_count(&it.site, FAKE_STORED), 2));
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(signed_again, .init = set_up, .fini = tear_down, .timeout = 60);

static void publish_trust(void)
{
    struct sample *sample = &it.site.sample;

    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(sample);
    sample->freshness.sequence++;
    sample->freshness.keyring_version = sample->keyring.version;
    sample->freshness.keyring = it.site.keyring.digest;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(sample);
}

static void publish_app(void)
{
    envelope_clear(&it.site.app_version);
    it.site.app_version = sample_seal_app_version(&it.site.sample);
    envelope_clear(&it.site.variant);
    it.site.variant = sample_seal_variant(&it.site.sample);
}

static void expect_two_more_done(void)
{
    it.site.task_count = 4;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 4));
    for (size_t i = 2; i < 4; i++)
        cr_expect(eq(int, it.site.tasks[i].outcome, VISIT_DONE), "%s", it.site.tasks[i].why);
}

static bool is_kept_with(const struct digest *digest, const struct public_key *key)
{
    const struct attached *project = daemon_find(it.daemon, &it.site.sample.project);
    const struct envelope *envelope = attached_envelope(project, digest);

    return envelope != NULL && envelope_is_signed_by(envelope, key);
}

/* It said that it had them, was not sent them, and refused all further work. */
Test(signed_again, what_a_revoked_key_signed_is_asked_for_anew_and_replaced)
{
    sample_revoke_key(&it.site.sample, &it.site.sample.app, 200);
    publish_trust();
    publish_app();
    volunteer_live(&it, HOUR);
    expect_two_more_done();
    volunteer_restart(&it);
    cr_expect(is_kept_with(&it.site.app_version.digest, &it.site.sample.app.public_key));
    cr_expect(is_kept_with(&it.site.variant.digest, &it.site.sample.app.public_key));
}

/* The project's key was revoked, and nobody signed anew: the work is refused, and not forgotten. */
Test(signed_again, until_it_is_signed_anew_the_work_is_refused_for_the_revoked_key)
{
    sample_revoke_key(&it.site.sample, &it.site.sample.app, 200);
    publish_trust();
    volunteer_live(&it, HOUR);
    it.site.task_count = 3;
    volunteer_live(&it, HOUR);
    cr_expect(eq(int, it.site.tasks[2].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[2].refusal, REFUSAL_REVOKED_KEY));
    cr_expect(eq(i64, it.launcher.started, 2));
}

/* A server that sends the same payload with a stranger's signature, asked or not. */
Test(signed_again, a_worse_signature_never_takes_the_place_of_a_good_one)
{
    const struct private_key app = it.site.sample.app;

    it.site.sends_all_envelopes = true;
    it.site.sample.app = it.site.sample.stranger;
    publish_app();
    it.site.sample.app = app;
    expect_two_more_done();
    volunteer_restart(&it);
    cr_expect(is_kept_with(&it.site.app_version.digest, &app.public_key));
    cr_expect(is_kept_with(&it.site.variant.digest, &app.public_key));
}
