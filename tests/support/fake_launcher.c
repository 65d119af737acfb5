#include "tests/support/fake_launcher.h"

#include <stdlib.h>
#include <string.h>

#include "client/daemon/attached.h"
#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/text.h"
#include "sandbox/collect.h"

struct running_task {
    struct fake_launcher *launcher;
    int64_t started_mono_ms;
    int64_t shorter_ms;        /* than the first task */
    int64_t suspended_mono_ms; /* 0: it is not */
    bool is_over;
    bool is_proof;
};

static struct fake_launcher *self_of(struct launcher *launcher)
{
    return (struct fake_launcher *)launcher;
}

static bool is_proof(const struct run_spec *spec)
{
    return strcmp(spec->arguments[0], PROOF_PROGRAM) == 0;
}

static enum status start_proof(struct fake_launcher *self, const struct run_spec *spec,
                               struct running_task **ret_task, struct error *err)
{
    struct disk_path said;

    TRY(disk_join(&said, err, "%s/said", spec->slot));
    TRY(self->env->disk->write(self->env->disk, said.text, "good\n", 5, 0600, err));
    *ret_task = must_alloc(1, sizeof **ret_task);
    **ret_task = (struct running_task){.launcher = self, .is_proof = true};
    self->proofs++;
    return STATUS_OK;
}

static enum status start(struct launcher *launcher, const struct run_spec *spec,
                         struct running_task **ret_task, struct error *err)
{
    struct fake_launcher *self = self_of(launcher);
    struct running_task *task;
    size_t last = 0;

    if (self->start_fails != STATUS_OK)
        return error_set(err, self->start_fails, "the machine has no process left");
    if (is_proof(spec))
        return start_proof(self, spec, ret_task, err);
    task = must_alloc(1, sizeof *task);
    while (spec->arguments[last + 1] != NULL)
        last++;
    (void)text_fit(self->last_argument, sizeof self->last_argument, spec->arguments[last]);
    self->executable_was_there = disk_has(self->env->disk, spec->executable);
    *task = (struct running_task){.launcher = self,
                                  .started_mono_ms = self->env->now_mono_ms(self->env),
                                  .shorter_ms = self->started * self->shorter_ms};
    self->started++;
    self->alive++;
    if (self->alive > self->most_alive)
        self->most_alive = self->alive;
    *ret_task = task;
    return STATUS_OK;
}

static int64_t ran_ms(const struct running_task *task)
{
    struct env *env = task->launcher->env;
    int64_t until = task->suspended_mono_ms != 0 ? task->suspended_mono_ms : env->now_mono_ms(env);

    return until - task->started_mono_ms;
}

static void end_proof(struct running_task *task, struct run_outcome *ret_outcome)
{
    int cause = task->launcher->proof_fails;

    *ret_outcome = (struct run_outcome){.end = RUN_EXITED};
    if (cause != 0)
        *ret_outcome = (struct run_outcome){
            .end = RUN_NOT_STARTED, .code = cause, .failed_step = "executable"};
}

static bool poll_task(struct running_task *task, struct run_outcome *ret_outcome)
{
    if (task->is_proof) {
        end_proof(task, ret_outcome);
        return true;
    }
    task->launcher->polls++;
    if (ran_ms(task) < task->launcher->duration_ms - task->shorter_ms)
        return false;
    task->is_over = true;
    *ret_outcome = task->launcher->end;
    ret_outcome->usage.cpu_ms = ret_outcome->usage.wall_ms = task->launcher->duration_ms;
    if (ret_outcome->usage.peak_memory_bytes == 0)
        ret_outcome->usage.peak_memory_bytes = 1 << 20;
    return true;
}

static int descriptor(const struct running_task *task)
{
    (void)task;
    return -1;
}

static struct run_usage usage(const struct running_task *task)
{
    const struct fake_launcher *launcher = task->launcher;
    struct run_usage usage = {.cpu_ms = ran_ms(task), .wall_ms = ran_ms(task)};

    if (launcher->tells_progress)
        usage.progress_permille = (int)(usage.wall_ms * 1000 / launcher->duration_ms);
    return usage;
}

static void suspend(struct running_task *task)
{
    struct env *env = task->launcher->env;

    task->suspended_mono_ms = env->now_mono_ms(env);
}

static void resume(struct running_task *task)
{
    struct env *env = task->launcher->env;

    task->started_mono_ms += env->now_mono_ms(env) - task->suspended_mono_ms;
    task->suspended_mono_ms = 0;
}

static void kill_task(struct running_task *task)
{
    task->is_over = true;
}

static void release(struct running_task *task)
{
    if (task == NULL)
        return;
    if (task->is_proof) {
        free(task);
        return;
    }
    task->launcher->alive--;
    task->launcher->killed += task->is_over ? 0 : 1;
    free(task);
}

static enum status collect_told(struct fake_launcher *self, const struct collect_request *request,
                                struct collected *ret_collected, struct error *err)
{
    CLEANUP(freep) char *bytes = self->output(self->context, request->slot, request->name);

    if (self->collect_fails != STATUS_OK &&
        (self->collect_fails_in == NULL || strstr(request->slot, self->collect_fails_in) != NULL))
        return error_set(err, self->collect_fails, "the spool has no room");
    *ret_collected = (struct collected){.refusal = COLLECT_MISSING};
    if (bytes == NULL)
        return STATUS_OK;
    ret_collected->size_bytes = (int64_t)strlen(bytes);
    ret_collected->refusal = COLLECT_TOO_LARGE;
    if (ret_collected->size_bytes > request->max_bytes)
        return STATUS_OK;
    TRY(request->disk->write(request->disk, request->to, bytes, strlen(bytes), 0600, err));
    ret_collected->refusal = COLLECT_TAKEN;
    ret_collected->digest = digest_of(bytes, strlen(bytes));
    return STATUS_OK;
}

static enum status collect(struct launcher *launcher, const struct collect_request *request,
                           struct collection **work, int64_t *bytes,
                           struct collected *ret_collected, struct error *err)
{
    struct fake_launcher *self = self_of(launcher);

    if (self->output == NULL)
        return collect_some(request, work, bytes, ret_collected, err);
    return collect_told(self, request, ret_collected, err);
}

static uint32_t layers(const struct launcher *launcher)
{
    (void)launcher;
    return LAYERS_ALL;
}

static int64_t memory_bytes(const struct launcher *launcher)
{
    return ((const struct fake_launcher *)launcher)->memory_bytes;
}

static void close_launcher(struct launcher *launcher)
{
    (void)launcher;
}

static char *plain_output(void *context, const char *slot, const char *name)
{
    (void)context;
    (void)slot;
    (void)name;
    return text_copy("42\n");
}

void fake_launcher_init(struct fake_launcher *ret_launcher, struct env *env)
{
    *ret_launcher = (struct fake_launcher){
        .base = {.start = start,
                 .poll = poll_task,
                 .descriptor = descriptor,
                 .usage = usage,
                 .suspend = suspend,
                 .resume = resume,
                 .kill = kill_task,
                 .release = release,
                 .collect = collect,
                 .layers = layers,
                 .memory_bytes = memory_bytes,
                 .close = close_launcher},
        .env = env,
        .duration_ms = 60000,
        .memory_bytes = INT64_MAX,
        .end = {.end = RUN_EXITED},
        .output = plain_output,
    };
}
