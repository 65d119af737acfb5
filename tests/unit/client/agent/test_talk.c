/* client/agent/talk: what is said to a server next, and when. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "client/agent/talk.h"

static struct talk_view idle(void)
{
    return (struct talk_view){.now = 1000000,
                              .hold_until = 0,
                              .return_at = 2000000,
                              .visited_at = INT64_MIN,
                              .visit_interval = 60000,
                              .hailed_at = TALK_NEVER,
                              .bulletin_at = 3000000,
                              .look_at = TALK_NEVER,
                              .is_enrolled = true};
}

struct talk_case {
    const char *name;
    enum talk talk;
    int64_t look_again;
    void (*change)(struct talk_view *view);
};

static void nothing(struct talk_view *view)
{
    (void)view;
}
static void wants_work(struct talk_view *view)
{
    view->tasks_wanted = 1;
}
static void wants_work_now(struct talk_view *view)
{
    view->tasks_wanted = 1;
    view->return_at = 1000000;
}
static void has_report(struct talk_view *view)
{
    view->reports = 1;
}
static void has_report_after_visit(struct talk_view *view)
{
    view->reports = 1;
    view->visited_at = 990000;
}
static void is_out_of_work(struct talk_view *view)
{
    has_report_after_visit(view);
    view->tasks_wanted = 1;
    view->has_idle_core = true;
    view->return_at = 1007000;
}
static void is_out_of_work_at_once(struct talk_view *view)
{
    is_out_of_work(view);
    view->visited_at = 999000;
    view->return_at = 999000;
}
static void is_out_of_work_and_late(struct talk_view *view)
{
    is_out_of_work(view);
    view->return_at = 2000000;
}
static void is_out_of_work_but_paused(struct talk_view *view)
{
    is_out_of_work(view);
    view->tasks_wanted = 0;
}
static void has_report_but_holds(struct talk_view *view)
{
    view->reports = 1;
    view->hold_until = 1500000;
}
static void unanswered(struct talk_view *view)
{
    view->has_unanswered_visit = true;
    view->visited_at = 999999;
}
static void not_enrolled(struct talk_view *view)
{
    view->is_enrolled = false;
    view->reports = 1;
}
static void wants_keys(struct talk_view *view)
{
    view->wants_contact = true;
    view->reports = 1;
}
static void keys_are_not_to_be_had(struct talk_view *view)
{
    wants_keys(view);
    view->is_keyless = true;
}
static void keys_are_not_to_be_had_and_a_report_waits(struct talk_view *view)
{
    keys_are_not_to_be_had(view);
    view->visited_at = 990000;
}
static void keys_are_not_to_be_had_and_work_is_wanted(struct talk_view *view)
{
    wants_work_now(view);
    view->wants_contact = view->is_keyless = true;
}
static void keys_are_not_to_be_had_while_holding(struct talk_view *view)
{
    keys_are_not_to_be_had(view);
    view->hold_until = 1500000;
}
static void bulletin_while_holding(struct talk_view *view)
{
    view->reports = 1;
    view->hold_until = 9000000;
    view->bulletin_at = 1000000;
}
static void stopped(struct talk_view *view)
{
    view->reports = 1;
    view->bulletin_at = 0;
    view->is_stopped = true;
}
static void awaits_word(struct talk_view *view)
{
    view->open_tasks = 3;
}

Test(talk, says_what_is_needed_first)
{
    static const struct talk_case cases[] = {
        {"nothing to say", TALK_NOTHING, 3000000, nothing},
        {"work is asked for when the server said", TALK_NOTHING, 2000000, wants_work},
        {"… and then it is", TALK_VISIT, 0, wants_work_now},
        {"a report does not wait for that", TALK_VISIT, 0, has_report},
        {"… but for the least interval", TALK_NOTHING, 1050000, has_report_after_visit},
        {"… unless the server has more for an idle core", TALK_NOTHING, 1007000, is_out_of_work},
        {"… which is never at once", TALK_NOTHING, 1001000, is_out_of_work_at_once},
        {"… nor later than else", TALK_NOTHING, 1050000, is_out_of_work_and_late},
        {"… nor if nothing may run", TALK_NOTHING, 1050000, is_out_of_work_but_paused},
        {"… and for a back-off", TALK_NOTHING, 1500000, has_report_but_holds},
        {"an unanswered visit is repeated", TALK_VISIT, 0, unanswered},
        {"enrolment comes before visits", TALK_ENROL, 0, not_enrolled},
        {"keys come before all", TALK_PROJECT, 0, wants_keys},
        {"… but for a report, once they were asked for in vain", TALK_VISIT, 0,
         keys_are_not_to_be_had},
        {"… that is due", TALK_PROJECT, 0, keys_are_not_to_be_had_and_a_report_waits},
        {"… and not for new work", TALK_PROJECT, 0, keys_are_not_to_be_had_and_work_is_wanted},
        {"… nor in a back-off", TALK_NOTHING, 1500000, keys_are_not_to_be_had_while_holding},
        {"the bulletin is read despite a back-off", TALK_BULLETIN, 0, bulletin_while_holding},
        {"a stopped project is left alone", TALK_NOTHING, TALK_NEVER, stopped},
        {"the server's word on reported tasks is asked for", TALK_NOTHING, 2000000, awaits_word},
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
