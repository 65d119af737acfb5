/* client/daemon: a project that answers at several places, or at another than before. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent/place.h"
#include "client/control/verbs.h"
#include "client/daemon/attached.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "tests/support/volunteer.h"

#define OLD FAKE_SITE_URL
#define NEW "https://127.0.0.1:9443"

static struct volunteer it;
static const char *dead, *also_dead;      /* URLs that nobody answers at; NULL: none */
static const char *unlisted;              /* no token may go there; NULL: it may go anywhere */
static const char *behind;                /* shows the first keyring still; NULL: nobody does */
static const struct fake_tls *tls_of_new; /* presented there; NULL: as everywhere */
static int64_t asked_dead, tokens_unlisted;
static enum status (*serve_site)(void *context, const struct fake_request *request,
                                 struct http_response *response, struct error *err);

static bool is_at(const struct fake_request *request, const char *url)
{
    return url != NULL && text_starts_with(request->url, url);
}

static enum fake_fate by_place(void *context, const struct fake_request *request)
{
    (void)context;
    tokens_unlisted += request->token != NULL && is_at(request, unlisted);
    if (!is_at(request, dead) && !is_at(request, also_dead))
        return FATE_DELIVERED;
    asked_dead++;
    return FATE_LOST_REQUEST;
}

/* Each place with its certificate and its copy of the keyring. */
static enum status serve(void *context, const struct fake_request *request,
                         struct http_response *response, struct error *err)
{
    struct envelope newest = it.site.keyring;
    const struct fake_tls *tls = it.site.tls;
    int64_t version = it.site.sample.keyring.version;
    enum status status;

    if (is_at(request, behind)) {
        it.site.keyring = it.site.first_keyring;
        it.site.sample.keyring.version = 1;
    }
    if (is_at(request, NEW) && tls_of_new != NULL)
        it.site.tls = tls_of_new;
    status = serve_site(context, request, response, err);
    it.site.keyring = newest;
    it.site.sample.keyring.version = version;
    it.site.tls = tls;
    return status;
}

static void set_up(void)
{
    volunteer_init(&it, 4);
    dead = also_dead = unlisted = behind = NULL;
    tls_of_new = NULL;
    asked_dead = tokens_unlisted = 0;
    serve_site = it.site.net.serve;
    it.site.net.serve = serve;
    it.site.net.fate = by_place;
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(places, .init = set_up, .fini = tear_down, .timeout = 60);

/* The next keyring, which lists these; NULL: one only. */
static void publish(const char *one, const char *another)
{
    struct keyring *keyring = &it.site.sample.keyring;
    struct freshness *freshness = &it.site.sample.freshness;

    keyring->version++;
    texts_clear(&keyring->urls);
    texts_add(&keyring->urls, one);
    if (another != NULL)
        texts_add(&keyring->urls, another);
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    freshness->sequence++;
    freshness->keyring_version = keyring->version;
    freshness->keyring = it.site.keyring.digest;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
}

static void learn(const char *one, const char *another)
{
    publish(one, another);
    for (int i = 0; i < 30; i++)
        volunteer_live(&it, MINUTE / 2);
}

static void expect_all_done(void)
{
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, it.site.enrolments, 1), "it is the same host");
    cr_expect(eq(i64, tokens_unlisted, 0));
}

/* --- the rule --- */

Test(place, the_one_in_use_is_asked_until_it_fails_then_the_next_one_round)
{
    struct place places[3] = {{0}};

    cr_expect(eq(sz, place_choose(places, 3, 1, 100), 1));
    places[1].hold_until = 101;
    cr_expect(eq(sz, place_choose(places, 3, 1, 100), 2));
    places[2].hold_until = 500;
    cr_expect(eq(sz, place_choose(places, 3, 1, 100), 0));
    places[0].hold_until = 300;
    cr_expect(eq(sz, place_choose(places, 3, 1, 100), 1), "whose time comes first");
    places[1].hold_until = 900;
    cr_expect(eq(sz, place_choose(places, 3, 1, 100), 0));
    cr_expect(eq(sz, place_choose(places, 1, 0, 100), 0));
}

/* --- moving --- */

