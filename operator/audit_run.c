#include "operator/audit_run.h"

#include <stdlib.h>

#include "common/http/client.h"

#define LOOK_MS_FIRST 2 /* between two looks at what runs; doubles while nothing ends, up to: */
#define LOOK_MS_LAST  200

enum job_state { JOB_NONE, JOB_FILLING, JOB_FILLED, JOB_RUNNING };

struct job {
    enum job_state state;
    size_t pick;
    struct recomputing work; /* owned, while it is */
};

struct running {
    const struct audit_order *order;
    struct audit_room taken;
    size_t next; /* of the picks: the first not yet looked at nor begun */
    bool is_next_prepared;
    struct recomputing prepared; /* owned, while it is: that one waits for a slot */
    struct job *jobs;            /* owned; one a slot */
};

static size_t job_count(const struct running *running)
{
    return running->order->workshop->slot_count;
}

static void running_clear(struct running *running)
{
    for (size_t i = 0; i < job_count(running); i++)
        if (running->jobs[i].state != JOB_NONE)
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

/* NULL: there is none. */
static struct job *free_job(const struct running *running)
{
    for (size_t i = 0; i < job_count(running); i++)
        if (running->jobs[i].state == JOB_NONE)
            return &running->jobs[i];
    return NULL;
}

static int64_t bytes_of(const struct prepared *prepared)
{
    struct slot_file file;
    int64_t bytes = 0;

    for (size_t i = 0; task_slot_file(prepared, i, &file); i++)
        bytes += file.size;
    return bytes;
}

/* Files may wait for their unit's turn, but not fill the disk. */
static bool may_fill(const struct running *running)
{
    int64_t waiting = 0;

    for (size_t i = 0; i < job_count(running); i++) {
        const struct job *job = &running->jobs[i];

        if (job->state == JOB_FILLING || job->state == JOB_FILLED)
            waiting += bytes_of(&job->work.prepared);
    }
    return waiting == 0 || waiting + bytes_of(&running->prepared.prepared) <= AUDIT_AHEAD_BYTES;
}

static enum status fill_next(struct running *running, struct job *job, struct error *err)
{
    running->is_next_prepared = false;
    *job = (struct job){.state = JOB_FILLING, .pick = running->next, .work = running->prepared};
    running->next++;
    return recomputing_fill(&job->work, (size_t)(job - running->jobs), err);
}

static enum status fill_what_may_be(struct running *running, struct error *err)
{
    while (running->next < running->order->sample->count) {
        struct job *job = free_job(running);

        TRY(session_go_on(running->order->workshop->profile->session, err));
        if (job == NULL)
            break;
        if (!running->is_next_prepared)
            TRY(prepare_next(running, err));
        if (!running->is_next_prepared)
            continue;
        if (!may_fill(running))
            break;
        TRY(fill_next(running, job, err));
    }
    return STATUS_OK;
}

static bool has_room(const struct running *running, const struct job *job)
{
    const struct audit_order *order = running->order;
    const struct audit_room whole = {.units = order->jobs,
                                     .cores = order->cores,
                                     .memory_bytes = workshop_memory(order->workshop)};

    return audit_room_has(&whole, &running->taken, &job->work.prepared.unit.limits);
}

/* Of those that have all their files; NULL: none has. */
static struct job *first_filled(const struct running *running)
{
    struct job *first = NULL;

    for (size_t i = 0; i < job_count(running); i++) {
        struct job *job = &running->jobs[i];

        if (job->state == JOB_FILLED && (first == NULL || job->pick < first->pick))
            first = job;
    }
    return first;
}

static enum status start_what_fits(struct running *running, struct error *err)
{
    struct job *job;

    while ((job = first_filled(running)) != NULL && has_room(running, job)) {
        TRY(session_go_on(running->order->workshop->profile->session, err));
        audit_room_take(&running->taken, &job->work.prepared.unit.limits);
        job->state = JOB_RUNNING;
        TRY(recomputing_start(&job->work, err));
    }
    return STATUS_OK;
}

/* --- ending --- */

static enum status end_job(struct running *running, struct job *job, struct error *err)
{
    if (job->state == JOB_RUNNING)
        audit_room_give_back(&running->taken, &job->work.prepared.unit.limits);
    TRY(workshop_empty(running->order->workshop, (size_t)(job - running->jobs), err));
    tell(running, job->work.recomputed);
    recomputing_clear(&job->work);
    job->state = JOB_NONE;
    return STATUS_OK;
}

/* Filled, or over because of what its files are. */
static enum status look_at_files(struct running *running, struct job *job, bool *ret_has_changed,
                                 struct error *err)
{
    bool is_filled;

    TRY(recomputing_look(&job->work, &is_filled, err));
    if (is_filled)
        job->state = JOB_FILLED;
    else if (job->work.recomputed->as != 0)
        TRY(end_job(running, job, err));
    *ret_has_changed |= job->state != JOB_FILLING;
    return STATUS_OK;
}

/* Whose end it was cannot be told once the session is interrupted. */
static enum status look_at_run(struct running *running, struct job *job, bool *ret_has_changed,
                               struct error *err)
{
    struct workshop *workshop = running->order->workshop;

    if (!workshop->slots[job - running->jobs].has_ended)
        return STATUS_OK;
    TRY(session_go_on(workshop->profile->session, err));
    TRY(recomputing_judge(&job->work, err));
    *ret_has_changed = true;
    return end_job(running, job, err);
}

static enum status look_at_all(struct running *running, bool *ret_has_changed, struct error *err)
{
    supply_move(&running->order->workshop->supply);
    workshop_look(running->order->workshop);
    *ret_has_changed = false;
    for (size_t i = 0; i < job_count(running); i++) {
        struct job *job = &running->jobs[i];

        if (job->state == JOB_FILLING)
            TRY(look_at_files(running, job, ret_has_changed, err));
        else if (job->state == JOB_RUNNING)
            TRY(look_at_run(running, job, ret_has_changed, err));
    }
    return STATUS_OK;
}

/* Until a file comes, or for so long. */
static void wait_for(const struct audit_order *order, int64_t ms)
{
    struct session *session = order->workshop->profile->session;

    if (supply_is_busy(&order->workshop->supply))
        session->http->wait(session->http, NULL, 0, ms);
    else
        session->env->sleep_ms(session->env, ms);
}

static bool is_over(const struct running *running)
{
    for (size_t i = 0; i < job_count(running); i++)
        if (running->jobs[i].state != JOB_NONE)
            return false;
    return running->next == running->order->sample->count;
}

enum status audit_run(const struct audit_order *order, struct error *err)
{
    CLEANUP(running_clear)
    struct running running = {
        .order = order, .jobs = must_alloc(order->workshop->slot_count, sizeof *running.jobs)};
    int64_t wait_ms = LOOK_MS_FIRST;

    for (;;) {
        bool has_changed;

        TRY(fill_what_may_be(&running, err));
        TRY(look_at_all(&running, &has_changed, err));
        TRY(start_what_fits(&running, err));
        if (is_over(&running))
            return STATUS_OK;
        if (has_changed) {
            wait_ms = LOOK_MS_FIRST;
            continue;
        }
        TRY(session_go_on(order->workshop->profile->session, err));
        wait_for(order, wait_ms);
        wait_ms = 2 * wait_ms < LOOK_MS_LAST ? 2 * wait_ms : LOOK_MS_LAST;
    }
}
