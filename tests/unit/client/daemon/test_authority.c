/* client/daemon: a site whose certificate is of another authority than before. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/volunteer.h"

static struct volunteer it;
static struct fake_tls first, second;

static void set_up(void)
{
    fake_tls_make(&first);
    fake_tls_make(&second);
    volunteer_init(&it, 4);
}

static void tear_down(void)
{
    volunteer_end(&it);
    fake_tls_clear(&first);
    fake_tls_clear(&second);
}

TestSuite(authority, .init = set_up, .fini = tear_down, .timeout = 60);

static void list(const struct fake_tls *tls)
{
    struct keyring *keyring = &it.site.sample.keyring;

    if (tls != NULL)
        keyring->tls_cas[keyring->tls_ca_count++] = tls->ca;
}

/* The next keyring, which lists these authorities, and a freshness that names it. */
static void publish(const struct fake_tls *one, const struct fake_tls *another)
{
    struct keyring *keyring = &it.site.sample.keyring;
    struct freshness *freshness = &it.site.sample.freshness;

    keyring->version++;
    keyring->tls_ca_count = 0;
    list(one);
    list(another);
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    freshness->sequence++;
    freshness->keyring_version = keyring->version;
    freshness->keyring = it.site.keyring.digest;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
}

/* One visit an hour at most, a bulletin a day: what comes sooner has another reason. */
static void make_quiet(void)
{
    it.config.bulletin_interval = 86400;
    it.config.visit_interval = 3600;
    it.site.return_s = 12 * 3600;
    volunteer_restart(&it);
}

/* The client knows `first`, and the site presents it. */
static void begin_with_first(void)
{
    publish(&first, NULL);
    it.site.tls = &first;
    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(i64, it.site.first_contacts, 1));
    cr_assert(eq(i64, it.launcher.started, 1));
}

static void expect_all_done(void)
{
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, it.launcher.started, 4), "nothing was computed twice");
    cr_expect(eq(i64, it.site.enrolments, 1), "and it is the same host");
    cr_expect(eq(str, (char *)volunteer_text(&it, "trouble"), ""));
}

Test(authority, one_that_an_earlier_keyring_announced_is_learnt)
{
    begin_with_first();
    publish(&first, &second);
    volunteer_live(&it, 10 * MINUTE);
    it.site.tls = &second;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.first_contacts, 2));
    expect_all_done();
    volunteer_restart(&it);
    it.site.distrusted = 0;
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.site.distrusted, 0), "it is known after a restart, too");
}

Test(authority, one_that_comes_with_its_keyring_is_learnt)
{
    begin_with_first();
    publish(&second, NULL);
    it.site.tls = &second;
    volunteer_live(&it, 2 * HOUR);
    expect_all_done();
}

Test(authority, a_site_may_go_to_what_every_system_trusts)
{
    begin_with_first();
    publish(NULL, NULL);
    it.site.tls = NULL;
    volunteer_live(&it, 2 * HOUR);
    expect_all_done();
}

/* Somebody else's certificate, or a mistake: nobody is told anything, and the work goes on. */
Test(authority, one_that_no_keyring_lists_stops_talking_not_computing)
{
    int64_t visits;

    begin_with_first();
    visits = it.site.visits;
    it.site.tls = &second;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, it.site.visits, visits));
    cr_expect(eq(i64, it.launcher.started, 2), "what it had is computed");
    cr_expect(eq(sz, volunteer_phase(&it, "finished"), 2));
    cr_expect(lt(i64, 2, it.site.first_contacts), "it asks again and again");
    cr_expect(le(i64, it.site.first_contacts, 90), "but as often as bulletins are looked at");
    cr_expect(strstr(volunteer_text(&it, "trouble"), "certificate") != NULL ||
                  strstr(volunteer_text(&it, "trouble"), "CA") != NULL,
              "%s", volunteer_text(&it, "trouble"));
    it.site.tls = &first;
    volunteer_live(&it, 5 * HOUR);
    expect_all_done();
}

/* Its key was stolen, say: the client kept to what it had learnt once. */
Test(authority, one_that_the_newest_keyring_does_not_list_is_trusted_no_more)
{
    int64_t visits;

    begin_with_first();
    publish(&second, NULL);
    volunteer_live(&it, 10 * MINUTE);
    visits = it.site.visits;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.visits, visits), "the site still presents the first");
    volunteer_restart(&it);
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.visits, visits));
    it.site.tls = &second;
    volunteer_live(&it, 5 * HOUR);
    expect_all_done();
}

