/* client/daemon: files that come one by one come several at once, and a slow one holds up none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "client/daemon/attached.h"
#include "common/base/text.h"
#include "tests/support/volunteer.h"

static struct volunteer it;
static int64_t most;          /* files under way at once, so far */
static int64_t broken;        /* requests for files that the line broke */
static int64_t failures_then; /* as the client counted, when it asked again after them */
static enum status (*site_serve)(void *context, const struct fake_request *request,
                                 struct http_response *ret_response, struct error *err);

/* A file takes its time. */
static enum fake_fate slowly(void *context, const struct fake_request *request)
{
    (void)context;
    if (!text_starts_with(request->path, "/v1/files/") ||
        text_starts_with(request->path, "/v1/files/bundle"))
        return FATE_DELIVERED;
    if (it.site.net.slow + 1 > most)
        most = it.site.net.slow + 1;
    return FATE_SLOW;
}

static void set_up(void)
{
    volunteer_init(&it, 2);
    most = broken = failures_then = 0;
    it.site.bundle_fails_with = STATUS_NOT_FOUND; /* as large ones come: each by itself */
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(fetches, .init = set_up, .fini = tear_down, .timeout = 120);

static void expect_done(size_t units)
{
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), units));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), (int64_t)units));
}

/* One after the other, each waited for the end of the one before. */
Test(fetches, several_files_are_on_their_way_at_once_and_each_comes_once)
{
    it.site.net.fate = slowly;
    fake_site_add_small(&it.site, 12, 12);
    volunteer_live(&it, 8 * HOUR);
    expect_done(2);
    cr_expect(eq(i64, most, FETCHES_MAX));
    cr_expect(eq(i64, it.site.files_served, 2 + 2 * 12));
}

Test(fetches, one_that_does_not_come_holds_up_no_other_task)
{
    struct digest digest = digest_of("small-0", 7);
    char path[16 + 2 * DIGEST_BYTES] = "/v1/files/";

    text_from_bytes(digest.bytes, DIGEST_BYTES, path + strlen(path));
    fake_site_add_small(&it.site, 6, 6); /* the first unit's are small-0 to 5 */
    it.site.net.stalled = path;
    volunteer_live(&it, 8 * HOUR);
    expect_done(1);
    it.site.net.stalled = NULL;
    volunteer_live(&it, 8 * HOUR);
    expect_done(2);
}

Test(fetches, those_on_their_way_at_a_restart_are_asked_for_again)
{
    it.site.net.fate = slowly;
    fake_site_add_small(&it.site, 12, 12);
    for (int i = 0; i < 40; i++) {
        volunteer_live(&it, (i % 5 + 1) * MINUTE / 4);
        volunteer_restart(&it);
    }
    volunteer_live(&it, 12 * HOUR);
    expect_done(2);
}

/* What there is no room for beside others waits for them: it is no failure, and never above. */
Test(fetches, the_cap_of_the_cache_holds_whatever_is_on_its_way)
{
    it.config.cache = 2 * 6 + 8 * 12; /* one unit's files, and hardly more */
    volunteer_restart(&it);
    it.site.net.fate = slowly;
    fake_site_add_small(&it.site, 8, 8);
    for (int i = 0; i < 400; i++) {
        volunteer_live(&it, 2 * MINUTE);
        cr_assert(le(i64, it.daemon->cache.used_bytes, it.config.cache));
    }
    expect_done(2);
}

static enum status break_files(void *context, const struct fake_request *request,
                               struct http_response *ret_response, struct error *err)
{
    if (!text_starts_with(request->path, "/v1/files/") ||
        text_starts_with(request->path, "/v1/files/bundle") || broken > FETCHES_MAX)
        return site_serve(context, request, ret_response, err);
    if (broken++ == FETCHES_MAX)
        failures_then = it.daemon->projects[0]->download_failures;
    return error_set(err, STATUS_UNREACHABLE, "the connection to the server broke");
}

/* A line that breaks takes all that was on its way: the next attempt waits as after one failure. */
Test(fetches, those_that_break_together_are_one_failure_of_the_server)
{
    site_serve = it.site.net.serve;
    it.site.net.serve = break_files;
    it.site.net.fate = slowly;
    fake_site_add_small(&it.site, 12, 12);
    volunteer_live(&it, 12 * HOUR);
    cr_expect(eq(i64, broken, FETCHES_MAX + 1));
    cr_expect(eq(i64, failures_then, 1));
    expect_done(2);
}

static int64_t asked; /* for files */

/* The second of those that go out together comes, the others break. */
static enum status break_but_the_second(void *context, const struct fake_request *request,
                                        struct http_response *ret_response, struct error *err)
{
    if (!text_starts_with(request->path, "/v1/files/") ||
        text_starts_with(request->path, "/v1/files/bundle"))
        return site_serve(context, request, ret_response, err);
    asked++;
    if (asked == FETCHES_MAX + 1)
        failures_then = it.daemon->projects[0]->download_failures;
    if (asked == 2 || asked > FETCHES_MAX)
        return site_serve(context, request, ret_response, err);
    return error_set(err, STATUS_UNREACHABLE, "the connection to the server broke");
}

/* Regression: those that failed after one that came were none, and their delay was that of none. */
Test(fetches, one_that_comes_begins_the_count_of_failures_anew)
{
    asked = 0;
    site_serve = it.site.net.serve;
    it.site.net.serve = break_but_the_second;
    it.site.net.fate = slowly;
    fake_site_add_small(&it.site, 12, 12);
    volunteer_live(&it, 12 * HOUR);
    cr_expect(eq(i64, failures_then, 1));
    expect_done(2);
}

/* The unit has this file alone besides what all have. */
static void give_small(size_t index, int number)
{
    struct work_unit *unit = &it.site.sample.unit;
    struct work_input *input = &unit->inputs[unit->input_count - 1];
    int length = snprintf(input->name.text, sizeof input->name.text, "small-%d", number);

    input->digest = digest_of(input->name.text, (size_t)length);
    input->size = length;
    unit->index = (int64_t)index;
    (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%zu", index);
    envelope_clear(&it.site.tasks[index].unit);
    it.site.tasks[index].unit = sample_seal_unit(&it.site.sample);
}

/* Regression: behind one that had to wait for room, everything waited. */
Test(fetches, one_that_has_no_room_beside_others_holds_up_no_other_task)
{
    struct digest digest = digest_of("small-0", 7);
    char path[16 + 2 * DIGEST_BYTES] = "/v1/files/";

    volunteer_end(&it);
    volunteer_init(&it, 3);
    it.site.bundle_fails_with = STATUS_NOT_FOUND;
    fake_site_add_small(&it.site, 1, 1);
    give_small(0, 0);
    give_small(1, 100);
    give_small(2, 1);
    it.config.cores = 2; /* so all three are granted at once */
    it.config.cache =
        (int64_t)(strlen("binary") + strlen(it.site.file) + 2 * strlen("small-0")) + 1;
    volunteer_restart(&it);
    text_from_bytes(digest.bytes, DIGEST_BYTES, path + strlen(path));
    it.site.net.stalled = path;
    volunteer_live(&it, 8 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 1), "the third");
    it.site.net.stalled = NULL;
    volunteer_live(&it, 24 * HOUR);
    expect_done(3);
}
