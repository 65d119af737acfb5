/* server/policy/tail: the last copies of a batch are computed once more, by few and fast hosts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/tail.h"

Test(tail, a_batch_has_such_copies_at_its_end_and_few)
{
    static const struct {
        struct tail_batch batch;
        bool is_near;
    } cases[] = {
        {{.units = 1000, .ended = 0}, false},
        {{.units = 1000, .ended = 899}, false},
        {{.units = 1000, .ended = 900}, true},
        {{.units = 1000, .ended = 900, .alive = 99}, true}, /* of 2000 copies */
        {{.units = 1000, .ended = 900, .alive = 100}, false},
        {{.units = 1000, .ended = 1000}, false},
        {{.units = 8, .ended = 6}, false},
        {{.units = 8, .ended = 7, .alive = 1}, true}, /* the last one of a small one */
        {{.units = 8, .ended = 7, .alive = 2}, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(int, tail_is_near(&cases[i].batch, 2), cases[i].is_near), "case %zu", i);
}

/* A task is a letter: s sent, e error, or its result; each of another volunteer. */
static struct unit unit_of(const char *tasks)
{
    struct unit unit = {.state = UNIT_OPEN,
                        .rule = {.quorum = 2,
                                 .copies = 2,
                                 .max_failures = 5,
                                 .max_tasks = 6,
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

Test(tail, a_unit_has_one_besides_what_its_agreement_needs)
{
    static const struct {
        const char *tasks; /* the first is looked at */
        bool waits;
    } cases[] = {
        {"ss", true},     {"sa", true},   {"as", false},  /* it is computed */
        {"sab", true},    {"sss", false}, {"ssa", false}, /* there is one to spare */
        {"seeea", false},                                 /* what is left is for failures */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit unit = unit_of(cases[i].tasks);

        cr_expect(eq(int, tail_waits_for(&unit, 0), cases[i].waits), "%s", cases[i].tasks);
        unit.extra = 1;
        cr_expect(not(tail_waits_for(&unit, 0)), "%s", cases[i].tasks);
    }
}

Test(tail, what_is_left_is_more_than_twice_what_another_host_takes)
{
    cr_expect(eq(i64, tail_left_ms(1000, 5000, 2000), 3000));
    cr_expect(eq(i64, tail_left_ms(1000, 5000, 9000), 8000), "it is late: as long again");
    cr_expect(tail_is_worth_it(2002, 1000));
    cr_expect(not(tail_is_worth_it(2000, 1000)));
    cr_expect(not(tail_is_worth_it(2000, 0)), "nothing is known");
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
