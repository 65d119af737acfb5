#include "sandbox/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "sandbox/tree.h"

#define STAT_MAX_CHARS 1024

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static void close_folder(DIR *folder)
{
    (void)closedir(folder);
}
DEFINE_CLEANUP(DIR *, close_folder)

/* See proc(5), /proc/pid/stat. The name before may hold anything, also ')': search from the end. */
static bool read_stat(pid_t pid, struct tree_usage *ret_usage)
{
    char path[64], text[STAT_MAX_CHARS];
    const int64_t tick_ms = 1000 / sysconf(_SC_CLK_TCK);
    unsigned long own_user, own_system, threads;
    long reaped_user, reaped_system, pages;
    CLEANUP(close_descriptor) int descriptor = -1;
    const char *rest;
    ssize_t got;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    got = descriptor < 0 ? -1 : read(descriptor, text, sizeof text - 1);
    if (got <= 0)
        return false;
    text[got] = '\0';
    rest = strrchr(text, ')');
    if (rest == NULL ||
        sscanf(rest,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d %lu "
               "%*d %*u %*u %ld",
               &own_user, &own_system, &reaped_user, &reaped_system, &threads, &pages) != 6)
        return false;
    *ret_usage = (struct tree_usage){
        .cpu_ms =
            ((int64_t)(own_user + own_system) + (int64_t)(reaped_user + reaped_system)) * tick_ms,
        .memory_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE),
        .processes = (uint32_t)threads,
    };
    return true;
}

/* The keeper's memory is a copy of ours, and it is not the task's process: only its time counts. */
struct tree_usage usage_of_tree(pid_t keeper)
{
    pid_t pids[TREE_MAX];
    size_t count = tree_descendants(keeper, pids, TREE_MAX);
    struct tree_usage sum = {0}, one;

    if (read_stat(keeper, &one))
        sum.cpu_ms = one.cpu_ms;
    for (size_t i = 0; i < count; i++) {
        if (!read_stat(pids[i], &one))
            continue;
        sum.cpu_ms += one.cpu_ms;
        sum.memory_bytes += one.memory_bytes;
        sum.processes += one.processes;
    }
    return sum;
}

struct measure {
    int64_t bytes;
    uint32_t files;
    bool is_too_large;
};

static void add_entry(struct measure *measure, const struct stat *facts)
{
    int64_t blocks = (int64_t)facts->st_blocks * 512;
    int64_t bytes = S_ISREG(facts->st_mode) && facts->st_size > blocks ? facts->st_size : blocks;

    measure->files++;
    if (measure->files > USAGE_MAX_FILES || bytes > INT64_MAX - measure->bytes)
        measure->is_too_large = true;
    else
        measure->bytes += bytes;
}

/* Takes `descriptor` over. */
static void measure_folder(int descriptor, int depth, struct measure *measure)
{
    CLEANUP(close_folderp) DIR *folder = fdopendir(descriptor);
    struct dirent *entry;

    if (folder == NULL) {
        (void)close(descriptor);
        return;
    }
    if (depth > USAGE_MAX_DEPTH)
        measure->is_too_large = true;
    while (!measure->is_too_large && (entry = readdir(folder)) != NULL) {
        struct stat facts;
        int below;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        add_entry(measure, &facts);
        if (!S_ISDIR(facts.st_mode))
            continue;
        below =
            openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            measure_folder(below, depth + 1, measure);
    }
}

int64_t usage_of_folder(int folder)
{
    struct measure measure = {0};
    int descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (descriptor < 0)
        return 0;
    measure_folder(descriptor, 0, &measure);
    return measure.is_too_large ? INT64_MAX : measure.bytes;
}
