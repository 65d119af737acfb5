/* The life of a task outside its slot. */
#include "client/daemon/tasks.h"

#include <assert.h>
#include <string.h>

#include "client/agent/choose.h"
#include "client/agent/delay.h"
#include "client/daemon/lane.h"
#include "client/daemon/own_clock.h"
#include "client/daemon/proof.h"
#include "client/daemon/refused.h"
#include "client/daemon/room.h"
#include "client/daemon/transfer.h"
#include "client/daemon/trouble.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "protocol/cause.h"
#include "sandbox/collect.h"

#define NEWER_KEYRING_WAIT_MS 60000
#define NEWER_KEYRING_TRIES   5

struct client_task *task_find(const struct attached *project, int64_t number)
{
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->record.task == number)
            return project->tasks[i];
    return NULL;
}

struct client_task *task_add(struct attached *project, const struct task_record *record)
{
    struct client_task *task = must_alloc(1, sizeof *task);

    if (project->task_count == project->task_capacity) {
        size_t capacity = project->task_capacity > 0 ? 2 * project->task_capacity : 16;
        struct client_task **grown = realloc(project->tasks, capacity * sizeof *grown);

        if (grown == NULL)
            abort();
        project->tasks = grown;
        project->task_capacity = capacity;
    }
    task->record = *record;
    task->upload_offset = HTTP_ABSENT;
    project->tasks[project->task_count++] = task;
    return task;
}

enum status task_save(struct daemon *daemon, struct attached *project, struct client_task *task,
                      struct error *err)
{
    struct error own = {0};
    enum status status = save_task_record(&project->files, &task->record, &own);

    task->is_dirty = status != STATUS_OK;
    if (status == STATUS_OK)
        return STATUS_OK;
    log_failure(LOG_WARN, "task.not-saved", &own);
    set_words(project->unsaved, own.text);
    daemon->save_again_at = daemon_now(daemon) + DIRTY_RETRY_MS;
    if (err != NULL)
        *err = own;
    return status;
}

void task_enter(struct client_task *task, enum phase phase)
{
    assert(phase_may_follow(task->record.phase, phase));
    task->record.phase = phase;
}

void task_busy(const struct daemon *daemon, struct client_task *task)
{
    if (task->busy_since == 0)
        task->busy_since = daemon_now(daemon);
}

void task_waits(const struct daemon *daemon, struct client_task *task)
{
    if (task->busy_since != 0)
        task->busy_ms += daemon_now(daemon) - task->busy_since;
    task->busy_since = 0;
}

void task_stop_copying(struct client_task *task)
{
    collection_free(TAKE(task->collecting));
    named_outputs_clear(&task->collected);
    if (task->filling != NULL)
        slot_work_clear(task->filling);
    free(TAKE(task->filling));
}

/* It left the unfinished ones: give back its files, its slot and whatever runs. */
static void let_go(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct error err = {0};

    download_stop(daemon, project, task->record.task);
    daemon->parts.launcher->release(task->running);
    task->running = NULL;
    task_stop_copying(task);
    task_trouble(daemon, task, NULL);
    if (task->is_prepared) {
        slot_unpin(&daemon->cache, &task->prepared);
        slot_drop_parts(&daemon->cache, &task->prepared);
    }
    task->is_prepared = false;
    prepared_clear(&task->prepared);
    if (remove_slot(&project->files, task->record.task, &err) != STATUS_OK)
        log_failure(LOG_WARN, "slot.not-removed", &err);
}

void task_why(const struct task_record *record, char ret_why[WHY_MAX + 1])
{
    const struct cause cause = cause_of_error(&record->report);

    if (record->outcome == VISIT_ERROR)
        cause_words(&cause, record->report.why, ret_why);
    else
        set_words(ret_why, record->report.why);
}

void task_finish(struct daemon *daemon, struct attached *project, struct client_task *task,
                 enum visit_outcome outcome)
{
    struct task_record *record = &task->record;
    char why[WHY_MAX + 1];

    task_enter(task, PHASE_FINISHED);
    task_waits(daemon, task);
    record->outcome = outcome;
    record->report.task = record->task;
    record->report.busy_ms = task->busy_ms < SCHEDULER_SPAN_MAX_MS ? task->busy_ms : 0;
    record->finished_s = daemon_now_s(daemon);
    if (outcome != VISIT_DONE)
        named_outputs_clear(&record->outputs);
    task_why(record, why);
    LOG(LOG_INFO, "task.finished", LOG_N("task", record->task),
        LOG_S("outcome", visit_outcome_name(outcome)), LOG_S("why", why));
    (void)task_save(daemon, project, task, NULL); /* not reported before it is saved */
    let_go(daemon, project, task);
}

void task_abandon(struct daemon *daemon, struct attached *project, struct client_task *task,
                  const char *why)
{
    set_words(task->record.report.why, why);
    task_finish(daemon, project, task, VISIT_ABANDONED);
}

