#include "sandbox/preparation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/text.h"

#define STACK_BYTES (8 << 20)

static const struct preparation nothing = {.slot = -1,
                                           .in = -1,
                                           .out = -1,
                                           .err_read = -1,
                                           .err_write = -1,
                                           .orders_read = -1,
                                           .orders_write = -1};

static enum status failure(struct error *err, const char *words)
{
    int cause = errno;
    enum status status = STATUS_STORAGE;

    if (cause == ENOENT || cause == ENOTDIR)
        status = STATUS_NOT_FOUND;
    else if (cause == ENOSPC || cause == EDQUOT)
        status = STATUS_FULL;
    else if (cause == EMFILE || cause == ENFILE || cause == ENOMEM)
        status = STATUS_BUSY;
    error_set(err, status, "%s", words);
    error_detail(err, "%s", strerror(cause));
    return status;
}

static size_t count_texts(const char *const *texts)
{
    size_t count = 0;

    while (texts != NULL && texts[count] != NULL)
        count++;
    return count;
}

static char **copy_texts(const char *const *texts, size_t extra)
{
    size_t count = count_texts(texts);
    char **copies = must_alloc(count + extra + 1, sizeof *copies);

    for (size_t i = 0; i < count; i++)
        copies[i] = text_copy(texts[i]);
    return copies;
}

static void free_texts(char **texts)
{
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        free(texts[i]);
    free(texts);
}

static enum status check(const struct run_spec *spec, struct error *err)
{
    if (spec->slot == NULL || spec->slot[0] != '/')
        return error_set(err, STATUS_INVALID, "slot is not an absolute path");
    if (spec->executable == NULL || spec->executable[0] != '/')
        return error_set(err, STATUS_INVALID, "executable is not an absolute path");
    if (count_texts(spec->arguments) < 1 || count_texts(spec->arguments) > RUN_MAX_ARGUMENTS)
        return error_set(err, STATUS_INVALID, "arguments: 1 to %d", RUN_MAX_ARGUMENTS);
    if (count_texts(spec->environment) > RUN_MAX_ENVIRONMENT)
        return error_set(err, STATUS_INVALID, "environment: up to %d", RUN_MAX_ENVIRONMENT);
    for (size_t i = 0; i < count_texts(spec->environment); i++)
        if (strchr(spec->environment[i], '=') == NULL || spec->environment[i][0] == '=')
            return error_set(err, STATUS_INVALID, "environment: an entry is not NAME=value");
    if (spec->stdout_name != NULL && !text_is_file_name(spec->stdout_name))
        return error_set(err, STATUS_INVALID, "stdout is not a file name");
    return STATUS_OK;
}

static bool is_named(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; environment[i] != NULL; i++)
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return true;
    return false;
}

static char **make_environment(const struct run_spec *spec)
{
    const char *const added[][2] = {{"PATH", "/usr/bin:/bin"},
                                    {"HOME", spec->slot},
                                    {"TMPDIR", spec->slot},
                                    {"LANG", "C.UTF-8"}};
    const size_t added_count = sizeof added / sizeof added[0];
    char **environment = copy_texts(spec->environment, added_count);
    size_t count = count_texts((const char *const *)environment);

    for (size_t i = 0; i < added_count; i++)
        if (!is_named(environment, added[i][0]))
            environment[count++] = text_format("%s=%s", added[i][0], added[i][1]);
    return environment;
}

static void add_limit(struct preparation *preparation, __rlimit_resource_t resource, int64_t soft,
                      int64_t hard)
{
    struct prepared_limit *limit = &preparation->limits[preparation->limit_count++];
    struct rlimit own = {.rlim_max = RLIM_INFINITY};

    assert(preparation->limit_count <= PREPARED_LIMITS_MAX);
    (void)getrlimit(resource, &own);
    *limit =
        (struct prepared_limit){.resource = resource, .soft = (rlim_t)soft, .hard = (rlim_t)hard};
    if (limit->hard > own.rlim_max)
        limit->hard = own.rlim_max;
    if (limit->soft > limit->hard)
        limit->soft = limit->hard;
}

/* Since 5.14 RLIMIT_NPROC counts per user namespace; before, and without one, all of the user's. */
static bool processes_are_counted_apart(uint32_t layers)
{
    struct utsname kernel;
    int major = 0, minor = 0;

    if ((layers & LAYER_BIT(LAYER_USER_NAMESPACE)) == 0 || uname(&kernel) != 0)
        return false;
    return sscanf(kernel.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 14));
}

/*
 * Each bounds one process, so each is only a backstop for what poll() measures of the whole tree:
 * hence the margins, else the app would be refused before it is over its limit. Memory is bounded
 * by RLIMIT_DATA, for RLIMIT_AS also counts address space that is reserved and never used.
 */
