/* Tasks in their slots: starting, watching, and taking their outputs. */
#include <errno.h>
#include <string.h>

#include "client/agent/choose.h"
#include "client/daemon/attached.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "sandbox/collect.h"

#define STARTS_MAX     50 /* a task that never ends, though started so often, is given up */
#define START_RETRY_MS 30000
#define VIEWS_MAX      (STATE_PROJECTS_MAX * 64)

/* --- starting --- */

/* Lists for a run_spec; the texts are borrowed but for `owned`. */
struct command_line {
    const char *arguments[RUN_MAX_ARGUMENTS + 1];
    const char *environment[RUN_MAX_ENVIRONMENT + 1];
    char *owned[WORK_UNIT_VARIABLES_MAX + 2];
    size_t owned_count;
};

static void command_line_clear(struct command_line *line)
{
    for (size_t i = 0; i < line->owned_count; i++)
        free(line->owned[i]);
    line->owned_count = 0;
}

static void add_variable(struct command_line *line, const char *name, const char *value)
{
    char *text = text_format("%s=%s", name, value);

    line->environment[line->owned_count] = text;
    line->owned[line->owned_count++] = text;
}

static void fill(struct command_line *line, const struct prepared *prepared)
{
    char seed[2 * SEED_BYTES + 1];
    CLEANUP(freep) char *cores = text_format("%lld", (long long)prepared->unit.limits.cores);
    size_t count = 0;

    line->arguments[count++] = prepared->variant.entry.text;
    for (size_t i = 0; i < prepared->variant.arguments.count; i++)
        line->arguments[count++] = prepared->variant.arguments.texts[i];
    for (size_t i = 0; i < prepared->unit.arguments.count; i++)
        line->arguments[count++] = prepared->unit.arguments.texts[i];
    for (size_t i = 0; i < prepared->unit.variable_count; i++)
        add_variable(line, prepared->unit.environment[i].name.text,
                     prepared->unit.environment[i].value);
    text_from_bytes(prepared->unit.seed, SEED_BYTES, seed);
    add_variable(line, "DUGNAD_SEED", seed);
    add_variable(line, "DUGNAD_CORES", cores);
}

static enum status launch(struct daemon *daemon, struct client_task *task, const char *slot,
                          struct error *err)
{
    struct launcher *launcher = daemon->parts.launcher;
    const struct prepared *it = &task->prepared;
    CLEANUP(command_line_clear) struct command_line line = {.owned_count = 0};
    struct disk_path executable;
    struct run_spec spec = {
        .slot = slot,
        .executable = executable.text,
        .arguments = line.arguments,
        .environment = line.environment,
        .limits = {.memory_bytes = it->unit.limits.memory_bytes,
                   .disk_bytes = it->unit.limits.disk_bytes,
                   .cpu_s = it->unit.limits.cpu_s,
                   .wall_s = it->unit.limits.wall_s},
    };

    TRY(disk_join(&executable, err, "%s/%s", slot, it->variant.entry.text));
    if (it->app.stdout_name.text[0] != '\0')
        spec.stdout_name = it->app.stdout_name.text;
    fill(&line, it);
    return launcher->start(launcher, &spec, &task->running, err);
}

/* Only what ran before can have left a checkpoint. */
static bool has_checkpoint(struct daemon *daemon, const struct client_task *task, const char *slot)
{
    struct disk_path path;

    return task->record.starts > 0 && disk_join(&path, NULL, "%s/checkpoint", slot) == STATUS_OK &&
           disk_has(daemon->env->disk, path.text);
}

static enum status try_start(struct daemon *daemon, struct attached *project,
                             struct client_task *task, struct error *err)
{
    struct disk_path slot;

    TRY(project_files_join(&project->files, &slot, err, "slots/%lld",
                           (long long)task->record.task));
    TRY(slot_build(&daemon->cache, &task->prepared, slot.text,
                   has_checkpoint(daemon, task, slot.text), err));
    return launch(daemon, task, slot.text, err);
}

static void start(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct error err = {0};
    enum status status;

    if (task->record.starts >= STARTS_MAX) {
        task_abandon(daemon, project, task, "it was started many times and never came to an end");
        return;
    }
    status = try_start(daemon, project, task, &err);
    if (status == STATUS_NOT_FOUND) {
        task->record.phase = PHASE_FETCHING;
        return;
    }
    if (status != STATUS_OK) {
        log_failure(LOG_WARN, "task.not-started", &err);
        if (status == STATUS_INVALID)
            task_abandon(daemon, project, task, err.text);
        else
            task_trouble(daemon, task, err.text);
        return;
    }
    free(task->trouble);
    task->trouble = NULL; /* but for its count of failures: whether it runs is yet to be seen */
    task->record.phase = PHASE_RUNNING;
    task->record.starts++;
    LOG(LOG_INFO, "task.started", LOG_N("task", task->record.task),
        LOG_S("unit", task->prepared.unit.name.text));
    (void)task_save(daemon, project, task, NULL); /* counts starts, nothing more */
}

