#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#define OLD_KERNEL_DESCRIPTORS 65536 /* highest looked at where there is no close_range() */
#define CAPABILITIES_MAX       64

static int write_file(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);
    ssize_t written;

    if (descriptor < 0)
        return -1;
    written = write(descriptor, text, length);
    (void)close(descriptor);
    return written == (ssize_t)length ? 0 : -1;
}

/* A user without rights may map only itself, and only once it gave up changing its groups. */
static int map_ids(const struct preparation *preparation)
{
    if (write_file("/proc/self/setgroups", "deny") != 0 ||
        write_file("/proc/self/uid_map", preparation->user_map) != 0)
        return -1;
    return write_file("/proc/self/gid_map", preparation->group_map);
}

static int become_subreaper(const struct preparation *preparation)
{
    (void)preparation;
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/*
 * In a PID namespace the kernel ends the rest with its init. Without one, the keeper must live on
 * to find and kill the rest: there the end of its orders tells it that its client is gone.
 */
static int keeper_dies_with_client(const struct preparation *preparation)
{
    if ((preparation->layers & LAYER_BIT(LAYER_PID_NAMESPACE)) == 0)
        return 0;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static int task_dies_with_keeper(const struct preparation *preparation)
{
    (void)preparation;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static int forbid_new_privileges(const struct preparation *preparation)
{
    (void)preparation;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Where exec could give some back: to uid 0, and through file capabilities. */
static int close_ways_back(void)
{
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                               SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

    for (unsigned long i = 0; i < CAPABILITIES_MAX; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL)
            return -1;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0);
}

static int drop_capabilities(const struct preparation *preparation)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct held[2] = {0}, none[2] = {0};

    (void)preparation;
    if (syscall(SYS_capget, &header, held) != 0)
        return -1;
    if ((held[0].effective & (1U << CAP_SETPCAP)) != 0 && close_ways_back() != 0)
        return -1;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_capset, &header, none);
}

static int set_limits(const struct preparation *preparation)
{
    for (size_t i = 0; i < preparation->limit_count; i++) {
        const struct prepared_limit *limit = &preparation->limits[i];
        struct rlimit bounds = {.rlim_cur = limit->soft, .rlim_max = limit->hard};

        if (setrlimit(limit->resource, &bounds) != 0)
            return -1;
    }
    return 0;
}

/*
 * The keeper is nice, but not idle: on a busy machine, too, it must get round to a kill. Its
 * session is new, and where the kernel groups by session such a group weighs as much as any other,
 * idle or not, unless it is nice itself. Not every kernel groups so.
 */
static int keeper_yields(const struct preparation *preparation)
{
    (void)preparation;
    (void)write_file("/proc/self/autogroup", "19");
    if (setpriority(PRIO_PROCESS, 0, 19) != 0)
        return -1;
    return write_file("/proc/self/oom_score_adj", "1000");
}

static int task_idles(const struct preparation *preparation)
{
    const struct sched_param none = {0};

    (void)preparation;
    return sched_setscheduler(0, SCHED_IDLE, &none);
}

static int close_between(unsigned first, unsigned last)
{
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
        return 0;
    if (errno != ENOSYS)
        return -1;
    for (unsigned i = first; i <= last && i < OLD_KERNEL_DESCRIPTORS; i++)
        (void)close((int)i);
    return 0;
}

/* Insertion into a sorted row: there are half a dozen. */
static void sort(unsigned *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && numbers[j] < numbers[j - 1]; j--) {
            unsigned held = numbers[j];

            numbers[j] = numbers[j - 1];
            numbers[j - 1] = held;
        }
}

/* The client's connections, locks and keys: a keeper holds none of them. */
static int keeper_closes(const struct preparation *preparation)
{
    unsigned kept[] = {
        (unsigned)preparation->slot,      (unsigned)preparation->in,
        (unsigned)preparation->out,       (unsigned)preparation->err_read,
        (unsigned)preparation->err_write, (unsigned)preparation->orders_read,
    };
    const size_t count = sizeof kept / sizeof kept[0];
    unsigned next = 0;

    sort(kept, count);
    for (size_t i = 0; i < count; i++) {
        if (kept[i] > next && close_between(next, kept[i] - 1) != 0)
            return -1;
        next = kept[i] + 1;
    }
    return close_between(next, ~0U);
}

/* Closed by exec, not now: until then the keeper is to see that it has not happened. */
static int task_closes(const struct preparation *preparation)
{
    (void)preparation;
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    if (errno != ENOSYS && errno != EINVAL)
        return -1;
    for (int i = 3; i < OLD_KERNEL_DESCRIPTORS; i++)
        (void)fcntl(i, F_SETFD, FD_CLOEXEC);
    return 0;
}

/*
 * In the order of application. Giving up capabilities clears the death signal, and makes
 * /proc/self unwritable: so the one comes before parent-death, the other after what writes there.
 */
static const struct row {
    enum layer layer;
    uint64_t namespaces;
    int (*in_keeper)(const struct preparation *preparation); /* NULL: nothing to do there */
    int (*in_task)(const struct preparation *preparation);
} rows[] = {
    {LAYER_USER_NAMESPACE, CLONE_NEWUSER, map_ids, NULL},
    {LAYER_PID_NAMESPACE, CLONE_NEWPID, NULL, NULL},
    {LAYER_NETWORK_NAMESPACE, CLONE_NEWNET, NULL, NULL},
    {LAYER_SUBREAPER, 0, become_subreaper, NULL},
    {LAYER_IDLE_PRIORITY, 0, keeper_yields, task_idles},
    {LAYER_RESOURCE_LIMITS, 0, NULL, set_limits},
    {LAYER_NO_NEW_PRIVILEGES, 0, NULL, forbid_new_privileges},
    {LAYER_CAPABILITIES, 0, NULL, drop_capabilities},
    {LAYER_DESCRIPTORS, 0, keeper_closes, task_closes},
    {LAYER_PARENT_DEATH, 0, keeper_dies_with_client, task_dies_with_keeper},
};
#define ROWS (sizeof rows / sizeof rows[0])
_Static_assert(ROWS == LAYER_COUNT, "a layer has no row");

uint64_t confine_namespaces(uint32_t layers)
{
    uint64_t namespaces = 0;

    for (size_t i = 0; i < ROWS; i++)
        if ((layers & LAYER_BIT(rows[i].layer)) != 0)
            namespaces |= rows[i].namespaces;
    return namespaces;
}

static enum layer apply(const struct preparation *preparation, bool is_keeper, uint32_t *failed)
{
    for (size_t i = 0; i < ROWS; i++) {
        int (*layer_apply)(const struct preparation *) =
            is_keeper ? rows[i].in_keeper : rows[i].in_task;

        if ((preparation->layers & LAYER_BIT(rows[i].layer)) == 0 || layer_apply == NULL ||
            layer_apply(preparation) == 0)
            continue;
        if (failed == NULL)
            return rows[i].layer;
        *failed |= LAYER_BIT(rows[i].layer);
    }
    return LAYER_COUNT;
}

enum layer confine_keeper(const struct preparation *preparation, uint32_t *failed)
{
    return apply(preparation, true, failed);
}

enum layer confine_task(const struct preparation *preparation, uint32_t *failed)
{
    return apply(preparation, false, failed);
}
