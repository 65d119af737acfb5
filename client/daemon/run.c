/* Tasks in their slots: watching them, and taking their outputs. */
#include "client/daemon/run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "client/daemon/lineup.h"
#include "client/daemon/proof.h"
#include "client/daemon/tasks.h"
#include "client/daemon/trouble.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "sandbox/collect.h"

#define START_RETRY_MS 30000
#define COLLECT_BYTES  (4 * 1024 * 1024) /* of outputs, copied in one step */

void run_pause_all(struct daemon *daemon, bool is_paused)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        for (size_t j = 0; j < daemon->projects[i]->task_count; j++) {
            struct client_task *task = daemon->projects[i]->tasks[j];

            if (task->running == NULL)
                continue;
            if (is_paused)
                daemon->parts.launcher->suspend(task->running);
            else
                daemon->parts.launcher->resume(task->running);
        }
}

/* --- the end of a run --- */

static enum task_limit limit_of(enum run_limit limit)
{
    switch (limit) {
    case RUN_LIMIT_CPU:
        return LIMIT_CPU;
    case RUN_LIMIT_WALL:
        return LIMIT_WALL;
    case RUN_LIMIT_MEMORY:
        return LIMIT_MEMORY;
    case RUN_LIMIT_DISK:
        return LIMIT_DISK;
    case RUN_LIMIT_PROCESSES:
        return LIMIT_PROCESSES;
    case RUN_LIMIT_NONE:
    default:
        return LIMIT_NONE;
    }
}

static int64_t clamp(int64_t value, int64_t most)
{
    if (value < 0)
        return 0;
    return value < most ? value : most;
}

/* How much memory it used, for a person to see whether that was the reason. */
static void say_memory(const struct run_outcome *outcome, int64_t limit_bytes, char *ret_why)
{
    long long used = outcome->usage.peak_memory_bytes >> 20, limit = limit_bytes >> 20;
    const char *name = outcome->end == RUN_SIGNALLED ? sigabbrev_np(outcome->code) : NULL;
    CLEANUP(freep) char *why = NULL;

    if (outcome->limit == RUN_LIMIT_MEMORY && outcome->end == RUN_KILLED)
        why = text_format("stopped when it had used %lld of %lld MiB", used, limit);
    else if (outcome->limit == RUN_LIMIT_MEMORY && name != NULL)
        why = text_format("probably, for it died of SIG%s when it had used %lld of %lld MiB", name,
                          used, limit);
    else if (outcome->limit == RUN_LIMIT_MEMORY)
        why = text_format("probably, for it had used %lld of %lld MiB", used, limit);
    else if (outcome->limit == RUN_LIMIT_NONE && name != NULL)
        why = text_format("SIG%s; it had used %lld of %lld MiB of memory", name, used, limit);
    if (why != NULL)
        set_words(ret_why, why);
}

static void note_end(struct client_task *task, const struct run_outcome *outcome)
{
    struct scheduler_report *report = &task->record.report;
    size_t length = outcome->tail_length;

    bytes_clear(&report->stderr_tail);
    *report = (struct scheduler_report){
        .limit = limit_of(outcome->limit),
        .cpu_ms = clamp(outcome->usage.cpu_ms, SCHEDULER_SPAN_MAX_MS),
        .wall_ms = clamp(outcome->usage.wall_ms, SCHEDULER_SPAN_MAX_MS),
        .peak_memory_bytes = clamp(outcome->usage.peak_memory_bytes, LIMITS_BYTES_MAX),
    };
    if (outcome->end == RUN_EXITED) {
        report->has_exit_status = true;
        report->exit_status = outcome->code & 0xff;
    } else if (outcome->end == RUN_SIGNALLED) {
        report->signal = (int)clamp(outcome->code, 64);
    } else if (outcome->end == RUN_NOT_STARTED) {
        CLEANUP(freep)
        char *why = text_format("it could not be started (%s: %s)", outcome->failed_step,
                                strerror(outcome->code));

        set_words(report->why, why);
    }
    say_memory(outcome, task->prepared.unit.limits.memory_bytes, report->why);
    if (length == 0)
        return;
    report->stderr_tail.bytes = must_alloc(length + 1, 1);
    report->stderr_tail.length = length;
    memcpy(report->stderr_tail.bytes, outcome->tail, length);
}

