/* client/daemon: two projects on one machine share its cache and its disk, and nothing else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "client/control/verbs.h"
#include "client/daemon/attached.h"
#include "common/base/text.h"
#include "tests/support/ending.h"
#include "tests/support/volunteer.h"

#define OTHER_URL "https://127.0.0.1:9443"

static struct volunteer it;
static struct fake_site other;

/* One network, two sites. */
static enum status serve_both(void *context, const struct fake_request *request,
                              struct http_response *ret_response, struct error *err)
{
    struct fake_net *net = text_starts_with(request->url, OTHER_URL) ? &other.net : context;
    struct fake_site *site = net == &other.net ? &other : &it.site;

    return other.net.serve(site, request, ret_response, err);
}

static void seal_units(struct fake_site *site)
{
    struct work_unit *unit = &site->sample.unit;

    for (size_t i = 0; i < site->task_count; i++) {
        envelope_clear(&site->tasks[i].unit);
        unit->index = (int64_t)i;
        (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%zu", i);
        site->tasks[i].unit = sample_seal_unit(&site->sample);
    }
}

/* Another name makes another keyring, and this another project. */
static void make_other(size_t units)
{
    CLEANUP(envelope_clear) struct envelope keyring = {.type = ""};
    struct sample *sample = &other.sample;

    fake_site_init(&other, units);
    other.clock_ms = &it.env.now_mono_ms;
    other.clock_begun_ms = it.env.now_mono_ms;
    (void)text_fit(sample->keyring.project, sizeof sample->keyring.project, "Another");
    texts_clear(&sample->keyring.urls);
    texts_add(&sample->keyring.urls, OTHER_URL);
    keyring = sample_seal_keyring(sample);
    sample->project = keyring.digest;
    sample->freshness.project = sample->freshness.keyring = keyring.digest;
    sample->app_version.project = sample->variant.project = sample->unit.project = keyring.digest;
    fake_site_seal(&other);
    seal_units(&other);
}

static void attach_other(void)
{
    struct project_record record = {.project = other.sample.project,
                                    .url = OTHER_URL,
                                    .name = "Another",
                                    .native_allowed = true,
                                    .attached_s = SAMPLE_NOW_S};
    struct trust trust;
    json_auto_t *request = NULL, *answer = NULL;

    sample_trust(&other.sample, &trust);
    request = verb_attach(&record, &trust);
    answer = daemon_answer(it.daemon, request);
    cr_assert(eq(int, json_is_true(json_object_get(answer, "ok")), 1));
    trust_clear(&trust);
}

static void set_up(void)
{
    volunteer_init(&it, 4);
    make_other(4);
    it.site.net.serve = serve_both;
    it.site.net.context = &it.site.net;
    attach_other();
}

static void tear_down(void)
{
    END_MUST(other.broken[0] == '\0');
    volunteer_end(&it);
    fake_site_clear(&other);
}

TestSuite(two_projects, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_all_done(void)
{
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(sz, fake_site_count(&other, FAKE_STORED), 4));
}

/* --- one file, two projects --- */

static const char *slow_url;

static enum fake_fate slow_files(void *context, const struct fake_request *request)
{
    (void)context;
    return text_starts_with(request->path, "/v1/files/") && text_starts_with(request->url, slow_url)
               ? FATE_SLOW
               : FATE_DELIVERED;
}

/* They shared one part: the slow one wrote into what the quick one had put into the cache. */
static void expect_to_stop(const char *url)
{
    slow_url = url;
    it.site.net.fate = slow_files;
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.site.net.slow, 0), "it still fetches");
    volunteer_live(&it, 3 * HOUR);
    expect_all_done();
}

Test(two_projects, the_first_stops_fetching_what_the_second_has_fetched)
{
    expect_to_stop(FAKE_SITE_URL);
}

Test(two_projects, the_second_stops_fetching_what_the_first_has_fetched)
{
    expect_to_stop(OTHER_URL);
}

static enum fake_fate never_here(void *context, const struct fake_request *request)
{
    (void)context;
    return text_starts_with(request->url, FAKE_SITE_URL) &&
                   text_starts_with(request->path, "/v1/files/")
               ? FATE_LOST_REQUEST
               : FATE_DELIVERED;
}

Test(two_projects, a_server_that_does_not_deliver_holds_up_no_other)
{
    it.site.net.fate = never_here;
    volunteer_live(&it, HOUR);
    expect_all_done();
    cr_expect(eq(i64, it.site.files_served, 0));
}

Test(two_projects, a_server_that_sends_other_bytes_harms_itself_alone)
{
    (void)text_fit(it.site.file, sizeof it.site.file, "evil");
    it.site.net.fate = slow_files;
    slow_url = OTHER_URL;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(sz, fake_site_count(&other, FAKE_STORED), 4));
    for (size_t i = 0; i < other.task_count; i++)
        cr_expect(eq(int, other.tasks[i].outcome, VISIT_DONE), "%zu: %s", i, other.tasks[i].why);
}

