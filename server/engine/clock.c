#include "server/engine/clock.h"

#include <stdio.h>

#include "common/base/env.h"
#include "db/publish.h"

static void read_both(struct clock *clock)
{
    clock->facts.now_s = clock->env->now_s(clock->env);
    clock->facts.now_mono_ms = clock->env->now_mono_ms(clock->env);
}

static void start_here(struct clock *clock)
{
    clock->facts.started_s = clock->facts.now_s;
    clock->facts.started_mono_ms = clock->facts.now_mono_ms;
}

static bool is_in_doubt(const struct clock *clock)
{
    return clock->was_refused || clock->judgement != CLOCK_SOUND;
}

/* A start in doubt is taken to be at the last commit: it was not before that, and how long nothing
 * ran nobody knows. */
static void trust_start_time(struct clock *clock)
{
    bool is_believed = !is_in_doubt(clock) || clock->facts.last_commit_s == 0;

    clock->trusted_s = is_believed ? clock->facts.started_s : clock->facts.last_commit_s;
}

void clock_start(struct clock *ret_clock, struct env *env, const struct site *site)
{
    *ret_clock = (struct clock){.env = env,
                                .base_up_s = site->up_s,
                                .was_refused = site->is_clock_refused,
                                .facts = {.last_commit_s = site->committed_s}};
    read_both(ret_clock);
    start_here(ret_clock);
    ret_clock->judgement = clock_judge(&ret_clock->facts);
    trust_start_time(ret_clock);
}

static const char *words(const struct clock *clock)
{
    if (clock->judgement == CLOCK_SOUND)
        return "the clock was not believed before the last start; nothing expires until it is "
               "confirmed";
    return clock_judgement_words(clock->judgement);
}

/* How far it is off, by what it should say; > 0: ahead. */
static int64_t off_s(const struct clock *clock)
{
    const struct clock_facts *facts = &clock->facts;
    int64_t ran_s = (facts->now_mono_ms - facts->started_mono_ms) / 1000;

    if (clock->judgement == CLOCK_BEFORE_COMMIT || clock->judgement == CLOCK_LONG_AFTER_COMMIT)
        return facts->now_s - facts->last_commit_s;
    return facts->now_s - facts->started_s - ran_s;
}

struct engine_clock clock_read(struct clock *clock)
{
    struct engine_clock view;

    read_both(clock);
    clock->judgement = clock_judge(&clock->facts);
    view = (struct engine_clock){.up_s = deadline_up_now(clock->base_up_s, &clock->facts),
                                 .now_s = clock->facts.now_s,
                                 .is_in_doubt = is_in_doubt(clock)};
    if (!view.is_in_doubt)
        return view;
    view.now_s = deadline_up_now(clock->trusted_s, &clock->facts);
    view.off_s = off_s(clock);
    (void)snprintf(view.why, sizeof view.why, "%s", words(clock));
    return view;
}

void clock_catch_up(struct clock *clock, int64_t up_s)
{
    int64_t own_s = clock_read(clock).up_s;

    if (up_s > own_s)
        clock->base_up_s += up_s - own_s;
}

void clock_confirm(struct clock *clock)
{
    int64_t up_s;

    read_both(clock);
    up_s = deadline_up_now(clock->base_up_s, &clock->facts);
    clock->base_up_s = up_s;
    start_here(clock);
    clock->facts.is_confirmed = true;
    clock->was_refused = false;
    clock->judgement = clock_judge(&clock->facts);
    trust_start_time(clock);
}

void clock_write(struct clock *clock, struct site *site)
{
    struct engine_clock view = clock_read(clock);

    site->up_s = view.up_s;
    site->is_clock_refused = view.is_in_doubt;
    if (view.is_in_doubt)
        return;
    site->committed_s = view.now_s;
    clock->facts.last_commit_s = view.now_s;
}