static void bad_output(struct daemon *daemon, struct attached *project, struct client_task *task,
                       const char *name, enum collect_refusal refusal)
{
    CLEANUP(freep) char *why = text_format("output %s %s", name, collect_refusal_words(refusal));

    if (refusal == COLLECT_TOO_LARGE)
        task->record.report.limit = LIMIT_OUTPUT;
    set_words(task->record.report.why, why);
    task_finish(daemon, project, task, VISIT_ERROR);
}

/* The first that is not in the spool; NULL: all are. */
static const struct app_output *next_output(const struct client_task *task)
{
    const struct app_version *app = &task->prepared.app;

    return task->collected.count < app->output_count ? &app->outputs[task->collected.count] : NULL;
}

/* Of what it may put out in all. */
static int64_t bytes_left(const struct client_task *task)
{
    int64_t left = task->prepared.unit.limits.output_bytes;

    for (size_t i = 0; i < task->collected.count; i++)
        left -= task->collected.outputs[i].size;
    return left;
}

static enum status collect_one(struct daemon *daemon, const struct attached *project,
                               struct client_task *task, int64_t *bytes,
                               struct collected *ret_collected, struct error *err)
{
    const struct app_output *output = next_output(task);
    int64_t left = bytes_left(task);
    struct launcher *launcher = daemon->parts.launcher;
    long long number = task->record.task;
    struct disk_path slot, to;
    struct collect_request request = {
        .slot = slot.text,
        .name = output->name.text,
        .max_bytes = output->max_bytes < left ? output->max_bytes : left,
        .to = to.text,
        .disk = daemon->env->disk,
    };

    TRY(project_files_join(&project->files, &slot, err, "slots/%lld", number));
    TRY(project_files_join(&project->files, &to, err, "spool/%lld", number));
    TRY(disk_make_folders(daemon->env->disk, to.text, 0700, err));
    TRY(project_files_join(&project->files, &to, err, "spool/%lld/%s", number, output->name.text));
    return launcher->collect(launcher, &request, &task->collecting, bytes, ret_collected, err);
}

/* False: it was not taken, and the task has ended. */
static bool take_output(struct daemon *daemon, struct attached *project, struct client_task *task,
                        const struct collected *collected)
{
    const struct app_output *output = next_output(task);

    if (collected->refusal != COLLECT_TAKEN) {
        bad_output(daemon, project, task, output->name.text, collected->refusal);
        return false;
    }
    if (task->collected.outputs == NULL)
        task->collected.outputs =
            must_alloc(task->prepared.app.output_count, sizeof *task->collected.outputs);
    task->collected.outputs[task->collected.count++] = (struct named_output){
        .name = output->name, .digest = collected->digest, .size = collected->size_bytes};
    return true;
}

static void finish_collected(struct daemon *daemon, struct attached *project,
                             struct client_task *task)
{
    named_outputs_clear(&task->record.outputs);
    task->record.outputs = task->collected;
    task->collected = (struct named_outputs){0};
    task_finish(daemon, project, task, VISIT_DONE);
}

/* As many outputs as `bytes` allow, or a failure of our disk: then on from the same one later. */
static enum status collect_outputs(struct daemon *daemon, struct attached *project,
                                   struct client_task *task, int64_t *bytes, struct error *err)
{
    while (next_output(task) != NULL) {
        struct collected collected = {0};

        if (*bytes <= 0)
            return STATUS_OK;
        TRY(collect_one(daemon, project, task, bytes, &collected, err));
        if (task->collecting != NULL || !take_output(daemon, project, task, &collected))
            return STATUS_OK;
    }
    finish_collected(daemon, project, task);
    return STATUS_OK;
}

static void collect(struct daemon *daemon, struct attached *project, struct client_task *task,
                    int64_t *bytes)
{
    struct error err = {0};

    if (daemon_now(daemon) < task->not_before)
        return;
    if (collect_outputs(daemon, project, task, bytes, &err) == STATUS_OK)
        return;
    log_failure(LOG_WARN, "task.not-collected", &err);
    if (err.status == STATUS_FULL)
        task_trouble(daemon, task, err.text); /* its work is done: there will be room some day */
    else
        task_fails_here(daemon, project, task, err.text);
}