/* A program that spoils its project's folders stopped the work of all projects for hours. */
Test(two_projects, the_one_whose_folders_do_not_take_outputs_stops_itself_alone)
{
    it.config.cores = 2;
    it.launcher.collect_fails = STATUS_STORAGE;
    it.launcher.collect_fails_in = it.daemon->projects[0]->files.path.text;
    other.grants_at_once = 0;
    volunteer_live(&it, 10 * MINUTE);
    cr_assert(le(sz, 2, volunteer_phase(&it, "collecting")), "several of its tasks are troubled");
    other.grants_at_once = 64;
    volunteer_live(&it, 20 * MINUTE); /* the troubled ones are not given up yet */
    cr_expect(eq(sz, fake_site_count(&other, FAKE_STORED), 4));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 0));
}

/* Of two projects it is the machine: a third would fare no better, nor these with more work. */
Test(two_projects, what_stops_both_is_the_machines)
{
    it.config.cores = 2;
    it.launcher.collect_fails = STATUS_STORAGE;
    volunteer_live(&it, 10 * MINUTE);
    cr_expect(eq(sz, volunteer_phase(&it, "collecting"), 2));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    cr_expect(eq(i64, other.asked_tasks, 0));
}

/* --- one disk, two projects --- */

#define GIB (INT64_C(1) << 30)

static int64_t of_disk(const char *member)
{
    json_auto_t *status = volunteer_ask(&it, "status");

    return json_integer_value(json_object_get(json_object_get(status, "disk"), member));
}

/* Each task was held against the cap alone: four of them could write four times as much. */
Test(two_projects, what_running_tasks_may_write_is_bounded_for_all_together)
{
    it.config.cores = 8;
    it.config.memory = 64 * GIB;
    it.config.disk = 5 * GIB / 2; /* each may write 1 GiB, and has 16 MiB of outputs */
    for (int i = 0; i < 60 * 10; i++) {
        volunteer_live(&it, 1000);
        cr_assert(le(i64, it.launcher.alive, 2));
        cr_assert(le(i64,
                     of_disk("running_bytes") + of_disk("finished_bytes") + of_disk("kept_bytes"),
                     it.config.disk));
    }
    cr_expect(lt(i64, 0, fake_site_count(&it.site, FAKE_STORED)));
    cr_expect(lt(i64, 0, fake_site_count(&other, FAKE_STORED)));
    volunteer_live(&it, HOUR);
    expect_all_done();
}

static size_t running_of_other(void)
{
    json_auto_t *status = volunteer_ask(&it, "status");
    json_t *project, *task;
    size_t count = 0, i, j;

    json_array_foreach(json_object_get(status, "projects"), i, project)
    {
        json_array_foreach(json_object_get(project, "tasks"), j, task)
        {
            const char *phase = json_string_value(json_object_get(task, "phase"));
            const char *name = json_string_value(json_object_get(project, "name"));

            count += strcmp(name, "Another") == 0 && strcmp(phase, "running") == 0 ? 1 : 0;
        }
    }
    return count;
}

/* They have begun; others must not take their room before they could go on. */
Test(two_projects, what_a_restart_interrupted_goes_on_first)
{
    it.config.cores = 8;
    it.config.memory = 64 * GIB;
    it.config.disk = 5 * GIB / 2;
    it.launcher.duration_ms = HOUR;
    it.site.grants_at_once = 0;
    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(sz, running_of_other(), 2));
    it.site.grants_at_once = 64;
    volunteer_live(&it, 2 * MINUTE);
    cr_assert(eq(sz, fake_site_count(&it.site, FAKE_SENT), 4));
    for (int i = 0; i < 5; i++) {
        volunteer_restart(&it);
        volunteer_live(&it, MINUTE / 2);
        cr_expect(eq(sz, running_of_other(), 2));
        cr_expect(eq(i64, it.launcher.alive, 2));
    }
    volunteer_live(&it, 10 * HOUR);
    expect_all_done();
}

/* Where the first one was, the second is now: that is what status shows under the URL. */
Test(two_projects, the_one_that_is_at_a_url_is_left_by_it_and_not_the_one_that_was)
{
    const struct detach_order order = {.project = OTHER_URL, .how = DETACH_FORGET};
    json_auto_t *request = verb_detach(&order), *answer = NULL;
    struct attached *first = it.daemon->projects[0];

    cr_assert(eq(str, first->record.url, FAKE_SITE_URL));
    (void)known_urls_note(&first->record.known_urls, OTHER_URL);
    answer = daemon_answer(it.daemon, request);
    cr_expect(eq(int, json_is_true(json_object_get(answer, "ok")), 1));
    cr_assert(eq(sz, it.daemon->project_count, 1));
    cr_expect(eq(str, it.daemon->projects[0]->record.url, FAKE_SITE_URL));
}
