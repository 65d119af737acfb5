/*
 * What a server answered to a visit. Everything in it may be taken twice with the same effect, for
 * a crash in between repeats the visit; what makes it taken is the write of host.json at the end.
 */
#include "client/daemon/answer.h"

#include <string.h>

#include "client/agent/delay.h"
#include "client/daemon/kept.h"
#include "client/daemon/own_clock.h"
#include "client/daemon/places.h"
#include "client/daemon/refused.h"
#include "client/daemon/tasks.h"
#include "common/base/log.h"
#include "common/base/text.h"

static enum status take_ack(struct daemon *daemon, struct attached *project,
                            const struct scheduler_ack *ack, struct error *err)
{
    struct client_task *task = task_find(project, ack->task);

    if (task == NULL || task->record.phase != PHASE_FINISHED)
        return STATUS_OK;
    LOG(LOG_INFO, "task.acknowledged", LOG_N("task", ack->task),
        LOG_S("as", visit_ack_name(ack->state)), LOG_S("why", ack->why));
    if (ack->state != ACK_REPORTED)
        return task_settle(daemon, project, task, err);
    task_enter(task, PHASE_REPORTED);
    return task_save(daemon, project, task, err);
}

/*
 * Only what some grant names is kept, and in the place of a known one only where that one's
 * signatures hold no more: a server must not be able to make what was signed unsigned. What is no
 * envelope is refused alone.
 */
static enum status take_envelope(struct attached *project, const struct scheduler_reply *reply,
                                 const char *text, int64_t now_s, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    const struct envelope *known;
    struct error why = {0};

    if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, &why) != STATUS_OK) {
        refused_note(project, REFUSED_ENVELOPE, refusal_from_error(&why), text);
        return STATUS_OK;
    }
    known = attached_envelope(project, &envelope.digest);
    if (!reply_grants(reply, &envelope.digest) ||
        (known != NULL && attached_envelope_holds(project, known, now_s)))
        return STATUS_OK;
    TRY(save_envelope(&project->files, &envelope, err));
    attached_keep_envelope(project, &envelope, reply);
    return STATUS_OK;
}

/* Of a unit that is no envelope too. */
static enum status digest_of_grant(const struct scheduler_grant *grant, struct digest *ret_unit,
                                   struct error *err)
{
    CLEANUP(envelope_clear) struct envelope unit = {0};

    if (grant->refusal != REFUSAL_NONE) {
        *ret_unit = grant->refused;
        return STATUS_OK;
    }
    TRY(envelope_decode(grant->unit, strlen(grant->unit), ENVELOPE_PAYLOAD_MAX, &unit, err));
    *ret_unit = unit.digest;
    return STATUS_OK;
}

/* A number means one unit for ever; a restored server may give it to another one. */
static enum status is_same_unit(struct attached *project, const struct client_task *task,
                                const struct scheduler_grant *grant, bool *ret_is_same,
                                struct error *err)
{
    struct digest unit;

    TRY(digest_of_grant(grant, &unit, err));
    *ret_is_same = digest_equals(&unit, &task->record.unit);
    if (*ret_is_same && project->contradicted_task == grant->task)
        project->contradicted_task = 0;
    if (*ret_is_same)
        return STATUS_OK;
    project->contradicted_task = grant->task;
    LOG(LOG_WARN, "grant.contradicts", LOG_N("task", grant->task),
        LOG_S("unit", digest_format(&task->record.unit).text),
        LOG_S("granted", digest_format(&unit).text));
    return STATUS_OK;
}

/*
 * A server that grants a task which we finished does not know any more what it acknowledged: it was
 * restored from a backup. What was kept for the grace is reported again (I9), unless this very
 * answer acknowledges it.
 */
static enum status report_again(struct daemon *daemon, struct attached *project,
                                struct client_task *task, const struct scheduler_reply *reply,
                                struct error *err)
{
    enum phase phase = task->record.phase;

    if (phase != PHASE_REPORTED && phase != PHASE_STORED)
        return STATUS_OK;
    for (size_t i = 0; i < reply->ack_count; i++)
        if (reply->acks[i].task == task->record.task)
            return STATUS_OK;
    LOG(LOG_INFO, "task.asked-again", LOG_N("task", task->record.task));
    task_enter(task, PHASE_FINISHED);
    task->record.settled_s = 0;
    return task_save(daemon, project, task, err);
}

/* Nothing of it is kept but that it was refused, for the server to be told. */
static void refuse_grant(struct daemon *daemon, struct attached *project, struct client_task *task,
                         const struct scheduler_grant *grant)
{
    struct error why = {0};

    (void)error_set(&why, STATUS_INVALID, "%s", grant->why);
    task_refuse(daemon, project, task, grant->refusal, &grant->refused, &why);
}

