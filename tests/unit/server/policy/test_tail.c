/* server/policy/tail: the last copies of a batch are computed once more, by few and fast hosts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/policy/tail.h"

Test(tail, a_batch_has_such_copies_at_its_end_and_few)
{
    static const struct {
        struct tail_batch batch;
        bool is_near, is_near_if_lost;
    } cases[] = {
        {{.units = 1000, .ended = 0}, false, true},
        {{.units = 1000, .ended = 899}, false, true},
        {{.units = 1000, .ended = 900}, true, true},
        {{.units = 1000, .ended = 900, .alive = 99}, true, true}, /* of 2000 copies */
        {{.units = 1000, .ended = 900, .alive = 100}, false, true},
        {{.units = 1000, .ended = 900, .lost = 399}, true, true},
        {{.units = 1000, .ended = 900, .lost = 400}, true, false},
        {{.units = 1000, .ended = 900, .made = 79}, true, true},
        {{.units = 1000, .ended = 900, .made = 80}, false, true},
        {{.units = 1000, .ended = 995, .made = 80}, true, true}, /* they would wait for ever */
        {{.units = 1000, .ended = 1000}, false, false},
        {{.units = 8, .ended = 6}, false, true},
        {{.units = 8, .ended = 7, .alive = 1}, true, true}, /* the last one of a small one */
        {{.units = 8, .ended = 7, .alive = 2}, false, true},
        {{.units = 8, .ended = 7, .lost = 3}, true, false},
        {{.units = 30, .ended = 28, .made = 2}, true, true},
        {{.units = 30, .ended = 28, .made = 3}, false, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect(eq(int, tail_is_near(&cases[i].batch, 2, false), cases[i].is_near), "case %zu",
                  i);
        cr_expect(eq(int, tail_is_near(&cases[i].batch, 2, true), cases[i].is_near_if_lost),
                  "case %zu, lost", i);
    }
}

/* A task is a letter: s sent, e error, or its result; each of another volunteer. */
static struct unit unit_of(const char *tasks)
{
    struct unit unit = {.state = UNIT_OPEN,
                        .rule = {.quorum = 2,
                                 .copies = 2,
                                 .max_failures = 5,
                                 .max_tasks = 7,
                                 .independence = INDEPENDENCE_VOLUNTEER}};

    for (; *tasks != '\0'; tasks++) {
        int64_t who = (int64_t)unit.task_count + 1;
        struct task *task = &unit.tasks[unit.task_count++];

        *task = (struct task){.state = *tasks == 's'   ? TASK_SENT
                                       : *tasks == 'e' ? TASK_ERROR
                                                       : TASK_REPORTED,
                              .at_dispatch = {who, who, who},
                              .now = {who, who, who}};
        task->result.bytes[0] = (uint8_t)*tasks;
    }
    return unit;
}