/* The operator listed the wrong authority, and puts it right while nobody is trusted. */
Test(authority, a_mistake_that_was_put_right_is_heard_of_with_the_next_bulletin)
{
    int64_t visits;

    begin_with_first();
    publish(&second, NULL);
    volunteer_live(&it, 10 * HOUR);
    visits = it.site.visits;
    publish(&first, NULL);
    volunteer_live(&it, 6 * MINUTE);
    cr_expect(lt(i64, visits, it.site.visits));
}

Test(authority, a_site_may_go_back_to_one_that_every_system_trusts_within_minutes)
{
    int64_t visits;

    begin_with_first();
    publish(&second, NULL);
    volunteer_live(&it, 10 * HOUR);
    visits = it.site.visits;
    it.site.tls = NULL;
    volunteer_live(&it, 6 * MINUTE);
    cr_expect(lt(i64, visits, it.site.visits));
}

Test(authority, bulletins_that_fail_are_asked_for_less_often)
{
    it.config.bulletin_interval = 1;
    begin_with_first();
    publish(&second, NULL);
    volunteer_live(&it, 10 * MINUTE);
    it.site.distrusted = it.site.first_contacts = 0;
    volunteer_live(&it, HOUR);
    cr_expect(le(i64, it.site.distrusted, 60), "%lld", (long long)it.site.distrusted);
    cr_expect(le(i64, it.site.first_contacts, 60), "%lld", (long long)it.site.first_contacts);
}

/* --- whoever meets it first --- */

Test(authority, a_bulletin_that_meets_another_begins_first_contact)
{
    int64_t bulletins;

    publish(&first, NULL);
    it.site.tls = &first;
    it.site.return_s = 12 * 3600;
    volunteer_live(&it, 5 * HOUR);
    bulletins = it.site.bulletins;
    publish(&second, NULL);
    it.site.tls = &second;
    it.site.first_contacts = 0;
    volunteer_live(&it, 20 * MINUTE);
    cr_expect(eq(i64, it.site.first_contacts, 1));
    cr_expect(lt(i64, bulletins, it.site.bulletins), "and bulletins are read again");
}

static enum fake_fate loses_files(void *context, const struct fake_request *request)
{
    (void)context;
    return text_starts_with(request->path, "/v1/files/") ? FATE_LOST_REQUEST : FATE_DELIVERED;
}

Test(authority, a_download_that_meets_another_begins_first_contact)
{
    publish(&first, NULL);
    it.site.tls = &first;
    make_quiet();
    it.site.net.fate = loses_files;
    volunteer_live(&it, 10 * MINUTE);
    cr_assert(eq(sz, volunteer_phase(&it, "fetching"), 2));
    it.site.net.fate = NULL;
    it.site.first_contacts = 0;
    publish(&second, NULL);
    it.site.tls = &second;
    volunteer_live(&it, 45 * MINUTE);
    cr_expect(eq(i64, it.site.first_contacts, 1));
    cr_expect(lt(i64, 0, it.launcher.started));
}

static char *large(void *context, const char *slot, const char *name)
{
    char *bytes = must_alloc(100001, 1);

    (void)context;
    (void)slot;
    (void)name;
    memset(bytes, 'x', 100000);
    return bytes;
}

static enum fake_fate loses_uploads(void *context, const struct fake_request *request)
{
    (void)context;
    return text_starts_with(request->path, "/v1/uploads") ? FATE_LOST_REQUEST : FATE_DELIVERED;
}

Test(authority, an_upload_that_meets_another_begins_first_contact)
{
    publish(&first, NULL);
    it.site.tls = &first;
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    make_quiet();
    it.site.net.fate = loses_uploads;
    for (int i = 0; i < 240 && fake_site_count(&it.site, FAKE_REPORTED) == 0; i++)
        volunteer_live(&it, MINUTE);
    it.site.net.fate = NULL;
    it.site.first_contacts = 0;
    publish(&second, NULL);
    it.site.tls = &second;
    for (int i = 0; i < 50 && it.site.uploads_made == 0; i++)
        volunteer_live(&it, MINUTE);
    cr_expect(eq(i64, it.site.first_contacts, 1));
    cr_expect(lt(i64, 0, it.site.uploads_made));
}