/* What was valid when it was fetched may not be any more. */
static bool is_still_fine(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    const struct work_unit *unit = &task->prepared.unit;
    int64_t now_s = trust_judged_s(&project->trust, daemon_now_s(daemon));
    struct error err = {0};
    enum refusal refusal;

    refusal = trust_check_revoked(&project->trust, &task->record.unit, unit, &err);
    if (refusal == REFUSAL_NONE && now_s > unit->not_after_s)
        refusal = REFUSAL_OUTSIDE_VALIDITY;
    if (refusal == REFUSAL_NONE)
        return true;
    task_refuse(daemon, project, task, refusal, &task->record.unit, &err);
    return false;
}

static bool may_start(struct daemon *daemon, const struct attached *project,
                      const struct client_task *task)
{
    return task->record.phase == PHASE_READY && !task->is_dirty && !daemon->is_paused &&
           project->record.native_allowed && project->record.stopped[0] == '\0' &&
           daemon_now(daemon) >= task->not_before &&
           trust_may_start(&project->trust, daemon_now_s(daemon), NULL) == REFUSAL_NONE;
}

struct candidates {
    struct run_view views[VIEWS_MAX];
    size_t count;
};

static void collect_candidates(struct daemon *daemon, struct candidates *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < daemon->project_count; i++)
        for (size_t j = 0; j < daemon->projects[i]->task_count; j++) {
            struct client_task *task = daemon->projects[i]->tasks[j];

            if (!task->is_prepared || ret->count == VIEWS_MAX)
                continue;
            ret->views[ret->count++] = (struct run_view){
                .project = i,
                .task = task->record.task,
                .deadline_s = task->record.deadline_s,
                .cores = task->prepared.unit.limits.cores,
                .memory_bytes = task->prepared.unit.limits.memory_bytes,
                .is_running = task->running != NULL,
                .is_ready = may_start(daemon, daemon->projects[i], task),
            };
        }
}

static void used_by_projects(const struct daemon *daemon, int64_t *ret_used_ms)
{
    for (size_t i = 0; i < daemon->project_count; i++) {
        const struct attached *project = daemon->projects[i];

        ret_used_ms[i] = project->used_ms;
        for (size_t j = 0; j < project->task_count; j++)
            if (project->tasks[j]->running != NULL)
                ret_used_ms[i] += daemon->parts.launcher->usage(project->tasks[j]->running).wall_ms;
    }
}

void run_start_some(struct daemon *daemon)
{
    const struct run_room room = {.cores = daemon->parts.config->cores,
                                  .memory_bytes = daemon->parts.config->memory};
    struct candidates *candidates = must_alloc(1, sizeof *candidates);
    int64_t used_ms[STATE_PROJECTS_MAX];

    /* Every turn starts a task or takes one out of the running. */
    for (size_t turn = 0; turn < VIEWS_MAX; turn++) {
        struct client_task *task;
        struct attached *project;
        size_t chosen;

        collect_candidates(daemon, candidates);
        used_by_projects(daemon, used_ms);
        chosen =
            choose_next(candidates->views, candidates->count, &room, used_ms, daemon_now_s(daemon));
        if (chosen == CHOOSE_NONE)
            break;
        project = daemon->projects[candidates->views[chosen].project];
        task = task_find(project, candidates->views[chosen].task);
        if (is_still_fine(daemon, project, task))
            start(daemon, project, task);
    }
    free(candidates);
}

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
    if (length == 0)
        return;
    report->stderr_tail.bytes = must_alloc(length + 1, 1);
    report->stderr_tail.length = length;
    memcpy(report->stderr_tail.bytes, outcome->tail, length);
}

