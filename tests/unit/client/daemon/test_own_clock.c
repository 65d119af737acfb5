/* client/daemon: a wrong clock of this computer is named as such, and a good one is not blamed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
    it.site.tells_clock = true;
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(own_clock, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_status(const char *member, const char *says)
{
    const char *text = volunteer_text(&it, member);

    cr_expect(strstr(text, says) != NULL, "%s: %s", member, text);
}

Test(own_clock, is_said_to_be_off_until_it_is_set_right)
{
    it.env.now_s += 3 * 3600;
    volunteer_live(&it, HOUR);
    expect_status("clock_why", "this computer's clock is 3 hours ahead of the server's");
    it.env.now_s -= 3 * 3600;
    cr_expect(eq(str, (char *)volunteer_text(&it, "clock_why"), ""));
    volunteer_live(&it, HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "clock_why"), ""));
}

Test(own_clock, is_not_blamed_by_a_server_that_does_not)
{
    it.site.tells_clock = false;
    it.env.now_s += 3 * 3600;
    volunteer_live(&it, HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "clock_why"), ""));
}

/* It was made when the network went, and says the time of then. */
Test(own_clock, is_not_blamed_for_a_visit_that_arrives_late)
{
    it.site.fails_with = STATUS_BUSY;
    volunteer_live(&it, 5 * HOUR);
    it.site.fails_with = STATUS_OK;
    for (int i = 0; i < 240 && it.site.visits == 0; i++)
        volunteer_live(&it, MINUTE);
    cr_assert(eq(i64, it.site.visits, 1));
    cr_assert(strstr(it.site.last_reply, "\"clock_off_s\":-") != NULL);
    cr_expect(eq(str, (char *)volunteer_text(&it, "clock_why"), ""));
}

/* Nothing is left to do or to report, so that only the clock is a reason to visit. */
static void live_until_all_is_done(void)
{
    volunteer_live(&it, 2 * HOUR);
    cr_assert(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(own_clock, is_named_where_a_right_one_would_let_work_start)
{
    int64_t visits;

    live_until_all_is_done();
    it.env.now_s += 20 * DAY_S;
    volunteer_live(&it, 2 * HOUR);
    visits = it.site.visits;
    expect_status("why_idle", "this computer's clock is 20 days ahead of the server's");
    volunteer_live(&it, 10 * HOUR);
    cr_expect(eq(i64, it.site.visits, visits), "it asked once what time it is");
}

Test(own_clock, is_not_blamed_for_what_has_run_out)
{
    live_until_all_is_done();
    it.site.return_s = 3600;
    volunteer_live(&it, 20 * 24 * HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "clock_why"), ""));
    expect_status("why_idle", "freshness");
}

Test(own_clock, is_named_in_what_it_refuses_as_not_valid_now)
{
    it.site.grants_at_once = 0;
    it.site.sample.freshness.sequence++;
    it.site.sample.freshness.expires_s = SAMPLE_NOW_S + 45 * DAY_S;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
    volunteer_live(&it, HOUR);
    it.site.grants_at_once = FAKE_UNITS_MAX;
    it.env.now_s += 31 * DAY_S;
    volunteer_live(&it, HOUR);
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_OUTSIDE_VALIDITY));
    cr_expect(strstr(it.site.tasks[0].why, "this computer's clock is 31 days ahead") != NULL, "%s",
              it.site.tasks[0].why);
}