void task_refuse(struct daemon *daemon, struct attached *project, struct client_task *task,
                 enum refusal refusal, const struct digest *what, const struct error *err)
{
    struct scheduler_report *report = &task->record.report;

    report->refusal = refusal;
    report->refused = *what;
    set_words(report->why, err->text[0] != '\0' ? err->text : refusal_words(refusal));
    own_clock_blame(daemon, project, refusal, report->why);
    LOG(LOG_WARN, "task.refused", LOG_N("task", task->record.task),
        LOG_S("refusal", refusal_code(refusal)), LOG_S("digest", digest_format(what).text),
        LOG_S("why", report->why));
    task_finish(daemon, project, task, VISIT_REFUSED);
}

/* --- verifying --- */

enum lookup { LOOKUP_FOUND, LOOKUP_LOST, LOOKUP_LATER };

/* The unit's envelope is read anew each time: it may be large, and is seldom needed. */
static enum lookup look_up(const struct attached *project, const struct client_task *task,
                           struct envelope *ret_unit, struct signed_task *ret_signed)
{
    enum status status = load_unit(&project->files, &task->record, ret_unit, NULL);

    *ret_signed = (struct signed_task){
        .unit = ret_unit,
        .app_version = attached_envelope(project, &task->record.app_version),
        .variant = attached_envelope(project, &task->record.variant),
    };
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return LOOKUP_LATER;
    if (status == STATUS_NOT_FOUND || ret_signed->app_version == NULL ||
        ret_signed->variant == NULL)
        return LOOKUP_LOST;
    return LOOKUP_FOUND;
}

/* Of what came in its place and was refused, the server is told why; else it was lost here. */
static void give_up_lost(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    const struct digest *parts[] = {&task->record.app_version, &task->record.variant};
    const struct error unsaid = {0};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        enum refusal refusal = refused_why(project, parts[i]);

        if (attached_envelope(project, parts[i]) != NULL || refusal == REFUSAL_NONE)
            continue;
        task_refuse(daemon, project, task, refusal, parts[i], &unsaid);
        return;
    }
    task_abandon(daemon, project, task, "what was signed of it was lost on this machine");
}

static const char *too_large_for(const struct daemon *daemon, const struct prepared *prepared)
{
    const struct limits *limits = &prepared->unit.limits;
    struct task_need need = slot_need(prepared);

    if (limits->memory_bytes > daemon_memory(daemon))
        return "it may use more memory than this client's owner, or its control group, allows";
    if (room_of_task(&need) > daemon->parts.config->disk)
        return "it may use more disk than this client's owner allows";
    return NULL;
}

static void take_prepared(struct daemon *daemon, struct attached *project, struct client_task *task,
                          struct prepared *prepared)
{
    const char *too_large = too_large_for(daemon, prepared);

    if (too_large != NULL) {
        prepared_clear(prepared);
        task_abandon(daemon, project, task, too_large);
        return;
    }
    task->prepared = *prepared;
    task->is_prepared = true;
    slot_pin(&daemon->cache, &task->prepared);
    task_enter(task, PHASE_FETCHING);
}

/* Its keyring may be on the way; but not for ever. */
static bool may_wait_for_keyring(struct daemon *daemon, struct attached *project,
                                 struct client_task *task, enum refusal refusal)
{
    if (refusal != REFUSAL_NEEDS_NEWER_KEYRING || ++task->failures > NEWER_KEYRING_TRIES)
        return false;
    project->wants_contact = true;
    task->not_before = daemon_now(daemon) + NEWER_KEYRING_WAIT_MS;
    return true;
}

void task_verify(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    const struct trust_moment moment = {.purpose = TRUST_START, .now_s = daemon_now_s(daemon)};
    CLEANUP(envelope_clear) struct envelope unit = {0};
    struct prepared prepared = {0};
    struct signed_task it;
    struct digest refused = {0};
    struct error err = {0};
    enum refusal refusal;
    enum lookup lookup;

    if (daemon_now(daemon) < task->not_before ||
        trust_may_start(&project->trust, moment.now_s, NULL) != REFUSAL_NONE)
        return;
    lookup = look_up(project, task, &unit, &it);
    if (lookup == LOOKUP_LOST)
        give_up_lost(daemon, project, task);
    if (lookup != LOOKUP_FOUND)
        return;
    refusal =
        verify_task(&project->trust, &it, &moment, &daemon->machine, &prepared, &refused, &err);
    if (refusal == REFUSAL_NONE)
        take_prepared(daemon, project, task, &prepared);
    else if (!may_wait_for_keyring(daemon, project, task, refusal))
        task_refuse(daemon, project, task, refusal, &refused, &err);
}

