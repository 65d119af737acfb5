/* client/agent/talk: clients without work hear of it, and nobody makes them come too often. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "client/agent/talk.h"

/* Nothing to compute, and asked to come back in an hour. */
static struct talk_view idle(void)
{
    return (struct talk_view){.now = 1000000,
                              .return_at = 4600000,
                              .visited_at = 900000,
                              .visit_interval = 60000,
                              .hailed_at = TALK_NEVER,
                              .bulletin_at = 1250000,
                              .look_at = 1050000,
                              .is_enrolled = true,
                              .has_idle_core = true,
                              .tasks_wanted = 2};
}

static void nothing(struct talk_view *view)
{
    (void)view;
}
static void time_to_look(struct talk_view *view)
{
    view->look_at = view->now;
}
static void busy(struct talk_view *view)
{
    time_to_look(view);
    view->has_idle_core = false;
}
static void paused(struct talk_view *view)
{
    time_to_look(view);
    view->tasks_wanted = 0;
}
static void backing_off(struct talk_view *view)
{
    time_to_look(view);
    view->hold_until = 1200000;
}
static void hailed(struct talk_view *view)
{
    view->hailed_at = view->now;
}
static void hailed_for_later(struct talk_view *view)
{
    view->hailed_at = 1020000;
}
static void hailed_after_a_visit(struct talk_view *view)
{
    hailed(view);
    view->visited_at = 970000;
}
static void hailed_but_busy(struct talk_view *view)
{
    hailed(view);
    view->has_idle_core = false;
}
static void hailed_but_paused(struct talk_view *view)
{
    hailed(view);
    view->tasks_wanted = 0;
}
static void hailed_but_backing_off(struct talk_view *view)
{
    hailed(view);
    view->hold_until = 1040000;
}

Test(idle, clients_look_for_work_and_come_when_there_is_some)
{
    static const struct {
        const char *name;
        enum talk talk;
        int64_t look_again;
        void (*change)(struct talk_view *view);
    } cases[] = {
        {"it looks soon", TALK_NOTHING, 1050000, nothing},
        {"… and then it does", TALK_BULLETIN, 0, time_to_look},
        {"with work it looks as it always did", TALK_NOTHING, 1250000, busy},
        {"… and where it may not run any", TALK_NOTHING, 1250000, paused},
        {"… and during a back-off", TALK_NOTHING, 1200000, backing_off},
        {"it comes when there is work", TALK_VISIT, 0, hailed},
        {"… at its own moment", TALK_NOTHING, 1020000, hailed_for_later},
        {"… never sooner than between any two visits", TALK_NOTHING, 1030000, hailed_after_a_visit},
        {"… not with work of its own", TALK_NOTHING, 1250000, hailed_but_busy},
        {"… not where it may not run any", TALK_NOTHING, 1250000, hailed_but_paused},
        {"… and not before a back-off ends", TALK_NOTHING, 1040000, hailed_but_backing_off},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk_view view = idle();
        struct talk_decision decision;

        cases[i].change(&view);
        decision = talk_decide(&view);
        cr_expect(eq(int, decision.talk, cases[i].talk), "%s", cases[i].name);
        if (cases[i].talk == TALK_NOTHING)
            cr_expect(eq(i64, decision.look_again, cases[i].look_again), "%s", cases[i].name);
    }
}

Test(idle, what_servers_say_of_looking_and_coming_is_heeded_within_bounds)
{
    cr_expect(eq(i64, talk_look_ms(60, 300000), 60000));
    cr_expect(eq(i64, talk_look_ms(0, 300000), 300000), "it said nothing");
    cr_expect(eq(i64, talk_look_ms(1, 300000), 30000));
    cr_expect(eq(i64, talk_look_ms(INT64_MAX, 600000), 300000));
    cr_expect(eq(i64, talk_look_ms(60, 45000), 45000), "as often as its owner says");
    cr_expect(eq(i64, talk_hailed_ms(0, UINT64_MAX), 0));
    for (uint64_t random = 0; random < 1000; random++) {
        int64_t ms = talk_hailed_ms(20, random * UINT64_C(99999989));

        cr_expect(ms >= 0 && ms <= 20000);
        cr_expect(le(i64, talk_hailed_ms(INT64_MAX, random * UINT64_C(99999989)), 600000));
    }
}
