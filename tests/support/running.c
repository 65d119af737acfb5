#include "tests/support/running.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/env/real.h"
#include "tests/support/ending.h"

#define PATIENCE_MS 20000

char slot[64];
struct env *env;
struct launcher *launcher;
struct run_outcome outcome;
#define IDLE LAYER_BIT(LAYER_IDLE_PRIORITY)
const uint32_t layers_left_out[2] = {IDLE, IDLE | NAMESPACES};

void open_without(uint32_t left_out)
{
    const struct launcher_options options = {.left_out = left_out};

    launcher_close(launcher);
    cr_assert(eq(int, launcher_open_native(env, &options, &launcher, NULL), STATUS_OK));
}

void running_set_up(void)
{
    env = env_real();
    (void)strcpy(slot, "/tmp/dugnad-slot-XXXXXX");
    cr_assert(mkdtemp(slot) != NULL);
    open_without(IDLE);
}

void running_tear_down(void)
{
    launcher_close(launcher);
    END_MUST(env->disk->remove_tree(env->disk, slot, NULL) == STATUS_OK);
}

struct running_task *start_with(const char *script, struct run_spec spec)
{
    const char *const arguments[] = {"sh", "-c", script, NULL};
    struct running_task *task = NULL;
    struct error err = {0};

    spec.slot = slot;
    spec.executable = spec.executable != NULL ? spec.executable : "/bin/sh";
    spec.arguments = spec.arguments != NULL ? spec.arguments : arguments;
    cr_assert(eq(int, launcher->start(launcher, &spec, &task, &err), STATUS_OK), "%s: %s", err.text,
              err.detail);
    return task;
}

bool ends_within(struct running_task *task, int64_t ms)
{
    int64_t until = env->now_mono_ms(env) + ms;

    while (!launcher->poll(task, &outcome)) {
        struct pollfd ended = {.fd = launcher->descriptor(task), .events = POLLIN};

        if (env->now_mono_ms(env) > until)
            return false;
        (void)poll(&ended, 1, 50);
    }
    return true;
}

void run_with(const char *script, struct run_spec spec)
{
    struct running_task *task = start_with(script, spec);

    cr_assert(ends_within(task, PATIENCE_MS));
    launcher->release(task);
}

void run(const char *script)
{
    run_with(script, (struct run_spec){0});
}

const char *content_of(const char *name)
{
    static struct buffer content;
    struct disk_path path;

    buffer_clear(&content);
    buffer_init(&content, 1 << 20);
    cr_assert(eq(int, disk_join(&path, NULL, "%s/%s", slot, name), STATUS_OK));
    cr_assert(eq(int, env->disk->read(env->disk, path.text, &content, NULL), STATUS_OK));
    return buffer_text(&content);
}

int count_processes(const char *word)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(proc)) != NULL) {
        char path[300], line[4096];
        int descriptor;
        ssize_t got;

        (void)snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        descriptor = open(path, O_RDONLY);
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || descriptor < 0)
            continue;
        got = read(descriptor, line, sizeof line);
        (void)close(descriptor);
        count += got > 0 && memmem(line, (size_t)got, word, strlen(word)) != NULL;
    }
    (void)closedir(proc);
    return count;
}

bool is_reached_within(const char *word, bool any, int64_t ms)
{
    int64_t until = env->now_mono_ms(env) + ms;

    while ((count_processes(word) > 0) != any) {
        if (env->now_mono_ms(env) > until)
            return false;
        env->sleep_ms(env, 20);
    }
    return true;
}

void expect_killed_for(enum run_limit limit)
{
    cr_expect(eq(int, (int)outcome.end, RUN_KILLED));
    cr_expect(eq(int, (int)outcome.limit, (int)limit));
}
