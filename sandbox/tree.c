#include "sandbox/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define PATH_MAX_CHARS 64

/* snprintf() may allocate. */
static char *put_text(char *to, const char *text)
{
    while (*text != '\0')
        *to++ = *text++;
    *to = '\0';
    return to;
}

static char *put_number(char *to, pid_t number)
{
    char digits[16];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *to++ = digits[--count];
    *to = '\0';
    return to;
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

struct found {
    pid_t *pids;
    size_t count, max;
};

static void add(struct found *found, pid_t pid)
{
    if (pid > 0 && found->count < found->max)
        found->pids[found->count++] = pid;
}

/* "12 345 6 " in pieces: a number may be cut between two. */
static void read_numbers(int descriptor, struct found *found)
{
    char chunk[1024];
    ssize_t got;
    pid_t number = 0;

    while ((got = read(descriptor, chunk, sizeof chunk)) > 0)
        for (ssize_t i = 0; i < got; i++) {
            if (chunk[i] >= '0' && chunk[i] <= '9') {
                number = number * 10 + (chunk[i] - '0');
                continue;
            }
            add(found, number);
            number = 0;
        }
    add(found, number);
}

static void read_thread(int threads, const char *thread, struct found *found)
{
    char path[PATH_MAX_CHARS];
    CLEANUP(close_descriptor) int children = -1;

    if (strlen(thread) > 16)
        return;
    (void)put_text(put_text(path, thread), "/children");
    children = openat(threads, path, O_RDONLY | O_CLOEXEC);
    if (children >= 0)
        read_numbers(children, found);
}

size_t tree_children(pid_t parent, pid_t *ret_pids, size_t max)
{
    struct found found = {.pids = ret_pids, .max = max};
    char path[PATH_MAX_CHARS];
    _Alignas(8) char entries[2048];
    CLEANUP(close_descriptor) int threads = -1;
    long got;

    (void)put_text(put_number(put_text(path, "/proc/"), parent), "/task");
    threads = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (threads < 0)
        return 0;
    while ((got = syscall(SYS_getdents64, threads, entries, sizeof entries)) > 0)
        for (long i = 0; i < got;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(entries + i);

            if (entry->d_name[0] != '.')
                read_thread(threads, entry->d_name, &found);
            i += entry->d_reclen;
        }
    return found.count;
}

size_t tree_descendants(pid_t root, pid_t *ret_pids, size_t max)
{
    size_t count = tree_children(root, ret_pids, max);

    for (size_t i = 0; i < count; i++)
        count += tree_children(ret_pids[i], ret_pids + count, max - count);
    return count;
}
