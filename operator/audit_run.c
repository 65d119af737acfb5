#include "operator/audit_run.h"

#include <stdlib.h>

#define LOOK_MS_FIRST 2 /* between two looks at what runs; doubles while nothing ends, up to: */
#define LOOK_MS_LAST  200

struct job {
    bool is_taken;
    struct recomputing work; /* owned, while it is */
};

struct running {
    const struct audit_order *order;
    struct audit_room taken;
    size_t next; /* of the picks: the first not yet looked at nor begun */
    bool is_next_prepared;
    struct recomputing prepared; /* owned, while it is: that one waits for room */
    struct job *jobs;            /* owned; one a slot */
};

static void running_clear(struct running *running)
{
    for (int64_t i = 0; i < running->order->jobs; i++)
        if (running->jobs[i].is_taken)
            recomputing_clear(&running->jobs[i].work);
    if (running->is_next_prepared)
        recomputing_clear(&running->prepared);
    free(running->jobs);
}

static void tell(const struct running *running, const struct recomputed *result)
{
    running->order->tell(running->order->context, result);
}

/* --- beginning --- */

/* What is over before anything runs; else it is prepared. */
static enum status prepare_next(struct running *running, struct error *err)
{
    const struct audit_order *order = running->order;
    const struct audit_pick *pick = &order->sample->picks[running->next];
    struct recomputed *result = &order->done[running->next];
    struct recomputing work = {0};
    enum status status;

    if (pick->refusal.status != STATUS_OK) {
        result->as = RECOMPUTED_UNTRUSTED;
        (void)snprintf(result->why, sizeof result->why, "%s", pick->refusal.text);
    } else {
        status = recomputing_prepare(&work, order->workshop, &pick->line, result, err);
        if (status == STATUS_OK && result->as == 0) {
            running->prepared = work;
            running->is_next_prepared = true;
            return STATUS_OK;
        }
        recomputing_clear(&work);
        TRY(status);
    }
    running->next++;
    tell(running, result);
    return STATUS_OK;
}

static size_t free_slot(const struct running *running)
{
    size_t slot = 0;

    while (running->jobs[slot].is_taken)
        slot++;
    return slot;
}

/* Begun, or over because of what its files are. */
static enum status start_next(struct running *running, struct error *err)
{
    size_t slot = free_slot(running);
    struct job *job = &running->jobs[slot];

    running->is_next_prepared = false;
    *job = (struct job){.is_taken = true, .work = running->prepared};
    running->next++;
    audit_room_take(&running->taken, &job->work.prepared.unit.limits);
    return recomputing_start(&job->work, slot, err);
}

static bool has_room(const struct running *running)
{
    const struct audit_order *order = running->order;
    const struct audit_room whole = {.units = order->jobs,
                                     .cores = order->cores,
                                     .memory_bytes = workshop_memory(order->workshop)};

    return audit_room_has(&whole, &running->taken, &running->prepared.prepared.unit.limits);
}

static enum status begin_what_fits(struct running *running, struct error *err)
{
    while (running->next < running->order->sample->count) {
        TRY(session_go_on(running->order->workshop->profile->session, err));
        if (!running->is_next_prepared)
            TRY(prepare_next(running, err));
        if (!running->is_next_prepared)
            continue;
        if (!has_room(running))
            break;
        TRY(start_next(running, err));
    }
    return STATUS_OK;
}

/* --- ending --- */

static enum status end_job(struct running *running, size_t slot, struct error *err)
{
    struct job *job = &running->jobs[slot];

    audit_room_give_back(&running->taken, &job->work.prepared.unit.limits);
    TRY(workshop_empty(running->order->workshop, slot, err));
    tell(running, job->work.recomputed);
    recomputing_clear(&job->work);
    job->is_taken = false;
    return STATUS_OK;
}

/* Whose end it was cannot be told once the session is interrupted. */
static enum status end_what_is_over(struct running *running, bool *ret_has_ended, struct error *err)
{
    struct workshop *workshop = running->order->workshop;

    for (size_t i = 0; i < workshop->slot_count; i++) {
        struct job *job = &running->jobs[i];

        if (!job->is_taken || (job->work.recomputed->as == 0 && !workshop->slots[i].has_ended))
            continue;
        if (job->work.recomputed->as == 0) {
            TRY(session_go_on(workshop->profile->session, err));
            TRY(recomputing_judge(&job->work, err));
        }
        TRY(end_job(running, i, err));
        *ret_has_ended = true;
    }
    return STATUS_OK;
}

enum status audit_run(const struct audit_order *order, struct error *err)
{
    CLEANUP(running_clear)
    struct running running = {.order = order,
                              .jobs = must_alloc((size_t)order->jobs, sizeof *running.jobs)};
    struct env *env = order->workshop->profile->session->env;
    int64_t wait_ms = LOOK_MS_FIRST;

    for (;;) {
        bool has_ended = false;

        TRY(begin_what_fits(&running, err));
        workshop_look(order->workshop);
        TRY(end_what_is_over(&running, &has_ended, err));
        if (running.taken.units == 0 && running.next == order->sample->count)
            return STATUS_OK;
        if (has_ended) {
            wait_ms = LOOK_MS_FIRST;
            continue;
        }
        TRY(session_go_on(order->workshop->profile->session, err));
        env->sleep_ms(env, wait_ms);
        wait_ms = 2 * wait_ms < LOOK_MS_LAST ? 2 * wait_ms : LOOK_MS_LAST;
    }
}
