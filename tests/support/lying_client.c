/*
 * A dugnad-client whose machine corrupts results: the product's own client over a launcher that,
 * now and then, changes an output after its task has ended. For the demo and integration tests.
 *
 *     lying-client run --lie 0.2 --lie-first 2 --data DIR …
 *
 * spoils the first two outputs of each name, and about every fifth after them: a share alone may
 * leave the few tasks of a short batch all honest. Everything else is dugnad-client.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "sandbox/collect.h"

static struct launcher liar; /* the real one's table but for collect() */
static struct launcher *honest;
static double share;      /* of outputs that are spoilt */
static double first_ones; /* of each output name that are spoilt whatever the share is */
static int stop_pipe[2] = {-1, -1};

#define NAMES_MAX 8 /* later names have no first ones */

/* How many outputs of that name were collected before. */
static int count_of(const char *name)
{
    static struct {
        char name[128];
        int count;
    } seen[NAMES_MAX];

    for (size_t i = 0; i < NAMES_MAX; i++) {
        if (seen[i].count == 0)
            (void)snprintf(seen[i].name, sizeof seen[i].name, "%s", name);
        if (strcmp(seen[i].name, name) == 0)
            return seen[i].count++;
    }
    return INT_MAX;
}

static bool lies_about(const char *name)
{
    struct env *env = env_real();
    uint64_t bits;

    if (count_of(name) < first_ones)
        return true;
    env->random(env, &bits, sizeof bits);
    return (double)(bits % 1000000) < share * 1000000;
}

/* Another last digit, so that the lie looks like a result; else another last byte. */
static void spoil_bytes(struct disk *disk, struct disk_file *file, int64_t size)
{
    char last = '0';
    int64_t at = size;
    size_t got = 1;

    do {
        at--;
        (void)disk->read_at(file, at, &last, 1, &got, NULL);
    } while (at > 0 && (last < '0' || last > '9'));
    last = last >= '0' && last < '9' ? (char)(last + 1) : '0';
    (void)disk->write_at(file, at, &last, 1, NULL);
}

static void spoil(const struct collect_request *request)
{
    struct disk *disk = request->disk;
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct disk_path path;
    int64_t size = 0;

    if (disk_join(&path, NULL, "%s/%s", request->slot, request->name) != STATUS_OK ||
        disk->open_write(disk, path.text, 0600, &file, NULL) != STATUS_OK ||
        disk->size(file, &size, NULL) != STATUS_OK)
        return;
    if (size > 0)
        spoil_bytes(disk, file, size);
    else
        (void)disk->write_at(file, 0, "0\n", 2, NULL);
    (void)fprintf(stderr, "lying-client: spoilt %s\n", path.text);
}

static enum status collect(struct launcher *launcher, const struct collect_request *request,
                           struct collection **work, int64_t *bytes,
                           struct collected *ret_collected, struct error *err)
{
    (void)launcher;
    if (*work == NULL && lies_about(request->name))
        spoil(request);
    return honest->collect(honest, request, work, bytes, ret_collected, err);
}

static enum status start(struct launcher *launcher, const struct run_spec *spec,
                         struct running_task **ret_task, struct error *err)
{
    (void)launcher;
    return honest->start(honest, spec, ret_task, err);
}

static uint32_t layers(const struct launcher *launcher)
{
    (void)launcher;
    return honest->layers(honest);
}

static int64_t memory_bytes(const struct launcher *launcher)
{
    (void)launcher;
    return honest->memory_bytes(honest);
}

static void close_both(struct launcher *launcher)
{
    (void)launcher;
    honest->close(honest);
}

static enum status open_launcher(struct client_world *world, struct launcher **ret_launcher,
                                 struct error *err)
{
    TRY(launcher_open_native(world->env, NULL, &honest, err));
    liar = *honest;
    liar.start = start;
    liar.collect = collect;
    liar.layers = layers;
    liar.memory_bytes = memory_bytes;
    liar.close = close_both;
    *ret_launcher = &liar;
    return STATUS_OK;
}

static enum status open_http(struct http_client **ret_http, struct error *err)
{
    const struct http_client_options options = {.user_agent = CLIENT_NAME "/" CLIENT_VERSION};

    return http_client_open_curl(&options, ret_http, err);
}

static bool nobody(void)
{
    return false;
}

static bool nobody_says_yes(const char *question)
{
    (void)question;
    return false;
}

static char *absolute(const char *path)
{
    return realpath(path, NULL);
}

static void on_stop(int number)
{
    int before = errno;

    (void)number;
    if (write(stop_pipe[1], "", 1) < 0)
        errno = before;
    errno = before;
}

static void on_pipe(int number)
{
    (void)number;
}

/* Takes "OPTION NUMBER" out of the words; without it the number stays. False: no such number. */
static bool take_number(const char *option, double max, double *number, int *argc, char **argv)
{
    for (int i = 1; i + 1 < *argc; i++) {
        char *end = NULL;

        if (strcmp(argv[i], option) != 0)
            continue;
        *number = strtod(argv[i + 1], &end);
        memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof *argv);
        *argc -= 2;
        return *end == '\0' && *number >= 0 && *number <= max;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct client_world world = {
        .env = env_real(),
        .home = getenv("HOME"),
        .is_root = geteuid() == 0,
        .open_http = open_http,
        .open_launcher = open_launcher,
        .confirm = nobody_says_yes,
        .has_terminal = nobody,
        .absolute = absolute,
    };

    if (!take_number("--lie", 1, &share, &argc, argv) ||
        !take_number("--lie-first", 1000, &first_ones, &argc, argv)) {
        (void)fprintf(stderr, "usage: lying-client COMMAND --lie SHARE --lie-first COUNT …, "
                              "a share of 0 to 1, a count up to 1000\n");
        return OPTIONS_EXIT_USAGE;
    }
    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return EXIT_FAILED;
    world.stop_descriptor = stop_pipe[0];
    (void)signal(SIGTERM, on_stop);
    (void)signal(SIGINT, on_stop);
    (void)signal(SIGPIPE, on_pipe);
    return client_program_run(&world, argc, (const char *const *)argv);
}
