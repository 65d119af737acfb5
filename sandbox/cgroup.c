#include "sandbox/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define TEXT_MAX 4096 /* of such a file */

const struct cgroup_roots cgroup_real = {.process = "/proc/self", .groups = "/sys/fs/cgroup"};

/* What the two versions call the same. */
static const struct version {
    const char *folder; /* below the root of all groups */
    const char *limit;
    const char *events; /* holds a line "oom_kill N" */
} versions[] = {
    {"", "memory.max", "memory.events"},
    {"/memory", "memory.limit_in_bytes", "memory.oom_control"},
};

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static bool read_text(const char *path, char ret_text[TEXT_MAX])
{
    CLEANUP(close_descriptor) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? -1 : read(descriptor, ret_text, TEXT_MAX - 1);

    if (got < 0)
        return false;
    ret_text[got] = '\0';
    return true;
}

static bool read_file(const char *folder, const char *name, char ret_text[TEXT_MAX])
{
    char path[2 * PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           read_text(path, ret_text);
}

/* "max", and what v1 says of no limit, which is nearly 2^63: INT64_MAX. */
static int64_t limit_of(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);

    return end == text || value < 0 || value > INT64_MAX / 2 ? INT64_MAX : value;
}

static int64_t kills_of(const char *text)
{
    const char *at = strstr(text, "oom_kill ");

    return at != NULL ? strtoll(at + strlen("oom_kill "), NULL, 10) : 0;
}

/* Of a line "N:controllers:/path": is it the one where memory is counted? */
static bool is_of_memory(const char *line, const struct version *version)
{
    const char *first = strchr(line, ':');
    const char *second = first != NULL ? strchr(first + 1, ':') : NULL;
    size_t length = second != NULL ? (size_t)(second - first - 1) : 0;

    if (second == NULL)
        return false;
    if (version->folder[0] == '\0')
        return length == 0;
    return length == strlen("memory") && strncmp(first + 1, "memory", length) == 0;
}

/* From the group up to the root: each may have less than the one below it. */
static void look_upwards(char *path, size_t root_length, const struct version *version,
                         struct cgroup_memory *memory)
{
    char text[TEXT_MAX];

    if (read_file(path, version->events, text))
        memory->kills += kills_of(text);
    for (;;) {
        char *slash = strrchr(path, '/');

        if (read_file(path, version->limit, text) && limit_of(text) < memory->limit_bytes)
            memory->limit_bytes = limit_of(text);
        if (slash == NULL || (size_t)(slash - path) < root_length)
            return;
        *slash = '\0';
    }
}

static void look(const struct cgroup_roots *roots, const struct version *version, const char *line,
                 struct cgroup_memory *memory)
{
    const char *group = strchr(strchr(line, ':') + 1, ':') + 1;
    size_t length = strcspn(group, "\n");
    char path[PATH_MAX];
    int written = snprintf(path, sizeof path, "%s%s%.*s", roots->groups, version->folder,
                           (int)(length == 1 ? 0 : length), group);

    if (written > 0 && written < (int)sizeof path)
        look_upwards(path, strlen(roots->groups) + strlen(version->folder), version, memory);
}

struct cgroup_memory cgroup_memory(const struct cgroup_roots *roots)
{
    struct cgroup_memory memory = {.limit_bytes = INT64_MAX};
    char text[TEXT_MAX];

    if (!read_file(roots->process, "cgroup", text))
        return memory;
    for (const char *line = text; line != NULL && *line != '\0';
         line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL)
        for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
            if (is_of_memory(line, &versions[i]))
                look(roots, &versions[i], line, &memory);
    return memory;
}
