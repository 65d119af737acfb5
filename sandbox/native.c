#include "sandbox/native.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/env.h"
#include "sandbox/cgroup.h"
#include "sandbox/collect.h"
#include "sandbox/progress.h"
#include "sandbox/usage.h"

#define MEASURE_MS        250
#define MEASURE_DISK_MS   2000
#define PATIENCE_MS       2000 /* with a keeper that was told to kill, before it is killed */
#define NEAR_LIMIT(limit) ((limit) - (limit) / 8)
#define STEP_MAX_MS       10000     /* counted of the time between two polls: we may have slept */
#define COPY_SLACK        (1 << 20) /* what a copy of ours may still grow before its exec */

struct native_launcher {
    struct launcher base;
    struct env *env;
    uint32_t layers;
    int64_t memory_bytes; /* as the control group allowed when a task was last started */
};

#define OWN_SHARE 8 /* of the control group's memory one in so many is ours */

struct running_task {
    struct env *env;
    struct run_limits limits;
    struct preparation preparation;
    struct keeper_note *note; /* owned */
    pid_t keeper;
    int pidfd; /* owned */
    bool is_suspended;
    bool kill_was_asked; /* by us or by a limit */
    bool has_ended;
    int64_t seen_mono_ms;     /* when wall time was last counted */
    int64_t measured_mono_ms; /* 0: not yet */
    int64_t disk_mono_ms;
    int64_t kill_mono_ms;
    int64_t kills_before; /* by the kernel, for want of memory, in our control group */
    enum run_limit limit; /* hit, as poll() measured */
    struct run_usage usage;
    struct run_outcome outcome; /* once it has ended */
};

static struct native_launcher *self_of(struct launcher *launcher)
{
    return (struct native_launcher *)launcher;
}

static bool is_active(const struct running_task *task, enum layer layer)
{
    return (task->preparation.layers & LAYER_BIT(layer)) != 0;
}

static void running_task_free(struct running_task *task)
{
    preparation_clear(&task->preparation);
    if (task->note != NULL)
        native_note_free(task->note);
    if (task->pidfd >= 0)
        (void)close(task->pidfd);
    free(task);
}
DEFINE_CLEANUP(struct running_task *, running_task_free)

static void order(struct running_task *task, enum order order)
{
    const char byte = (char)order;

    /* The pipe is full of orders not yet obeyed: one more makes no difference but to a kill, which
       poll() repeats by other means. */
    (void)!write(task->preparation.orders_write, &byte, 1);
}

/* ---- start ---- */

/* How much our control group has may change while we run. Returns the kills so far. */
static int64_t look_at_group(struct native_launcher *self)
{
    struct cgroup_memory memory = cgroup_memory(&cgroup_real);

    self->memory_bytes = memory.limit_bytes;
    if (memory.limit_bytes < INT64_MAX)
        self->memory_bytes -= memory.limit_bytes / OWN_SHARE;
    return memory.kills;
}

static enum status start(struct launcher *launcher, const struct run_spec *spec,
                         struct running_task **ret_task, struct error *err)
{
    struct native_launcher *self = self_of(launcher);
    CLEANUP(running_task_freep) struct running_task *task = must_alloc(1, sizeof *task);

    task->pidfd = -1;
    task->env = self->env;
    task->limits = spec->limits;
    if (task->limits.processes == 0)
        task->limits.processes = RUN_PROCESSES;
    task->seen_mono_ms = self->env->now_mono_ms(self->env);
    TRY(preparation_init(&task->preparation, self->layers, spec, err));
    task->note = native_note_new();
    if (task->note == NULL)
        return error_set(err, STATUS_BUSY, "no memory to start a task");
    task->kills_before = look_at_group(self);
    task->keeper = native_fork(keeper_main, &task->preparation, task->note, &task->pidfd);
    if (task->keeper < 0) {
        error_set(err, STATUS_BUSY, "the machine refuses another process");
        error_detail(err, "clone: %s", strerror(errno));
        return STATUS_BUSY;
    }
    preparation_close_theirs(&task->preparation);
    *ret_task = TAKE(task);
    return STATUS_OK;
}

