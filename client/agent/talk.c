#include "client/agent/talk.h"

#include "protocol/bulletin.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return sooner(later(value, least), most);
}

int64_t talk_look_ms(int64_t look_s, int64_t interval_ms)
{
    if (look_s == 0)
        return interval_ms;
    look_s = within(look_s, BULLETIN_LOOK_LEAST_S, BULLETIN_LOOK_MOST_S);
    return sooner(look_s * 1000, interval_ms);
}

int64_t talk_hailed_ms(int64_t within_s, uint64_t random)
{
    int64_t most_ms = within(within_s, 0, BULLETIN_WITHIN_MOST_S) * 1000;

    return (int64_t)(random % ((uint64_t)most_ms + 1));
}

/* It could compute more than it has. */
static bool is_idle(const struct talk_view *view)
{
    return view->has_idle_core && view->tasks_wanted > 0;
}

/* Reports are worth collecting for a while, but not while a core has nothing to do and the server
 * has more for it. */
static int64_t report_at(const struct talk_view *view, int64_t spaced)
{
    int64_t soon = later(view->hold_until, view->return_at);

    if (!is_idle(view) || view->visited_at == INT64_MIN)
        return spaced;
    return sooner(spaced, later(soon, view->visited_at + TALK_SOONEST));
}

int64_t talk_visit_at(const struct talk_view *view)
{
    int64_t spaced = view->hold_until, return_at = view->return_at;

    if (view->has_unanswered_visit)
        return view->hold_until;
    if (view->is_leaving && view->reports > 0)
        return view->hold_until;
    if (view->visited_at != INT64_MIN)
        spaced = later(spaced, view->visited_at + view->visit_interval);
    if (view->has_to_tell)
        return spaced;
    if (view->reports > 0)
        return report_at(view, spaced);
    if (view->tasks_wanted > 0 || view->open_tasks > 0 || view->has_to_ask_time)
        return later(spaced, is_idle(view) ? sooner(return_at, view->hailed_at) : return_at);
    return TALK_NEVER;
}

/* A back-off is for the bulletin's usual rhythm, too. */
static int64_t bulletin_at(const struct talk_view *view)
{
    if (!is_idle(view))
        return view->bulletin_at;
    return sooner(view->bulletin_at, later(view->look_at, view->hold_until));
}

/* When there is something to hear or to say of what it has: new work is no reason. */
static int64_t report_only_at(const struct talk_view *view)
{
    struct talk_view without = *view;

    without.tasks_wanted = 0;
    without.has_to_ask_time = false;
    return talk_visit_at(&without);
}

/* Keys that are not to be had by now must not keep finished work from the site: by turns. */
static bool may_visit_meanwhile(const struct talk_view *view)
{
    return view->has_to_tell || (view->is_keyless && view->now >= report_only_at(view));
}

static enum talk first_needed(const struct talk_view *view)
{
    if (view->wants_contact && !may_visit_meanwhile(view))
        return TALK_PROJECT;
    return view->is_enrolled ? TALK_VISIT : TALK_ENROL;
}

struct talk_decision talk_decide(const struct talk_view *view)
{
    enum talk needed = first_needed(view);
    int64_t needed_at = needed == TALK_VISIT ? talk_visit_at(view) : view->hold_until;

    if (view->is_stopped)
        return (struct talk_decision){.talk = TALK_NOTHING, .look_again = TALK_NEVER};
    if (view->now >= needed_at)
        return (struct talk_decision){.talk = needed};
    if (view->now >= bulletin_at(view))
        return (struct talk_decision){.talk = TALK_BULLETIN};
    return (struct talk_decision){.talk = TALK_NOTHING,
                                  .look_again = sooner(needed_at, bulletin_at(view))};
}
