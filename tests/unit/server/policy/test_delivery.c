/* server/policy/delivery: one host is asked, then the next. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/delivery.h"

static struct output bodies[2];
static struct unit unit;

static void set_up(void)
{
    unit = (struct unit){.state = UNIT_AGREED, .task_count = 3};
    bodies[0] = bodies[1] = (struct output){0};
    for (size_t i = 0; i < 2; i++)
        unit.tasks[i] =
            (struct task){.state = TASK_AGREED, .output_count = 1, .outputs = &bodies[i]};
    unit.tasks[2] = (struct task){.state = TASK_OUTVOTED};
}

TestSuite(delivery, .init = set_up);

static struct delivery_decision decide(int64_t up_now_s)
{
    return delivery_decide(&unit, up_now_s, 100);
}

static void ask(size_t task, int64_t up_s)
{
    unit.tasks[task].is_asked = true;
    unit.tasks[task].asked_up_s = up_s;
}

Test(delivery, the_next_is_asked_when_one_does_not_deliver_until_none_is_left)
{
    cr_expect(eq(int, decide(0).act, DELIVERY_ASK));
    cr_expect(eq(sz, decide(0).task, 0));
    ask(0, 0);
    cr_expect(eq(int, decide(99).act, DELIVERY_WAIT));
    cr_expect(eq(int, decide(100).act, DELIVERY_ASK));
    cr_expect(eq(sz, decide(100).task, 1));
    ask(1, 100);
    cr_expect(eq(int, decide(199).act, DELIVERY_WAIT));
    cr_expect(eq(int, decide(200).act, DELIVERY_FAILED));
}

Test(delivery, whoever_delivers_even_late_is_enough)
{
    ask(0, 0);
    ask(1, 100);
    bodies[0].is_stored = true;
    cr_expect(eq(int, decide(500).act, DELIVERY_DONE));
}

Test(delivery, a_result_without_outputs_is_there)
{
    unit.tasks[0].output_count = 0;
    cr_expect(eq(int, decide(0).act, DELIVERY_DONE));
}