/* ---- measuring and limits ---- */

static void count_time(struct running_task *task, int64_t now_mono_ms)
{
    int64_t step = now_mono_ms - task->seen_mono_ms;

    if (!task->is_suspended)
        task->usage.wall_ms += step < STEP_MAX_MS ? step : STEP_MAX_MS;
    task->seen_mono_ms = now_mono_ms;
}

static void measure_tree(struct running_task *task, uint32_t *ret_processes)
{
    struct tree_usage usage = usage_of_tree(task->keeper);

    *ret_processes = usage.processes;
    if (usage.cpu_ms > task->usage.cpu_ms) /* one that vanishes unreaped must not give time back */
        task->usage.cpu_ms = usage.cpu_ms;
    if (!task->note->has_execed)
        return; /* its memory is a copy of ours */
    task->usage.memory_bytes = usage.memory_bytes;
    if (usage.memory_bytes > task->usage.peak_memory_bytes)
        task->usage.peak_memory_bytes = usage.memory_bytes;
}

static enum run_limit limit_hit(const struct running_task *task, uint32_t processes)
{
    const struct run_limits *limits = &task->limits;
    const struct run_usage *usage = &task->usage;

    if (limits->cpu_s > 0 && usage->cpu_ms > limits->cpu_s * 1000)
        return RUN_LIMIT_CPU;
    if (limits->memory_bytes > 0 && usage->memory_bytes > limits->memory_bytes)
        return RUN_LIMIT_MEMORY;
    if (limits->disk_bytes > 0 && usage->disk_bytes > limits->disk_bytes)
        return RUN_LIMIT_DISK;
    if (processes > limits->processes)
        return RUN_LIMIT_PROCESSES;
    if (limits->wall_s > 0 && usage->wall_ms > limits->wall_s * 1000)
        return RUN_LIMIT_WALL;
    return RUN_LIMIT_NONE;
}

static void kill_task(struct running_task *task)
{
    if (task->has_ended || task->kill_was_asked)
        return;
    task->kill_was_asked = true;
    task->kill_mono_ms = task->env->now_mono_ms(task->env);
    order(task, ORDER_KILL);
}

static void measure(struct running_task *task, int64_t now_mono_ms)
{
    uint32_t processes = 0;

    if (task->measured_mono_ms != 0 && now_mono_ms - task->measured_mono_ms < MEASURE_MS)
        return;
    task->measured_mono_ms = now_mono_ms;
    measure_tree(task, &processes);
    if (task->disk_mono_ms == 0 || now_mono_ms - task->disk_mono_ms >= MEASURE_DISK_MS) {
        task->disk_mono_ms = now_mono_ms;
        task->usage.disk_bytes = usage_of_folder(task->preparation.slot);
        task->usage.progress_permille = progress_of_slot(task->preparation.slot);
    }
    if (task->kill_was_asked)
        return;
    task->limit = limit_hit(task, processes);
    if (task->limit != RUN_LIMIT_NONE)
        kill_task(task);
}

/*
 * A keeper that does not get round to killing is killed where the kernel then ends the rest. Where
 * it does not, only the keeper can find them: it is left to go on.
 */
static void lose_patience(struct running_task *task, int64_t now_mono_ms)
{
    if (!task->kill_was_asked || now_mono_ms - task->kill_mono_ms < PATIENCE_MS)
        return;
    if (is_active(task, LAYER_PID_NAMESPACE))
        (void)syscall(SYS_pidfd_send_signal, task->pidfd, SIGKILL, NULL, 0);
    else
        (void)syscall(SYS_pidfd_send_signal, task->pidfd, SIGCONT, NULL, 0);
}

/* ---- the end ---- */

