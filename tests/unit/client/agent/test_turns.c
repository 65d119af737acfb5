/* client/agent: short work never waits behind long work, and deadlines are met all the same. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "client/agent/choose.h"
#include "client/agent/durations.h"
#include "client/agent/turns.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_S     INT64_C(86400)

static struct batch_id batch(int number)
{
    return (struct batch_id){.bytes = {(uint8_t)number, (uint8_t)(number >> 8)}};
}

static void meet(struct turns *turns, int first, int count)
{
    struct batch_id all[TURNS_MAX + 1];

    for (int i = 0; i < count; i++)
        all[i] = batch(first + i);
    turns_meet(turns, all, (size_t)count);
}

static void charge(struct turns *turns, int number, int64_t ms)
{
    const struct batch_id it = batch(number);

    turns_charge(turns, &it, ms);
}

static int64_t used(const struct turns *turns, int number)
{
    const struct batch_id it = batch(number);

    return turns_used_ms(turns, &it);
}

/* --- turns --- */

Test(turns, a_batch_that_comes_gets_no_turns_for_the_time_before)
{
    struct turns turns = {.count = 0};

    meet(&turns, 1, 2);
    charge(&turns, 1, 700);
    charge(&turns, 2, 500);
    meet(&turns, 1, 3);
    cr_expect(eq(i64, used(&turns, 3), 500));
    cr_expect(eq(i64, used(&turns, 1), 700));
}

Test(turns, one_that_comes_back_has_neither_lost_nor_won)
{
    struct turns turns = {.count = 0};

    meet(&turns, 1, 2);
    charge(&turns, 2, 500);
    meet(&turns, 1, 1); /* the second is away ... */
    charge(&turns, 1, 100);
    meet(&turns, 1, 2); /* ... and owes what it had more */
    cr_expect(eq(i64, used(&turns, 2), 500));
    meet(&turns, 1, 1);
    charge(&turns, 1, 900);
    meet(&turns, 1, 2); /* away for long */
    cr_expect(eq(i64, used(&turns, 2), 1000));
    cr_expect(eq(i64, used(&turns, 1), 1000));
}

Test(turns, no_more_batches_are_told_apart_than_there_is_room_for)
{
    struct turns turns = {.count = 0};

    meet(&turns, 1, TURNS_MAX + 1);
    for (int i = 1; i <= TURNS_MAX; i++)
        charge(&turns, i, 1000 + i);
    charge(&turns, TURNS_MAX + 1, 5);
    cr_expect(eq(sz, turns.count, TURNS_MAX));
    cr_expect(eq(i64, used(&turns, TURNS_MAX + 1), 1001), "as the one that used least");
    meet(&turns, 2, TURNS_MAX);
    cr_expect(eq(sz, turns.count, TURNS_MAX), "the first one is forgotten");
    cr_expect(eq(i64, used(&turns, TURNS_MAX), 1000 + TURNS_MAX));
    charge(&turns, TURNS_MAX, INT64_MAX);
    cr_expect(eq(i64, used(&turns, TURNS_MAX), INT64_MAX));
}

/* --- durations --- */

static struct duration_unit unit_of(const struct digest *app_version, int64_t seconds)
{
    return (struct duration_unit){
        .app_version = app_version, .declared_ops = seconds * 1000000000, .wall_s = DAY_S};
}

Test(durations, are_as_those_of_the_app_version_or_as_declared)
{
    const struct digest one = {.bytes = {1}}, two = {.bytes = {2}};
    struct duration_unit unit = unit_of(&one, 10), silent = unit_of(&two, 0);
    struct durations durations = {.count = 0};

    cr_expect(eq(i64, durations_estimate_ms(&durations, &unit), 10000));
    cr_expect(eq(i64, durations_estimate_ms(&durations, &silent), DURATIONS_UNKNOWN_MS));
    durations_learn(&durations, &unit, 20000);
    durations_learn(&durations, &silent, 300);
    cr_expect(eq(i64, durations_estimate_ms(&durations, &unit), 20000));
    cr_expect(eq(i64, durations_estimate_ms(&durations, &silent), 300));
    durations_learn(&durations, &unit, 60000);
    cr_expect(eq(i64, durations_estimate_ms(&durations, &unit), 30000), "three parts of four");
    unit.declared_ops *= 3;
    cr_expect(eq(i64, durations_estimate_ms(&durations, &unit), 90000), "by what it declares");
    unit.wall_s = 60;
    cr_expect(eq(i64, durations_estimate_ms(&durations, &unit), 60000), "it is stopped then");
}

