/* server/policy/withdrawing: copies taken back from a host that will not compute them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/withdrawing.h"

static struct unit unit_with(size_t tasks, uint32_t copies_wanted)
{
    struct unit unit = {.state = UNIT_OPEN,
                        .copies_wanted = copies_wanted,
                        .rule = {.quorum = 2, .copies = 2, .max_tasks = 2},
                        .task_count = tasks};

    for (size_t i = 0; i < tasks; i++)
        unit.tasks[i].state = TASK_SENT;
    return unit;
}

Test(withdrawing, while_another_copy_has_a_place)
{
    struct unit unit = unit_with(2, 0);

    cr_expect(withdrawing_is_allowed(&unit, 0));
    unit = unit_with(UNIT_TASKS_MAX - 1, 0);
    cr_expect(withdrawing_is_allowed(&unit, 0));
    unit.copies_wanted = 1;
    cr_expect(not(withdrawing_is_allowed(&unit, 0)));
    unit = unit_with(UNIT_TASKS_MAX, 0);
    cr_expect(not(withdrawing_is_allowed(&unit, 0)));
    unit.state = UNIT_AGREED;
    cr_expect(withdrawing_is_allowed(&unit, 0), "none is needed in its stead");
}

Test(withdrawing, of_what_is_out_alone)
{
    struct unit unit = unit_with(1, 0);

    for (enum task_state state = TASK_REPORTED; state <= TASK_ABANDONED; state++) {
        unit.tasks[0].state = state;
        cr_expect(not(withdrawing_is_allowed(&unit, 0)), "%s", task_state_name(state));
    }
}

Test(withdrawing, what_was_taken_back_uses_up_no_task_until_it_is_reported)
{
    struct unit unit = unit_with(2, 0);

    cr_expect(eq(u32, unit_room(&unit), 0));
    unit.tasks[0].state = TASK_DROPPED;
    cr_expect(eq(u32, unit_room(&unit), 1));
    unit.tasks[0].reported_s = 1; /* an error that was forgiven */
    cr_expect(eq(u32, unit_room(&unit), 0));
}
