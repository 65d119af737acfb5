/* server/policy/moving: copies that wait may go to who is idle, and nobody is worse off. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/moving.h"

Test(moving, what_is_begun_within_half_its_time_stays)
{
    cr_expect(eq(i64, moving_patience_ms(40000), 20000));
    cr_expect(eq(i64, moving_patience_ms(1000), MOVING_LEAST_MS), "a visit takes longer");
    cr_expect(eq(i64, moving_patience_ms(36000000), MOVING_MOST_MS), "a minute at most");
    cr_expect(eq(i64, moving_patience_ms(0), MOVING_MOST_MS));
}

/* A task is a letter: s sent, d dropped, r reported, f dropped after a failure that was forgiven.
 */
static struct unit unit_of(const char *tasks, uint32_t copies_wanted)
{
    struct unit unit = {.state = UNIT_OPEN,
                        .rule = {.quorum = 2, .copies = 2, .max_failures = 5, .max_tasks = 6},
                        .copies_wanted = copies_wanted};

    for (; *tasks != '\0'; tasks++) {
        struct task *task = &unit.tasks[unit.task_count++];

        task->state = *tasks == 's' ? TASK_SENT : *tasks == 'r' ? TASK_REPORTED : TASK_DROPPED;
        task->reported_s = *tasks == 'r' || *tasks == 'f';
    }
    return unit;
}

Test(moving, table)
{
    static const struct {
        const char *tasks; /* the first is looked at */
        uint32_t copies_wanted, extra;
        bool may, is_undone, is_done;
    } cases[] = {
        {"ss", 0, 0, true, false, false},    {"rs", 0, 0, false, false, false}, /* it is computed */
        {"sds", 0, 0, true, false, false},   /* one was moved before */
        {"sdds", 0, 0, false, false, false}, /* two were */
        {"srrr", 0, 0, false, false, false}, /* three are left for failures, not four */
        {"ds", 1, 0, false, true, false},    /* nobody has taken it yet */
        {"dss", 0, 0, false, false, true},   /* somebody has */
        {"dss", 1, 1, false, false, true},   /* what waits besides is not in its place */
        {"fs", 1, 0, false, false, false},   /* it had failed */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit unit = unit_of(cases[i].tasks, cases[i].copies_wanted);

        unit.extra = cases[i].extra;
        cr_expect(eq(int, moving_is_allowed(&unit, 0), cases[i].may), "%s", cases[i].tasks);
        cr_expect(eq(int, moving_is_undone(&unit, 0), cases[i].is_undone), "%s", cases[i].tasks);
        cr_expect(eq(int, moving_is_done(&unit, 0), cases[i].is_done), "%s", cases[i].tasks);
    }
}

Test(moving, of_a_unit_that_ended_nothing_moves)
{
    struct unit unit = unit_of("sr", 0);

    unit.state = UNIT_AGREED;
    cr_expect(not(moving_is_allowed(&unit, 0)));
}