static void check_again(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    const struct trust_moment moment = {.purpose = TRUST_FINISH, .now_s = daemon_now_s(daemon)};
    CLEANUP(envelope_clear) struct envelope unit = {0};
    CLEANUP(prepared_clear) struct prepared prepared = {0};
    struct signed_task it;
    struct digest refused = {0};
    struct error err = {0};
    enum refusal refusal;

    if (look_up(project, task, &unit, &it) != LOOKUP_FOUND)
        return;
    refusal =
        verify_task(&project->trust, &it, &moment, &daemon->machine, &prepared, &refused, &err);
    if (refusal != REFUSAL_NONE && refusal != REFUSAL_NEEDS_NEWER_KEYRING)
        task_refuse(daemon, project, task, refusal, &refused, &err);
}

void tasks_check_again(struct daemon *daemon, struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->is_prepared && phase_is_unfinished(project->tasks[i]->record.phase))
            check_again(daemon, project, project->tasks[i]);
}

/* --- the end --- */

static void stop_upload(struct daemon *daemon, struct attached *project,
                        const struct client_task *task)
{
    if (project->upload_task != task->record.task)
        return;
    lane_stop(daemon, &project->upload);
    disk_file_close(project->sent_file);
    project->sent_file = NULL;
    project->upload_task = 0;
}

void task_remove(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct error err = {0};
    size_t i = 0;

    let_go(daemon, project, task);
    stop_upload(daemon, project, task);
    if (remove_task(&project->files, task->record.task, &err) != STATUS_OK)
        log_failure(LOG_WARN, "task.not-removed", &err);
    while (project->tasks[i] != task)
        i++;
    project->task_count--;
    memmove(&project->tasks[i], &project->tasks[i + 1],
            (project->task_count - i) * sizeof *project->tasks);
    task_record_clear(&task->record);
    free(task->trouble);
    free(task);
}

enum status task_settle(struct daemon *daemon, struct attached *project, struct client_task *task,
                        struct error *err)
{
    if (phase_is_unfinished(task->record.phase)) {
        LOG(LOG_INFO, "task.dropped", LOG_N("task", task->record.task));
        task_remove(daemon, project, task);
        return STATUS_OK;
    }
    if (task->record.phase == PHASE_STORED)
        return STATUS_OK;
    stop_upload(daemon, project, task);
    task_enter(task, PHASE_STORED);
    task->record.settled_s = daemon_now_s(daemon);
    texts_clear(&task->record.wanted);
    task->record.upload_url[0] = '\0';
    return task_save(daemon, project, task, err);
}

static int64_t bytes_stored(const struct attached *project)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->record.phase == PHASE_STORED)
            bytes += task_record_bytes(&project->tasks[i]->record);
    return bytes;
}

/* What the servers still want and what runs come first; then all projects share what is left. */
static int64_t room_for_stored(const struct daemon *daemon, const struct attached *project)
{
    int64_t room = daemon->room.tasks - room_running(daemon);

    for (size_t i = 0; i < daemon->project_count; i++)
        if (daemon->projects[i] != project)
            room -= bytes_stored(daemon->projects[i]);
    return room > 0 ? room : 0;
}

/*
 * By our own clock and by the server's: kept work is deleted when both say that its time is over. A
 * server that was not heard since the start says nothing.
 */
static int64_t believed_s(const struct daemon *daemon, const struct attached *project)
{
    int64_t own_s = daemon_now_s(daemon);
    int64_t theirs_s = project->server_s + (daemon_now(daemon) - project->server_heard_at) / 1000;

    if (project->server_s == 0)
        return 0;
    return own_s < theirs_s ? own_s : theirs_s;
}

static void forget_some(struct daemon *daemon, struct attached *project)
{
    const struct kept_rule rule = {.grace_s = daemon->parts.config->grace,
                                   .bytes = room_for_stored(daemon, project)};
    struct kept_view *kept = must_alloc(project->task_count, sizeof *kept);
    bool *forget = must_alloc(project->task_count, sizeof *forget);
    int64_t *numbers = must_alloc(project->task_count, sizeof *numbers);
    size_t count = 0;

    for (size_t i = 0; i < project->task_count; i++) {
        const struct task_record *record = &project->tasks[i]->record;

        if (record->phase != PHASE_STORED)
            continue;
        numbers[count] = record->task;
        kept[count++] =
            (struct kept_view){.settled_s = record->settled_s, .bytes = task_record_bytes(record)};
    }
    choose_forgotten(kept, count, &rule, believed_s(daemon, project), forget);
    for (size_t i = 0; i < count; i++)
        if (forget[i])
            task_remove(daemon, project, task_find(project, numbers[i]));
    free(kept);
    free(forget);
    free(numbers);
}

static void save_dirty(struct daemon *daemon, struct attached *project)
{
    bool is_clean = true;

    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->is_dirty)
            is_clean = task_save(daemon, project, project->tasks[i], NULL) == STATUS_OK && is_clean;
    if (is_clean)
        project->unsaved[0] = '\0';
}

void tasks_tidy(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        forget_some(daemon, daemon->projects[i]);
    if (daemon_now(daemon) < daemon->save_again_at)
        return;
    for (size_t i = 0; i < daemon->project_count; i++)
        save_dirty(daemon, daemon->projects[i]);
}