static int64_t ms_of(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static void settle_usage(struct running_task *task, const struct rusage *used)
{
    struct run_usage *usage = &task->usage;
    const struct keeper_note *note = task->note;
    int64_t cpu_ms = ms_of(&used->ru_utime) + ms_of(&used->ru_stime);

    if (cpu_ms > usage->cpu_ms)
        usage->cpu_ms = cpu_ms;
    /* Up to that weight the peak may have been our own copy's. */
    if (note->peak_rss_bytes > note->copy_rss_bytes + COPY_SLACK &&
        note->peak_rss_bytes > usage->peak_memory_bytes)
        usage->peak_memory_bytes = note->peak_rss_bytes;
    usage->memory_bytes = 0;
    usage->disk_bytes = usage_of_folder(task->preparation.slot);
}

/* A program that takes a refused allocation for a given one dies of the next access. One that exits
   may do so for many reasons, and is believed to have hit only what it was seen beyond. */
static bool is_out_of_memory(const struct run_outcome *outcome, const struct run_usage *usage,
                             int64_t limit_bytes)
{
    bool is_signalled = outcome->end == RUN_SIGNALLED;

    return limit_bytes > 0 &&
           usage->peak_memory_bytes > (is_signalled ? NEAR_LIMIT(limit_bytes) : limit_bytes);
}

/* An app that failed by itself may have done so at a limit: a refused allocation, a full file. */
static enum run_limit limit_behind(const struct running_task *task)
{
    const struct run_outcome *outcome = &task->outcome;
    const struct run_usage *usage = &task->usage;
    const struct run_limits *limits = &task->limits;

    if (outcome->end == RUN_EXITED && outcome->code == 0)
        return RUN_LIMIT_NONE;
    if (outcome->end == RUN_SIGNALLED && outcome->code == SIGXCPU)
        return RUN_LIMIT_CPU;
    if (outcome->end == RUN_SIGNALLED && outcome->code == SIGXFSZ)
        return RUN_LIMIT_DISK;
    if (limits->cpu_s > 0 && usage->cpu_ms > limits->cpu_s * 1000)
        return RUN_LIMIT_CPU;
    if (is_out_of_memory(outcome, usage, limits->memory_bytes))
        return RUN_LIMIT_MEMORY;
    if (limits->disk_bytes > 0 && usage->disk_bytes >= limits->disk_bytes)
        return RUN_LIMIT_DISK;
    return RUN_LIMIT_NONE;
}

static void settle_end(struct running_task *task)
{
    struct run_outcome *outcome = &task->outcome;
    const struct keeper_note *note = task->note;

    if (note->failed_errno != 0) {
        outcome->end = RUN_NOT_STARTED;
        outcome->code = note->failed_errno;
        memcpy(outcome->failed_step, note->failed_step, sizeof outcome->failed_step);
    } else if (note->app_has_ended && WIFEXITED(note->app_status)) {
        outcome->end = RUN_EXITED;
        outcome->code = WEXITSTATUS(note->app_status);
        outcome->limit = limit_behind(task);
    } else if (note->app_has_ended) {
        outcome->end = RUN_SIGNALLED;
        outcome->code = WTERMSIG(note->app_status);
        outcome->limit = limit_behind(task);
    } else {
        outcome->end = task->kill_was_asked ? RUN_KILLED : RUN_LOST;
        outcome->code = SIGKILL;
        outcome->limit = task->limit;
    }
}

/*
 * A group's counter does not say whose process it was: a failure of ours while it rose is taken for
 * one. A program whose child was killed says so by a code or a signal of its own.
 */
static bool is_for_want_of_memory(const struct running_task *task)
{
    const struct run_outcome *outcome = &task->outcome;
    bool has_failed = outcome->end == RUN_LOST || outcome->end == RUN_SIGNALLED ||
                      (outcome->end == RUN_EXITED && outcome->code != 0);

    return has_failed && cgroup_memory(&cgroup_real).kills > task->kills_before;
}

static void settle_tail(struct run_outcome *outcome, const struct keeper_note *note)
{
    uint64_t written = note->tail_written;
    size_t length = written < RUN_STDERR_TAIL ? (size_t)written : RUN_STDERR_TAIL;

    outcome->tail_is_cut = written > RUN_STDERR_TAIL;
    outcome->tail_length = length;
    for (size_t i = 0; i < length; i++)
        outcome->tail[i] = note->tail[(written - length + i) % RUN_STDERR_TAIL];
}

static void end(struct running_task *task)
{
    struct rusage used = {0};
    int status;

    while (wait4(task->keeper, &status, __WALL, &used) < 0 && errno == EINTR)
        ;
    task->has_ended = true;
    settle_usage(task, &used);
    settle_end(task);
    task->outcome.is_for_want_of_memory = is_for_want_of_memory(task);
    settle_tail(&task->outcome, task->note);
    task->outcome.usage = task->usage;
}

static bool has_ended(const struct running_task *task)
{
    struct pollfd keeper = {.fd = task->pidfd, .events = POLLIN};

    return poll(&keeper, 1, 0) == 1;
}

static bool poll_task(struct running_task *task, struct run_outcome *ret_outcome)
{
    if (!task->has_ended) {
        int64_t now_mono_ms = task->env->now_mono_ms(task->env);

        count_time(task, now_mono_ms);
        if (has_ended(task)) {
            end(task);
        } else {
            measure(task, now_mono_ms);
            lose_patience(task, now_mono_ms);
        }
    }
    if (task->has_ended)
        *ret_outcome = task->outcome;
    return task->has_ended;
}

/* ---- the rest of the table ---- */

static int descriptor_of(const struct running_task *task)
{
    return task->pidfd;
}

static struct run_usage usage_of(const struct running_task *task)
{
    return task->usage;
}

static void suspend(struct running_task *task)
{
    if (task->has_ended || task->is_suspended)
        return;
    count_time(task, task->env->now_mono_ms(task->env));
    task->is_suspended = true;
    order(task, ORDER_SUSPEND);
}

static void resume(struct running_task *task)
{
    if (task->has_ended || !task->is_suspended)
        return;
    count_time(task, task->env->now_mono_ms(task->env));
    task->is_suspended = false;
    order(task, ORDER_RESUME);
}

static void release(struct running_task *task)
{
    if (task == NULL)
        return;
    if (!task->has_ended) {
        kill_task(task);
        if (is_active(task, LAYER_PID_NAMESPACE))
            (void)syscall(SYS_pidfd_send_signal, task->pidfd, SIGKILL, NULL, 0);
        end(task);
    }
    running_task_free(task);
}

static enum status collect(struct launcher *launcher, const struct collect_request *request,
                           struct collection **work, int64_t *bytes,
                           struct collected *ret_collected, struct error *err)
{
    (void)launcher;
    return collect_some(request, work, bytes, ret_collected, err);
}

static uint32_t layers_of(const struct launcher *launcher)
{
    return ((const struct native_launcher *)launcher)->layers;
}

static int64_t memory_of(const struct launcher *launcher)
{
    return ((const struct native_launcher *)launcher)->memory_bytes;
}

static void close_native(struct launcher *launcher)
{
    free(launcher);
}

static enum status check_minimum(uint32_t layers, uint32_t minimum, struct error *err)
{
    for (int i = 0; i < LAYER_COUNT; i++)
        if ((minimum & ~layers & LAYER_BIT(i)) != 0)
            return error_set(err, STATUS_FORBIDDEN, "this machine has no %s, which is required",
                             layer_name((enum layer)i));
    return STATUS_OK;
}

enum status launcher_open_native(struct env *env, const struct launcher_options *options,
                                 struct launcher **ret_launcher, struct error *err)
{
    const struct launcher_options none = {0};
    const struct launcher_options *chosen = options != NULL ? options : &none;
    uint32_t layers = native_probe(LAYERS_ALL & ~chosen->left_out);
    struct native_launcher *self;

    TRY(check_minimum(layers, chosen->minimum, err));
    self = must_alloc(1, sizeof *self);
    *self = (struct native_launcher){
        .base = {.start = start,
                 .poll = poll_task,
                 .descriptor = descriptor_of,
                 .usage = usage_of,
                 .suspend = suspend,
                 .resume = resume,
                 .kill = kill_task,
                 .release = release,
                 .collect = collect,
                 .layers = layers_of,
                 .memory_bytes = memory_of,
                 .close = close_native},
        .env = env,
        .layers = layers,
    };
    (void)look_at_group(self);
    *ret_launcher = &self->base;
    return STATUS_OK;
}