static void note_usage(struct attached *project, const struct run_outcome *outcome)
{
    int64_t wall_ms = clamp(outcome->usage.wall_ms, SCHEDULER_SPAN_MAX_MS);

    project->used_ms += wall_ms;
    if (outcome->end == RUN_EXITED && outcome->code == 0)
        project->mean_task_ms = project->mean_task_ms == 0
                                    ? wall_ms + 1
                                    : (project->mean_task_ms * 3 + wall_ms) / 4 + 1;
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

static enum status collect_one(struct daemon *daemon, const struct attached *project,
                               struct client_task *task, const struct app_output *output,
                               int64_t left, struct collected *ret_collected, struct error *err)
{
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
    return launcher->collect(launcher, &request, ret_collected, err);
}

static void add_output(struct task_record *record, const struct app_output *output,
                       const struct collected *collected)
{
    record->outputs.outputs[record->outputs.count++] = (struct named_output){
        .name = output->name, .digest = collected->digest, .size = collected->size_bytes};
}

/* All outputs, or a failure of our disk: then all of it again later. */
static enum status collect_all(struct daemon *daemon, struct attached *project,
                               struct client_task *task, struct error *err)
{
    const struct app_version *app = &task->prepared.app;
    int64_t left = task->prepared.unit.limits.output_bytes;

    named_outputs_clear(&task->record.outputs);
    task->record.outputs.outputs =
        must_alloc(app->output_count, sizeof *task->record.outputs.outputs);
    for (size_t i = 0; i < app->output_count; i++) {
        struct collected collected = {0};

        TRY(collect_one(daemon, project, task, &app->outputs[i], left, &collected, err));
        if (collected.refusal != COLLECT_TAKEN) {
            bad_output(daemon, project, task, app->outputs[i].name.text, collected.refusal);
            return STATUS_OK;
        }
        left -= collected.size_bytes;
        add_output(&task->record, &app->outputs[i], &collected);
    }
    task_finish(daemon, project, task, VISIT_DONE);
    return STATUS_OK;
}

static void collect(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct error err = {0};

    if (daemon_now(daemon) < task->not_before)
        return;
    if (collect_all(daemon, project, task, &err) == STATUS_OK)
        return;
    log_failure(LOG_WARN, "task.not-collected", &err);
    task_trouble(daemon, task, err.text);
}

/* All else that a program cannot be started for is this machine's want of something. */
static bool is_the_programs_fault(const struct run_outcome *outcome)
{
    static const int faults[] = {ENOEXEC, ENOENT, EACCES, EPERM, E2BIG, EINVAL, ELIBBAD};

    if (strcmp(outcome->failed_step, "executable") != 0)
        return false;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (outcome->code == faults[i])
            return true;
    return false;
}

/* As if it had never been started: that it was does not count against it. */
static void not_started(struct daemon *daemon, struct client_task *task,
                        const struct run_outcome *outcome)
{
    CLEANUP(freep)
    char *why = text_format("this machine could not start a task (%s: %s)", outcome->failed_step,
                            strerror(outcome->code));

    LOG(LOG_WARN, "task.not-started", LOG_N("task", task->record.task), LOG_S("why", why));
    task->record.phase = PHASE_READY;
    task->record.starts -= task->record.starts > 0 ? 1 : 0;
    task_trouble(daemon, task, why);
}

static void take_end(struct daemon *daemon, struct attached *project, struct client_task *task,
                     const struct run_outcome *outcome)
{
    daemon->parts.launcher->release(task->running);
    task->running = NULL;
    note_usage(project, outcome);
    if (outcome->end == RUN_LOST ||
        (outcome->end == RUN_KILLED && outcome->limit == RUN_LIMIT_NONE)) {
        task->record.phase = PHASE_READY; /* nothing is known of it: again */
        task->not_before = daemon_now(daemon) + START_RETRY_MS;
        return;
    }
    if (outcome->end == RUN_NOT_STARTED && !is_the_programs_fault(outcome)) {
        not_started(daemon, task, outcome);
        return;
    }
    task->failures = 0;
    note_end(task, outcome);
    task->record.phase = PHASE_COLLECTING;
    if (outcome->end == RUN_EXITED && outcome->code == 0 && outcome->limit == RUN_LIMIT_NONE)
        collect(daemon, project, task);
    else
        task_finish(daemon, project, task, VISIT_ERROR);
}

static void poll_one(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct run_outcome *outcome;

    if (task->record.phase == PHASE_COLLECTING) {
        collect(daemon, project, task);
        return;
    }
    if (task->running == NULL)
        return;
    outcome = must_alloc(1, sizeof *outcome);
    if (daemon->parts.launcher->poll(task->running, outcome))
        take_end(daemon, project, task, outcome);
    free(outcome);
}

void run_poll_all(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        for (size_t j = 0; j < daemon->projects[i]->task_count; j++)
            poll_one(daemon, daemon->projects[i], daemon->projects[i]->tasks[j]);
}