static void add_limits(struct preparation *preparation, const struct run_limits *limits)
{
    int64_t cpu_s = limits->cpu_s + limits->cpu_s / 10 + 5;
    int64_t data = limits->memory_bytes + limits->memory_bytes / 8 + (32 << 20);
    uint32_t processes = limits->processes > 0 ? limits->processes : RUN_PROCESSES;
    uint32_t files = limits->descriptors > 0 ? limits->descriptors : RUN_DESCRIPTORS;

    if (limits->cpu_s > 0)
        add_limit(preparation, RLIMIT_CPU, cpu_s, cpu_s + 5);
    if (limits->memory_bytes > 0)
        add_limit(preparation, RLIMIT_DATA, data, data);
    if (limits->disk_bytes > 0)
        add_limit(preparation, RLIMIT_FSIZE, limits->disk_bytes, limits->disk_bytes);
    if (processes_are_counted_apart(preparation->layers))
        add_limit(preparation, RLIMIT_NPROC, processes + 1, processes + 1); /* and the keeper */
    add_limit(preparation, RLIMIT_NOFILE, files, files);
    add_limit(preparation, RLIMIT_STACK, STACK_BYTES, 8 * STACK_BYTES);
    add_limit(preparation, RLIMIT_CORE, 0, 0);
    add_limit(preparation, RLIMIT_MEMLOCK, 0, 0);
    add_limit(preparation, RLIMIT_MSGQUEUE, 0, 0);
    add_limit(preparation, RLIMIT_RTPRIO, 0, 0);
}

/*
 * The name may be a hard link the app made to a file of ours, in an earlier run in this slot:
 * never open what is there, make it anew.
 */
static enum status open_stdout(struct preparation *preparation, const char *name, struct error *err)
{
    if (name == NULL)
        return STATUS_OK;
    if (unlinkat(preparation->slot, name, 0) != 0 && errno != ENOENT)
        return failure(err, "the file for stdout cannot be replaced");
    (void)close(preparation->out);
    preparation->out =
        openat(preparation->slot, name,
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
    if (preparation->out < 0)
        return failure(err, "the file for stdout cannot be made");
    return STATUS_OK;
}

static enum status open_pipes(struct preparation *preparation, struct error *err)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) != 0)
        return failure(err, "no more files can be opened");
    preparation->err_read = pair[0];
    preparation->err_write = pair[1];
    if (fcntl(preparation->err_read, F_SETFL, O_NONBLOCK) != 0 ||
        pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        return failure(err, "no more files can be opened");
    preparation->orders_read = pair[0];
    preparation->orders_write = pair[1];
    return STATUS_OK;
}

static enum status begin(struct preparation *preparation, uint32_t layers, struct error *err)
{
    *preparation = nothing;
    preparation->layers = layers;
    (void)snprintf(preparation->user_map, sizeof preparation->user_map, "%u %u 1\n",
                   (unsigned)geteuid(), (unsigned)geteuid());
    (void)snprintf(preparation->group_map, sizeof preparation->group_map, "%u %u 1\n",
                   (unsigned)getegid(), (unsigned)getegid());
    preparation->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    preparation->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (preparation->in < 0 || preparation->out < 0)
        return failure(err, "/dev/null cannot be opened");
    return open_pipes(preparation, err);
}

enum status preparation_init_empty(struct preparation *preparation, uint32_t layers,
                                   struct error *err)
{
    TRY(begin(preparation, layers, err));
    preparation->slot = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (preparation->slot < 0)
        return failure(err, "the root folder cannot be opened");
    add_limits(preparation, &(struct run_limits){0});
    return STATUS_OK;
}

enum status preparation_init(struct preparation *preparation, uint32_t layers,
                             const struct run_spec *spec, struct error *err)
{
    *preparation = nothing;
    TRY(check(spec, err));
    TRY(begin(preparation, layers, err));
    preparation->slot = open(spec->slot, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (preparation->slot < 0)
        return failure(err, "the slot cannot be opened");
    TRY(open_stdout(preparation, spec->stdout_name, err));
    preparation->executable = text_copy(spec->executable);
    preparation->arguments = copy_texts(spec->arguments, 0);
    preparation->environment = make_environment(spec);
    add_limits(preparation, &spec->limits);
    return STATUS_OK;
}

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

/*
 * Not orders_read: as long as we hold it, too, writing an order to a keeper that is gone raises no
 * SIGPIPE.
 */
void preparation_close_theirs(struct preparation *preparation)
{
    close_one(&preparation->in);
    close_one(&preparation->out);
    close_one(&preparation->err_read);
    close_one(&preparation->err_write);
}

void preparation_clear(struct preparation *preparation)
{
    preparation_close_theirs(preparation);
    close_one(&preparation->slot);
    close_one(&preparation->orders_read);
    close_one(&preparation->orders_write);
    free(preparation->executable);
    free_texts(preparation->arguments);
    free_texts(preparation->environment);
    *preparation = nothing;
}