static enum status take_grant(struct daemon *daemon, struct attached *project,
                              const struct scheduler_grant *grant, struct error *err)
{
    struct task_record record = {.task = grant->task,
                                 .app_version = grant->app_version,
                                 .variant = grant->variant,
                                 .deadline_s = grant->deadline_s,
                                 .receipt = grant->receipt,
                                 .phase = PHASE_OFFERED};

    TRY(digest_of_grant(grant, &record.unit, err));
    if (grant->refusal != REFUSAL_NONE) {
        refuse_grant(daemon, project, task_add(project, &record), grant);
        return STATUS_OK;
    }
    TRY(save_unit(&project->files, grant->task, grant->unit, err));
    TRY(save_task_record(&project->files, &record, err));
    (void)task_add(project, &record);
    LOG(LOG_INFO, "task.granted", LOG_N("task", grant->task),
        LOG_S("unit", digest_format(&record.unit).text));
    return STATUS_OK;
}

static enum status take_again(struct daemon *daemon, struct attached *project,
                              struct client_task *task, const struct scheduler_grant *grant,
                              const struct scheduler_reply *reply, struct error *err)
{
    bool is_same;

    TRY(is_same_unit(project, task, grant, &is_same, err));
    return is_same ? report_again(daemon, project, task, reply, err) : STATUS_OK;
}

/* What the server sends again because it was lost here is taken by a host that leaves, too: nobody
 * could hand it back otherwise. */
static int64_t most_of(const struct attached *project, int64_t asked)
{
    return project->record.leaving != LEAVING_NOT ? SCHEDULER_WANT_MAX : asked;
}

/* No more than was asked for, or is kept, whatever the server says. */
static enum status take_grants(struct daemon *daemon, struct attached *project,
                               const struct scheduler_reply *reply, int64_t asked,
                               struct error *err)
{
    int64_t most = most_of(project, asked), taken = 0;

    for (size_t i = 0; i < reply->envelopes.count; i++)
        TRY(take_envelope(project, reply, reply->envelopes.texts[i], daemon_now_s(daemon), err));
    for (size_t i = 0; i < reply->grant_count; i++) {
        struct client_task *known = task_find(project, reply->grants[i].task);

        if (known != NULL)
            TRY(take_again(daemon, project, known, &reply->grants[i], reply, err));
        else if (taken++ < most)
            TRY(take_grant(daemon, project, &reply->grants[i], err));
    }
    if (taken > most)
        LOG(LOG_WARN, "grants.too-many", LOG_N("granted", taken), LOG_N("asked", asked));
    return STATUS_OK;
}

/* Only outputs that the task has, and that are on their way already or wanted by this. */
static enum status take_upload(struct daemon *daemon, struct attached *project,
                               const struct scheduler_upload *upload, struct error *err)
{
    struct client_task *task = task_find(project, upload->task);
    bool is_changed = false;

    if (task == NULL || phase_is_unfinished(task->record.phase) ||
        task->record.phase == PHASE_FINISHED || task->record.outcome != VISIT_DONE)
        return STATUS_OK;
    for (size_t i = 0; i < upload->names.count; i++) {
        const char *name = upload->names.texts[i];

        if (named_outputs_find(&task->record.outputs, name) == NULL ||
            texts_have(&task->record.wanted, name))
            continue;
        texts_add(&task->record.wanted, name);
        is_changed = true;
    }
    if (!is_changed)
        return STATUS_OK;
    if (task->record.phase != PHASE_REPORTED)
        task_enter(task, PHASE_REPORTED);
    return task_save(daemon, project, task, err);
}

/* The server did not know yet that it has begun. Its end earns its credit all the same. */
static bool is_for_unbegun(enum drop_reason why)
{
    return why == DROP_ACCEPTED || why == DROP_MOVED;
}

static bool has_begun(const struct client_task *task)
{
    return task->record.phase == PHASE_RUNNING || task->record.phase == PHASE_COLLECTING;
}

static enum status take_drop(struct daemon *daemon, struct attached *project,
                             const struct scheduler_drop *drop, struct error *err)
{
    struct client_task *task = task_find(project, drop->task);

    if (task == NULL || (is_for_unbegun(drop->why) && has_begun(task)))
        return STATUS_OK;
    LOG(LOG_INFO, "task.not-wanted", LOG_N("task", drop->task),
        LOG_S("why", drop_reason_name(drop->why)));
    return task_settle(daemon, project, task, err);
}