Test(places, a_project_that_moved_is_found_where_its_keyring_says)
{
    learn(OLD, NEW);
    cr_assert(eq(str, (char *)volunteer_text(&it, "url"), OLD));
    dead = OLD;
    volunteer_live(&it, 4 * HOUR);
    expect_all_done();
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), NEW));
    cr_expect(strstr(volunteer_text(&it, "place_why"), OLD " failed") != NULL, "%s",
              volunteer_text(&it, "place_why"));
}

Test(places, one_that_the_keyring_lists_no_more_is_left_at_once_and_gets_no_token)
{
    volunteer_live(&it, MINUTE);
    publish(NEW, NULL);
    for (int i = 0; i < 60 && strcmp(volunteer_text(&it, "url"), OLD) == 0; i++)
        volunteer_live(&it, MINUTE / 2);
    unlisted = OLD;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), NEW));
    expect_all_done();
}

Test(places, the_last_good_one_is_asked_first_after_a_restart)
{
    learn(OLD, NEW);
    dead = OLD;
    volunteer_live(&it, HOUR);
    volunteer_restart(&it);
    asked_dead = 0;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(i64, asked_dead, 0));
    expect_all_done();
}

static bool may_be_left_as(const char *name)
{
    const struct detach_order order = {.project = name, .how = DETACH_HAND_BACK};
    json_auto_t *request = verb_detach(&order);
    json_auto_t *answer = daemon_answer(it.daemon, request);

    return json_is_true(json_object_get(answer, "ok"));
}

Test(places, why_one_is_in_use_is_said_after_a_restart_too)
{
    learn(OLD, NEW);
    dead = OLD;
    volunteer_live(&it, 4 * HOUR);
    volunteer_restart(&it);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), NEW));
    cr_expect(strstr(volunteer_text(&it, "place_why"), OLD " failed") != NULL, "%s",
              volunteer_text(&it, "place_why"));
}

/* In use before, listed once, listed now; in any form. */
Test(places, a_project_may_be_left_by_any_url_at_which_it_is_or_was)
{
    static const char *const names[] = {OLD, OLD "/", "HTTPS://127.0.0.1:9443",
                                        "https://third.example", "https://fourth.example/grid"};

    learn(OLD, "https://third.example");
    learn(NEW, "https://fourth.example/grid/");
    cr_assert(eq(str, (char *)volunteer_text(&it, "url"), NEW));
    volunteer_restart(&it);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect(may_be_left_as(names[i]), "%s", names[i]);
    cr_expect(not(may_be_left_as("https://fifth.example")));
}

Test(places, a_project_may_be_left_by_its_attach_link)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];
    CLEANUP(freep) char *link = NULL;

    base64url_encode(it.site.sample.project.bytes, DIGEST_BYTES, id);
    link = text_format("%s/#%s", OLD, id);
    cr_expect(may_be_left_as(link));
    link[strlen(link) - 3] ^= 1;
    cr_expect(not(may_be_left_as(link)), "it names another project");
}

Test(places, of_one_attached_again_no_url_is_forgotten)
{
    const struct attached *project;
    struct project_record record;
    json_auto_t *request = NULL, *answer = NULL;

    learn(NEW, NULL);
    project = it.daemon->projects[0];
    record = project->record;
    memset(&record.known_urls, 0, sizeof record.known_urls); /* the owner's verb knows of none */
    request = verb_attach(&record, &project->trust);
    answer = daemon_answer(it.daemon, request);
    cr_assert(eq(int, json_is_true(json_object_get(answer, "ok")), 1));
    volunteer_restart(&it);
    cr_expect(may_be_left_as(OLD));
}

Test(places, a_machine_with_nothing_to_say_hears_of_it_from_its_bulletins)
{
    it.site.return_s = 86400;
    learn(OLD, NEW);
    volunteer_live(&it, 4 * HOUR);
    dead = OLD;
    volunteer_live(&it, HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), NEW));
}

