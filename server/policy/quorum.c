#include "server/policy/quorum.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Below, a set of tasks is a uint32_t: bit i stands for the unit's tasks[i]. */
_Static_assert(UNIT_TASKS_MAX <= 32, "a set of tasks must fit");

struct tally {
    uint32_t best;     /* size of the largest agreement so far */
    uint32_t alike;    /* every report of the result that has a quorum; none has: empty */
    uint32_t agreeing; /* the independent ones among them */
    bool is_split;     /* another result has a quorum, too */
};

static uint32_t only(size_t i)
{
    return UINT32_C(1) << i;
}

static uint32_t size_of(uint32_t set)
{
    uint32_t size = 0;

    for (; set != 0; set &= set - 1)
        size++;
    return size;
}

static uint32_t tasks_in(const struct unit *unit, enum task_state state)
{
    uint32_t set = 0;

    for (size_t i = 0; i < unit->task_count; i++)
        if (unit->tasks[i].state == state)
            set |= only(i);
    return set;
}

static uint32_t reports_of(const struct unit *unit, const struct digest *result)
{
    uint32_t set = tasks_in(unit, TASK_REPORTED);

    for (size_t i = 0; i < unit->task_count; i++)
        if (digest_compare(&unit->tasks[i].result, result) != 0)
            set &= ~only(i);
    return set;
}

/* Without accounts, those behind one address prefix count as one volunteer: wherever they enrolled,
 * what counts is where they were when they got the task. */
static bool is_one_prefix(const struct task *a, const struct task *b,
                          enum independence independence)
{
    return independence != INDEPENDENCE_HOST && a->prefix != NULL && b->prefix != NULL &&
           *a->prefix != '\0' && strcmp(a->prefix, b->prefix) == 0;
}

/*
 * Accounts are merged and handed over, so what a task was and what it is now both count. And one
 * host is never independent of itself, whoever owned it when.
 */
static bool is_shared(const struct task *a, const struct task *b, enum independence independence)
{
    int64_t a_then = identity_named(&a->at_dispatch, independence);
    int64_t b_then = identity_named(&b->at_dispatch, independence);
    int64_t a_now = identity_named(&a->now, independence);
    int64_t b_now = identity_named(&b->now, independence);

    return a_then == b_then || a_then == b_now || a_now == b_then || a_now == b_now ||
           a->at_dispatch.host == b->at_dispatch.host || is_one_prefix(a, b, independence);
}

static uint32_t tasks_sharing_with(const struct unit *unit, size_t i)
{
    uint32_t set = 0;

    for (size_t j = 0; j < unit->task_count; j++)
        if (is_shared(&unit->tasks[i], &unit->tasks[j], unit->rule.independence))
            set |= only(j);
    return set;
}

/*
 * The largest part of `set` in which no two tasks share. Taking whoever comes first would not do:
 * a host that moved from one account to another shuts out two. Branches only where somebody shares.
 */
static uint32_t largest_independent(const struct unit *unit, uint32_t set)
{
    size_t first = 0;
    uint32_t rest, apart, with, without;

    if (set == 0)
        return 0;
    while ((set & only(first)) == 0)
        first++;

    rest = set & ~only(first);
    apart = rest & ~tasks_sharing_with(unit, first);
    with = only(first) | largest_independent(unit, apart);
    without = apart == rest ? 0 : largest_independent(unit, rest);
    return size_of(without) > size_of(with) ? without : with;
}

static struct tally count(const struct unit *unit)
{
    struct tally tally = {0};

    for (size_t i = 0; i < unit->task_count; i++) {
        uint32_t alike = reports_of(unit, &unit->tasks[i].result);
        uint32_t agreeing = largest_independent(unit, alike);

        if (size_of(agreeing) > tally.best)
            tally.best = size_of(agreeing);
        if (size_of(agreeing) < unit->rule.quorum)
            continue;
        tally.is_split = tally.is_split || (tally.alike != 0 && tally.alike != alike);
        tally.alike = alike;
        tally.agreeing = agreeing;
    }
    return tally;
}

/*
 * Tasks still out are hoped to agree. Where the hope was vain, their reports bring us back here.
 * The copies asked for at first are all made, even where a smaller quorum might do.
 */