static void count_verdict(struct tally *tally, const struct scheduler_verdict *verdict)
{
    tally->credit += verdict->credit;
    if (tally->credit > ID_MAX || tally->credit < 0)
        tally->credit = ID_MAX;
    switch (verdict->verdict) {
    case VERDICT_ACCEPTED:
        tally->accepted++;
        break;
    case VERDICT_OUTVOTED:
        tally->outvoted++;
        break;
    case VERDICT_INCONCLUSIVE:
        tally->inconclusive++;
        break;
    case VERDICT_ERROR:
        tally->errors++;
        break;
    case VERDICT_UNIT_FAILED:
        tally->unit_failed++;
        break;
    }
}

/*
 * A server that was restarted does not know what it told last, and tells it again in a later visit:
 * a verdict belongs to the first visit that told it. That number is on the disk before the tally
 * is, and an answer that was not taken whole is taken again with the same one.
 */
static bool is_known(const struct task_record *record, const struct scheduler_verdict *verdict)
{
    return record->verdict == verdict->verdict && record->credit == verdict->credit;
}

static bool is_to_be_counted(struct attached *project, const struct scheduler_verdict *verdict,
                             int64_t visit)
{
    const struct client_task *task = task_find(project, verdict->task);

    return task == NULL || phase_is_unfinished(task->record.phase) ||
           task->record.verdict_visit == visit;
}

static enum status take_verdict(struct daemon *daemon, struct attached *project,
                                const struct scheduler_verdict *verdict, int64_t visit,
                                struct error *err)
{
    struct client_task *task = task_find(project, verdict->task);

    if (task != NULL && is_known(&task->record, verdict))
        return STATUS_OK;
    LOG(LOG_INFO, "task.judged", LOG_N("task", verdict->task),
        LOG_S("verdict", verdict_name(verdict->verdict)), LOG_N("credit", verdict->credit));
    if (task == NULL || phase_is_unfinished(task->record.phase))
        return STATUS_OK;
    task->record.verdict = verdict->verdict;
    task->record.verdict_visit = visit;
    task->record.credit = verdict->credit;
    return task_save(daemon, project, task, err);
}

static enum status take_lists(struct daemon *daemon, struct attached *project,
                              const struct scheduler_reply *reply, int64_t asked, struct error *err)
{
    for (size_t i = 0; i < reply->ack_count; i++)
        TRY(take_ack(daemon, project, &reply->acks[i], err));
    for (size_t i = 0; i < reply->drop_count; i++)
        TRY(take_drop(daemon, project, &reply->drops[i], err));
    for (size_t i = 0; i < reply->upload_count; i++)
        TRY(take_upload(daemon, project, &reply->uploads[i], err));
    for (size_t i = 0; i < reply->verdict_count; i++)
        TRY(take_verdict(daemon, project, &reply->verdicts[i], reply->visit, err));
    return take_grants(daemon, project, reply, asked, err);
}

static enum status mark_taken(struct daemon *daemon, struct attached *project,
                              const struct scheduler_reply *reply, struct error *err)
{
    struct host_record host = project->host;
    int64_t wait_ms = delay_told_ms(reply->return_s, daemon_draw(daemon));
    struct error own = {0};

    host.next_visit = reply->visit + 1;
    host.return_at_s = daemon_now_s(daemon) + wait_ms / 1000;
    for (size_t i = 0; i < reply->verdict_count; i++)
        if (is_to_be_counted(project, &reply->verdicts[i], reply->visit))
            count_verdict(&host.tally, &reply->verdicts[i]);
    TRY(save_host_record(&project->files, &host, err));
    project->host = host;
    project->return_at = daemon_now(daemon) + wait_ms;
    project->server_s = reply->time_s;
    project->server_heard_at = daemon_now(daemon);
    visit_record_clear(&project->visit);
    if (remove_visit_record(&project->files, &own) != STATUS_OK)
        log_failure(LOG_WARN, "visit.not-removed", &own); /* it is known as answered */
    return STATUS_OK;
}

enum status answer_take(struct daemon *daemon, struct attached *project, const char *body,
                        size_t length, struct error *err)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request asked = {0};
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};

    TRY(scheduler_request_decode(project->visit.body, strlen(project->visit.body), &asked, err));
    TRY(scheduler_reply_decode(body, length, &asked.visit, &reply, err));
    TRY(take_lists(daemon, project, &reply, asked.want_tasks + (int64_t)asked.kept_count, err));
    TRY(mark_taken(daemon, project, &reply, err));
    kept_answered(project, &asked, reply.asks_for_kept);
    refused_answered(project, &asked);
    own_clock_answered(daemon, project, &reply);
    set_words(project->server_words, reply.why);
    if (reply.keyring_version > project->trust.keyring.version ||
        reply.freshness_sequence > project->trust.freshness.sequence)
        project->wants_contact = true;
    places_compare(daemon, project, reply.keyring_version);
    return STATUS_OK;
}