Test(places, while_none_answers_each_is_asked_ever_less_and_either_may_come_back)
{
    learn(OLD, NEW);
    dead = OLD;
    also_dead = NEW;
    volunteer_live(&it, 10 * HOUR);
    asked_dead = 0;
    volunteer_live(&it, 10 * HOUR);
    cr_expect(lt(i64, 2, asked_dead), "%lld", (long long)asked_dead);
    cr_expect(le(i64, asked_dead, 300), "bulletins included: %lld", (long long)asked_dead);
    also_dead = NULL;
    volunteer_live(&it, 10 * HOUR);
    expect_all_done();
}

Test(places, each_may_have_an_authority_of_its_own)
{
    struct fake_tls authority;

    fake_tls_make(&authority);
    it.site.sample.keyring.tls_cas[it.site.sample.keyring.tls_ca_count++] = authority.ca;
    tls_of_new = &authority;
    learn(OLD, NEW);
    dead = OLD;
    volunteer_live(&it, 4 * HOUR);
    expect_all_done();
    cr_expect(lt(i64, 0, it.site.first_contacts));
    fake_tls_clear(&authority);
}

/* Its certificate is of nobody that the keyring lists: somebody else answers there now. */
Test(places, one_with_a_strangers_certificate_is_passed_by)
{
    struct fake_tls stranger;

    fake_tls_make(&stranger);
    tls_of_new = &stranger;
    learn(OLD, NEW);
    unlisted = NEW;
    dead = OLD;
    volunteer_live(&it, HOUR);
    dead = NULL;
    volunteer_live(&it, 10 * HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), OLD));
    expect_all_done();
    fake_tls_clear(&stranger);
}

/* The folder of before the move still runs somewhere, or was restored from a backup. */
Test(places, one_that_shows_an_older_keyring_is_no_stop_but_the_last_resort)
{
    learn(OLD, NEW);
    behind = NEW;
    dead = OLD;
    volunteer_live(&it, HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "stopped"), ""));
    volunteer_live(&it, 10 * HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), NEW), "for nobody else answers");
    expect_all_done();
}

Test(places, one_that_shows_an_older_keyring_is_left_for_one_that_does_not)
{
    learn(OLD, NEW);
    behind = NEW;
    dead = OLD;
    volunteer_live(&it, HOUR);
    cr_assert(eq(str, (char *)volunteer_text(&it, "url"), NEW));
    dead = NULL;
    volunteer_live(&it, 10 * HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), OLD));
    expect_all_done();
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

Test(places, uploads_follow_the_place_in_use)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    it.site.upload_cut = 1000;
    learn(OLD, NEW);
    for (int i = 0; i < 600 && it.site.uploads_made == 0; i++)
        volunteer_live(&it, 10000);
    cr_assert(lt(i64, 0, it.site.uploads_made));
    it.site.return_s = 12 * 3600;
    dead = OLD;
    volunteer_live(&it, 40 * HOUR);
    expect_all_done();
}

static enum fake_fate loses_files_of_old(void *context, const struct fake_request *request)
{
    return strstr(request->path, "/v1/files/") != NULL && is_at(request, OLD)
               ? FATE_LOST_REQUEST
               : by_place(context, request);
}

Test(places, files_that_cannot_be_had_make_it_look_where_the_project_is)
{
    it.site.net.fate = loses_files_of_old;
    it.site.return_s = 12 * 3600;
    it.config.bulletin_interval = 86400;
    learn(OLD, NEW);
    dead = OLD;
    volunteer_live(&it, HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "url"), NEW));
    cr_expect(lt(i64, 0, it.launcher.started));
}

/* Files by GET need no token, those of a bundle do. */
Test(places, no_bundle_is_asked_of_a_place_that_has_not_shown_the_project)
{
    it.site.grants_at_once = 0;
    fake_site_add_small(&it.site, 20, 0);
    learn(OLD, NEW);
    it.site.bundle_fails_with = STATUS_BUSY;
    it.site.grants_at_once = 64;
    for (int i = 0; i < 60 && it.site.bundles == 0; i++)
        volunteer_live(&it, MINUTE / 2);
    cr_assert(lt(i64, 0, it.site.bundles));
    dead = OLD;
    unlisted = also_dead = NEW;
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, tokens_unlisted, 0));
    dead = unlisted = also_dead = NULL;
    it.site.bundle_fails_with = STATUS_OK;
    volunteer_live(&it, 8 * HOUR);
    expect_all_done();
}