static uint32_t copies_wanted(const struct unit *unit, const struct tally *tally)
{
    uint32_t hope = tally->best + size_of(tasks_in(unit, TASK_SENT));
    uint32_t for_quorum = hope < unit->rule.quorum ? unit->rule.quorum - hope : 0;
    uint32_t made = unit_tasks_charged(unit);
    uint32_t at_first = made < unit->rule.copies ? unit->rule.copies - made : 0;

    return for_quorum > at_first ? for_quorum : at_first;
}

/* Those that were asked for besides, as far as there is room. They never fail a unit. */
static uint32_t extra_copies(const struct unit *unit, uint32_t needed)
{
    uint32_t room = unit_room(unit);

    room = room > needed ? room - needed : 0;
    return unit->extra < room ? unit->extra : room;
}

static enum unit_failure failure_of(const struct unit *unit, const struct tally *tally)
{
    if (tally->is_split)
        return FAILURE_SPLIT;
    if (tally->agreeing != 0)
        return FAILURE_NONE;
    if (size_of(tasks_in(unit, TASK_ERROR)) > unit->rule.max_failures)
        return FAILURE_ERRORS;
    if (copies_wanted(unit, tally) > unit_room(unit))
        return FAILURE_DISSENT;
    return FAILURE_NONE;
}

/* A right result from a task that shares with a member of the agreement confirms nothing. */
static enum task_state report_ends(const struct tally *tally, size_t i)
{
    if (tally->is_split || tally->alike == 0)
        return TASK_INCONCLUSIVE;
    if ((tally->agreeing & only(i)) != 0)
        return TASK_AGREED;
    return (tally->alike & only(i)) != 0 ? TASK_INCONCLUSIVE : TASK_OUTVOTED;
}

struct quorum_decision quorum_decide(const struct unit *unit)
{
    struct quorum_decision decision = {.state = UNIT_OPEN};
    struct tally tally;

    assert(unit->state == UNIT_OPEN && unit->task_count <= UNIT_TASKS_MAX);
    assert(unit->rule.quorum >= 1 && unit->rule.quorum <= unit->rule.copies);
    assert(unit->rule.copies <= unit->rule.max_tasks && unit->rule.max_tasks <= UNIT_TASKS_MAX);

    tally = count(unit);
    decision.failure = failure_of(unit, &tally);
    if (decision.failure != FAILURE_NONE)
        decision.state = UNIT_FAILED;
    else if (tally.agreeing != 0)
        decision.state = UNIT_AGREED;
    else
        decision.copies_wanted = copies_wanted(unit, &tally);
    if (decision.state == UNIT_OPEN)
        decision.copies_wanted += extra_copies(unit, decision.copies_wanted);

    for (size_t i = 0; i < unit->task_count; i++) {
        bool ends = unit->tasks[i].state == TASK_REPORTED && decision.state != UNIT_OPEN;

        decision.tasks[i] = ends ? report_ends(&tally, i) : unit->tasks[i].state;
    }
    return decision;
}

enum task_state quorum_judge_late(const struct unit *unit, size_t i)
{
    assert(unit->state == UNIT_AGREED || unit->state == UNIT_ACCEPTED);
    for (size_t j = 0; j < unit->task_count; j++)
        if (unit->tasks[j].state == TASK_AGREED)
            return digest_compare(&unit->tasks[i].result, &unit->tasks[j].result) == 0
                       ? TASK_INCONCLUSIVE
                       : TASK_OUTVOTED;
    return TASK_INCONCLUSIVE;
}

bool quorum_is_unstarted(const struct unit *unit, size_t i)
{
    return unit->tasks[i].state == TASK_ABANDONED && unit->tasks[i].cause == CAUSE_UNSTARTED;
}

/* For it, and for a quorum should it come back, too. */
static bool has_place_for_one_more(const struct unit *unit)
{
    return UNIT_TASKS_MAX - unit->task_count > unit->rule.quorum;
}

bool quorum_is_independent(const struct unit *unit, const struct identity *who, const char *prefix)
{
    struct task candidate = {.at_dispatch = *who, .now = *who, .prefix = (char *)(uintptr_t)prefix};
    size_t unstarted = 0;

    for (size_t i = 0; i < unit->task_count; i++) {
        if (!is_shared(&unit->tasks[i], &candidate, unit->rule.independence))
            continue;
        if (!quorum_is_unstarted(unit, i))
            return false;
        unstarted++;
    }
    return unstarted == 0 || (unstarted <= QUORUM_UNSTARTED_MOST && has_place_for_one_more(unit));
}