Test(tail, a_unit_waits_for_the_last_of_those_that_its_agreement_needs)
{
    static const struct {
        const char *what, *tasks;
        int64_t left_ms[6]; /* of each task; -1: its host is gone */
        struct tail_wait wait;
    } cases[] = {
        {"both", "ss", {10, 20}, {true, 20, 1, 0}},
        {"the one that is out", "sa", {10}, {true, 10, 0, 0}},
        {"not for one that differs", "sab", {10}, {true, 10, 0, 0}},
        {"the second of three", "sss", {30, 10, 20}, {true, 20, 2, 1}},
        {"the third of four: as many to spare as it waits for",
         "ssss",
         {40, 30, 20, 10},
         {false, 20, 2, 2}},
        {"the sooner of two, and one is to spare", "ssa", {10, 20}, {false, 10, 0, 1}},
        {"one whose host is gone is not to spare", "ssa", {-1, 20}, {true, 20, 1, 0}},
        {"nor are two", "ssa", {-1, -1}, {true, TAIL_NEVER, 1, 0}},
        {"for ever", "sss", {-1, 10, -1}, {true, TAIL_NEVER, 2, 0}},
        {"what is left is for failures", "seeea", {10}, {0}},
        {"for nobody: copies are to be made", "s", {10}, {0}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit unit = unit_of(cases[i].tasks);
        int64_t left_ms[UNIT_TASKS_MAX] = {0};
        struct tail_wait wait;

        unit.copies_wanted = unit.task_count < 2;
        for (size_t j = 0; j < 6; j++)
            left_ms[j] = cases[i].left_ms[j] < 0 ? TAIL_NEVER : cases[i].left_ms[j];
        wait = tail_waits(&unit, left_ms);
        cr_expect(eq(int, wait.may_have, cases[i].wait.may_have), "%s", cases[i].what);
        cr_expect(eq(i64, wait.left_ms, cases[i].wait.left_ms), "%s", cases[i].what);
        cr_expect(eq(sz, wait.task, cases[i].wait.task), "%s", cases[i].what);
        cr_expect(eq(i64, wait.spare, cases[i].wait.spare), "%s", cases[i].what);
        unit.copies_wanted = unit.extra = 1;
        cr_expect(not(tail_waits(&unit, left_ms).may_have), "%s, and one is to be taken",
                  cases[i].what);
    }
}

Test(tail, it_is_left_to_the_fastest_for_a_while)
{
    cr_expect(eq(i64, tail_patience_ms(40000), 10000));
    cr_expect(eq(i64, tail_patience_ms(3600000), TAIL_PATIENCE_MS));
    cr_expect(eq(i64, tail_patience_ms(TAIL_NEVER), TAIL_PATIENCE_MS));
}

Test(tail, what_is_left_is_more_than_twice_what_another_host_takes)
{
    cr_expect(eq(i64, tail_left_ms(1000, 5000, 2000), 3000));
    cr_expect(eq(i64, tail_left_ms(1000, 5000, 9000), 8000), "it is late: as long again");
    cr_expect(tail_is_worth_it(2002, 1000, false));
    cr_expect(not(tail_is_worth_it(2000, 1000, false)));
    cr_expect(not(tail_is_worth_it(2000, 0, false)), "nothing is known");
    cr_expect(tail_is_worth_it(1001, 1000, true), "its length is known");
    cr_expect(not(tail_is_worth_it(1000, 1000, true)));
    cr_expect(eq(i64, tail_other_ms(1000, 2000), 500));
    cr_expect(eq(i64, tail_other_ms(1000, 0), 1000), "of whom nothing is known is usual");
}

Test(tail, when_the_last_unit_would_be_done_is_known)
{
    static const struct {
        const char *what;
        struct tail_need needs[3];
        size_t count;
        struct horizon_slot slots[3];
        size_t slot_count;
        int64_t end_ms;
    } cases[] = {
        {"a copy on the fast host is sooner", {{10000, 9000}}, 1, {{0, 2000}, {0, 1000}}, 2, 5000},
        {"what is nearly done is waited for", {{10000, 400}}, 1, {{0, 2000}}, 1, 400},
        {"there is nobody", {{10000, 9000}}, 1, {{0}}, 0, 9000},
        {"the fast host is free later", {{10000, 9000}}, 1, {{3000, 2000}}, 1, 8000},
        {"the one with most left has the fast one, the other is done sooner as it is",
         {{10000, 9000}, {10000, 6000}},
         2,
         {{0, 2000}, {0, 1000}},
         2,
         6000},
        {"both one after the other on the fast one",
         {{10000, 30000}, {10000, 30000}},
         2,
         {{0, 2000}, {0, 500}},
         2,
         10000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct horizon_slot slots[3];

        memcpy(slots, cases[i].slots, sizeof slots);
        cr_expect(eq(i64, tail_end_ms(cases[i].needs, cases[i].count, slots, cases[i].slot_count),
                     cases[i].end_ms),
                  "%s", cases[i].what);
    }
    cr_expect(zero(i64, tail_end_ms(NULL, 0, NULL, 0)));
}

Test(tail, estimates_may_be_off_by_a_tenth)
{
    cr_expect(tail_is_late(1101, 1000));
    cr_expect(not(tail_is_late(1100, 1000)));
    cr_expect(tail_is_spared(1120, 1000));
    cr_expect(not(tail_is_spared(1110, 1000)));
}

Test(tail, known_hosts_alone_have_them_and_not_the_slowest_quarter)
{
    int64_t speeds[] = {4000, 100, 1000, 900, 500, 2000, 800, 1200};
    int64_t slow = tail_slow(speeds, 8);

    cr_expect(eq(i64, slow, 800));
    cr_expect(tail_suits(TAIL_KNOWN, 800, slow));
    cr_expect(not(tail_suits(TAIL_KNOWN, 799, slow)));
    cr_expect(not(tail_suits(TAIL_KNOWN - 1, 4000, slow)));
    cr_expect(tail_suits(TAIL_KNOWN, 0, slow), "of whom nothing is known is taken to be usual");
    cr_expect(zero(i64, tail_slow(speeds, 0)));
}