Test(durations, of_many_app_versions_those_that_ended_last_are_known)
{
    struct durations durations = {.count = 0};

    for (uint8_t i = 0; i <= DURATIONS_MAX; i++) {
        const struct digest app = {.bytes = {i}}, first = {.bytes = {0}};
        const struct duration_unit unit = unit_of(&app, 1), again = unit_of(&first, 1);

        durations_learn(&durations, &unit, 5000 + i);
        durations_learn(&durations, &again, 5000);
    }
    for (uint8_t i = 0; i <= DURATIONS_MAX; i++) {
        const struct digest app = {.bytes = {i}};
        const struct duration_unit unit = unit_of(&app, 1);

        cr_expect(eq(i64, durations_estimate_ms(&durations, &unit), i == 1 ? 1000 : 5000 + i));
    }
}

/* --- who is next --- */

/* Of two tasks, the one that a client with a core free starts: the second each time. */
static const struct {
    const char *name;
    struct run_view first, second;
} rivals[] = {
    {"the batch that used less",
     {.deadline_s = DAY_S, .batch_used_ms = 9000, .estimate_ms = MINUTE_MS},
     {.deadline_s = 3 * DAY_S, .batch_used_ms = 8000, .estimate_ms = HOUR_MS}},
    {"the shorter one of two that used as much",
     {.deadline_s = DAY_S, .estimate_ms = HOUR_MS},
     {.deadline_s = 3 * DAY_S, .estimate_ms = MINUTE_MS}},
    {"a deadline in danger, whatever its batch used",
     {.deadline_s = DAY_S, .estimate_ms = MINUTE_MS},
     {.deadline_s = 3 * HOUR_MS / 1000, .batch_used_ms = 1, .estimate_ms = HOUR_MS}},
    {"… but not one that is met in its turn",
     {.deadline_s = 5 * HOUR_MS / 1000, .batch_used_ms = 1, .estimate_ms = HOUR_MS},
     {.deadline_s = DAY_S, .estimate_ms = MINUTE_MS}},
    {"the earlier of two deadlines in danger",
     {.deadline_s = 3600, .estimate_ms = MINUTE_MS},
     {.deadline_s = 1800, .batch_used_ms = 1, .estimate_ms = HOUR_MS}},
    {"one that has begun",
     {.deadline_s = 60, .estimate_ms = MINUTE_MS},
     {.deadline_s = DAY_S, .batch_used_ms = 1, .estimate_ms = HOUR_MS, .has_begun = true}},
    {"one of the project that used less, whatever deadlines another tells",
     {.deadline_s = 60, .estimate_ms = MINUTE_MS, .project = 1},
     {.deadline_s = DAY_S, .batch_used_ms = 1, .estimate_ms = HOUR_MS}},
    {"the earlier deadline of two that are alike", {.deadline_s = 90}, {.deadline_s = 80}},
};

Test(turns, decide_who_is_next_but_for_deadlines_in_danger)
{
    const struct run_room room = {.cores = 1, .memory_bytes = 100};
    const int64_t project_used_ms[] = {0, 1};

    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++) {
        struct run_view tasks[] = {rivals[i].first, rivals[i].second};

        for (int j = 0; j < 2; j++) {
            tasks[j].task = j + 1;
            tasks[j].cores = 1;
            tasks[j].is_ready = true;
        }
        cr_expect(eq(sz, choose_next(tasks, 2, &room, project_used_ms, 0), 1), "%s",
                  rivals[i].name);
    }
}

/* Of two batches in stock: how many hours of each one core computes in so many hours. */
Test(turns, of_two_batches_are_fair_whatever_the_length_of_their_tasks)
{
    const struct run_room room = {.cores = 1, .memory_bytes = 100};
    const int64_t project_used_ms = 0;
    struct turns turns = {.count = 0};
    int64_t ms[] = {0, 0}, now_ms = 0, first_short_ms = -1;

    meet(&turns, 0, 2);
    while (now_ms < 20 * HOUR_MS) {
        struct run_view tasks[2];
        size_t next;

        for (int i = 0; i < 2; i++)
            tasks[i] = (struct run_view){.task = 1,
                                         .deadline_s = 30 * DAY_S,
                                         .batch_used_ms = used(&turns, i),
                                         .estimate_ms = i == 0 ? HOUR_MS : MINUTE_MS,
                                         .cores = 1,
                                         .is_ready = true};
        next = choose_next(tasks, 2, &room, &project_used_ms, now_ms / 1000);
        if (next == 1 && first_short_ms < 0)
            first_short_ms = now_ms;
        charge(&turns, (int)next, tasks[next].estimate_ms);
        ms[next] += tasks[next].estimate_ms;
        now_ms += tasks[next].estimate_ms;
    }
    cr_expect(eq(i64, first_short_ms, 0));
    cr_expect(ge(i64, ms[0], 9 * HOUR_MS));
    cr_expect(ge(i64, ms[1], 9 * HOUR_MS));
}
