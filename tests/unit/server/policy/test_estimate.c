/* server/policy/estimate: what a task takes, learned from hosts that nobody has to believe. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/estimate.h"
#include "work-units/work_unit.h"

#define MINUTE_OPS (60 * WORK_UNIT_OPS_PER_SECOND)

Test(estimate, what_a_host_says_holds_within_what_the_server_saw)
{
    static const struct {
        int64_t said_ms, sent_s, reported_s, took_ms;
    } cases[] = {
        {5000, 100, 200, 5000},     /* it waited in the queue the rest of the time */
        {0, 100, 200, 101000},      /* not said */
        {900000, 100, 200, 101000}, /* more than there was */
        {300, 100, 100, 300},       /* seconds are coarse */
        {5000, 200, 100, 1000},     /* the clock was put back */
        {INT64_MAX, 0, INT64_MAX, ESTIMATE_MOST_MS},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(i64, estimate_took_ms(cases[i].said_ms, cases[i].sent_s, cases[i].reported_s),
                     cases[i].took_ms),
                  "case %zu", i);
}

Test(estimate, the_best_that_is_known_is_used)
{
    static const struct {
        struct estimate_sources sources;
        int64_t declared_ops, task_ms;
    } cases[] = {
        {{0}, 0, 0},                                 /* nothing is known */
        {{0}, MINUTE_OPS, 60000},                    /* as declared */
        {{.speed = 2000}, MINUTE_OPS, 30000},        /* on a fast host */
        {{.speed = 2000}, 0, 0},                     /* a speed alone says nothing */
        {{.app_pace = 3000000}, MINUTE_OPS, 180000}, /* others take three times as long */
        {{.app_pace = 3000000, .speed = 500}, MINUTE_OPS, 360000},
        {{.app_pace = 5000000}, 0, 5000}, /* 5 s a unit, of whatever size */
        {{.own_pace = 500000, .app_pace = 3000000, .speed = 4000}, MINUTE_OPS, 30000},
        {{.own_pace = ESTIMATE_PACE_MAX}, INT64_C(1) << 53, ESTIMATE_MOST_MS},
        {{.own_pace = 1}, 1, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(
            eq(i64, estimate_task_ms(&cases[i].sources, cases[i].declared_ops), cases[i].task_ms),
            "case %zu", i);
}

Test(estimate, the_first_results_correct_what_was_declared)
{
    struct estimate_facts facts = {0};
    struct estimate_sources sources = {0};

    facts = estimate_after_task(&facts, MINUTE_OPS, 5000); /* not a minute at all */
    sources.own_pace = facts.pace;
    cr_expect(eq(i64, estimate_task_ms(&sources, MINUTE_OPS), 5000));
    cr_expect(eq(i64, estimate_task_ms(&sources, 10 * MINUTE_OPS), 50000), "it scales with size");
}

Test(estimate, a_single_task_that_was_far_off_moves_it_a_step)
{
    struct estimate_facts facts = {0};

    for (int i = 0; i < 10; i++)
        facts = estimate_after_task(&facts, 0, 10000);
    cr_assert(eq(i64, facts.pace, 10000000));
    facts = estimate_after_task(&facts, 0, ESTIMATE_MOST_MS);
    cr_expect(lt(i64, facts.pace, 20000000), "not even twice");
    for (int i = 0; i < 200; i++)
        facts = estimate_after_task(&facts, 0, 1000000);
    cr_expect(lt(i64, 900000000, facts.pace), "but many do all the way");
    cr_expect(le(i64, facts.timed, ESTIMATE_USUAL));
}

/* Of two hosts, one as fast again, the slow one had a unit that was twenty times as long. */
Test(estimate, a_long_unit_does_not_make_its_host_slow)
{
    struct estimate_facts fast = {0}, slow = {0};

    for (int i = 0; i < 20; i++) {
        fast = estimate_after_task(&fast, 0, 10000);
        slow = estimate_after_task(&slow, 0, 20000);
    }
    fast = estimate_after_task(&fast, 0, 200000);
    cr_expect(lt(i64, slow.pace * 6 / 10, fast.pace), "its mean is nearly the slow one's");
    cr_expect(ge(i64, estimate_speed(fast.usual_pace, slow.usual_pace), 1800));
    cr_expect(eq(i64, slow.usual_pace, 20000000));
}

/* It takes half of the volunteers to move what is known of an app. */
Test(estimate, a_liar_does_not_move_the_median)
{
    int64_t paces[] = {5, 1, ESTIMATE_PACE_MAX, 6, 4};

    cr_expect(eq(i64, estimate_median(paces, 5), 5));
    cr_expect(zero(i64, estimate_median(paces, 0)));
}

Test(estimate, a_speed_is_bounded_both_ways)
{
    cr_expect(eq(i64, estimate_speed(1000, 1000), ESTIMATE_SPEED_ONE));
    cr_expect(eq(i64, estimate_speed(500, 1000), 2000));
    cr_expect(eq(i64, estimate_speed(1, ESTIMATE_PACE_MAX), ESTIMATE_SPEED_MOST));
    cr_expect(eq(i64, estimate_speed(ESTIMATE_PACE_MAX, 1), ESTIMATE_SPEED_LEAST));
    cr_expect(zero(i64, estimate_speed(0, 1000)));
    cr_expect(zero(i64, estimate_speed(1000, 0)));
}

Test(estimate, a_task_s_progress_tells_how_long_it_is)
{
    static const struct {
        const char *what;
        int done_permille;
        int64_t busy_ms, had_s, whole_ms;
    } cases[] = {
        {"a quarter in a minute", 250, 60000, 3600, 240000},
        {"nothing is said", -1, 60000, 3600, 0},
        {"nothing is done", 0, 60000, 3600, 0},
        {"too little", 4, 600000, 3600, 0},
        {"just enough", 5, 600000, 3600, 120000000},
        {"it has hardly begun", 900, 29999, 3600, 0},
        {"it cannot have run for longer than it was there", 500, INT64_C(1) << 44, 99, 200000},
        {"a clock that went back", 500, 60000, -99, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(i64,
                     estimate_whole_ms(cases[i].done_permille, cases[i].busy_ms, cases[i].had_s),
                     cases[i].whole_ms),
                  "%s", cases[i].what);
}

Test(estimate, what_it_takes_the_usual_host_follows_from_the_speed)
{
    cr_expect(eq(i64, estimate_on_usual_ms(60000, 2000), 120000));
    cr_expect(eq(i64, estimate_on_usual_ms(60000, 500), 30000));
    cr_expect(eq(i64, estimate_on_usual_ms(60000, 0), 60000), "nothing is known of it");
}