/*
 * All else that a program cannot be started for is this machine's want of something. Nor is it the
 * program's fault where no program could be run: that has to have been proved since this one failed
 * for the first time.
 */
static bool is_the_programs_fault(const struct daemon *daemon, const struct client_task *task,
                                  const struct run_outcome *outcome)
{
    static const int faults[] = {ENOEXEC, ENOENT, EACCES, EPERM, E2BIG, EINVAL, ELIBBAD};

    if (strcmp(outcome->failed_step, "executable") != 0)
        return false;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (outcome->code == faults[i])
            return task->doubted != 0 && proof_goods(daemon) >= task->doubted;
    return false;
}

/* As if it had never been started: that it was does not count against it. */
static void not_started(struct daemon *daemon, struct attached *project, struct client_task *task,
                        const struct run_outcome *outcome)
{
    CLEANUP(freep)
    char *why = text_format("this machine could not start a task (%s: %s)", outcome->failed_step,
                            strerror(outcome->code));

    LOG(LOG_WARN, "task.not-started", LOG_N("task", task->record.task), LOG_S("why", why));
    task_enter(task, PHASE_READY);
    task_waits(daemon, task);
    task->record.starts -= task->record.starts > 0 ? 1 : 0;
    if (task->doubted == 0)
        task->not_before = daemon_now(daemon); /* as soon as the machine is proved */
    else
        task_fails_here(daemon, project, task, why);
    if (task->record.phase == PHASE_READY) /* it was not given up */
        task->doubted = proof_goods(daemon) + 1;
    proof_doubt(daemon);
}

/* This machine has less memory than it offered; within its own limit the task is not to blame. */
static void ran_out(struct daemon *daemon, struct attached *project, struct client_task *task,
                    const struct run_outcome *outcome)
{
    CLEANUP(freep)
    char *why = text_format("the memory of this client's control group was used up, and the kernel "
                            "killed a process; the task that failed had used %lld of its %lld MiB",
                            (long long)outcome->usage.peak_memory_bytes >> 20,
                            (long long)task->prepared.unit.limits.memory_bytes >> 20);

    LOG(LOG_WARN, "task.out-of-memory", LOG_N("task", task->record.task), LOG_S("why", why));
    task_enter(task, PHASE_READY);
    task_waits(daemon, task);
    task_fails_here(daemon, project, task, why);
}

static void take_end(struct daemon *daemon, struct attached *project, struct client_task *task,
                     const struct run_outcome *outcome)
{
    daemon->parts.launcher->release(task->running);
    task->running = NULL;
    lineup_ended(daemon, project, task, outcome);
    if (outcome->is_for_want_of_memory && outcome->limit != RUN_LIMIT_MEMORY) {
        ran_out(daemon, project, task, outcome);
        return;
    }
    if (outcome->end == RUN_LOST ||
        (outcome->end == RUN_KILLED && outcome->limit == RUN_LIMIT_NONE)) {
        task_enter(task, PHASE_READY); /* nothing is known of it: again */
        task_waits(daemon, task);
        task->not_before = daemon_now(daemon) + START_RETRY_MS;
        return;
    }
    if (outcome->end == RUN_NOT_STARTED && !is_the_programs_fault(daemon, task, outcome)) {
        not_started(daemon, project, task, outcome);
        return;
    }
    task->failures = 0;
    note_end(task, outcome);
    task_enter(task, PHASE_COLLECTING);
    if (outcome->end != RUN_EXITED || outcome->code != 0 || outcome->limit != RUN_LIMIT_NONE)
        task_finish(daemon, project, task, VISIT_ERROR);
}

static void poll_one(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct run_outcome *outcome;

    if (task->running == NULL)
        return;
    outcome = must_alloc(1, sizeof *outcome);
    if (daemon->parts.launcher->poll(task->running, outcome))
        take_end(daemon, project, task, outcome);
    free(outcome);
}

void run_poll_all(struct daemon *daemon)
{
    int64_t bytes = COLLECT_BYTES;

    for (size_t i = 0; i < daemon->project_count; i++)
        for (size_t j = 0; j < daemon->projects[i]->task_count; j++) {
            struct attached *project = daemon->projects[i];
            struct client_task *task = project->tasks[j];

            poll_one(daemon, project, task);
            if (task->record.phase == PHASE_COLLECTING)
                collect(daemon, project, task, &bytes);
        }
}
