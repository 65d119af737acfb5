/*
 * Starts tasks, each in its slot folder, and supervises them without ever blocking. A table of
 * functions: launcher_open_native() fills it with the real thing, tests and the simulator with
 * their own.
 *
 * A running task is a small tree: a keeper (ours, never execs) and below it whatever the app
 * starts. Nothing of the tree outlives the app's first process, a kill, or this process's own end,
 * however sudden. Whether that holds against an app that tries to escape depends on the layers this
 * machine has: ask launcher_layers().
 *
 * Threads: a launcher and its tasks belong to one thread, and that thread lives as long as the
 * process (the kernel ends the tasks with it). Other threads may do what they like.
 */
#ifndef SANDBOX_LAUNCHER_H
#define SANDBOX_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "sandbox/layers.h"

struct env;
struct collect_request; /* sandbox/collect.h */
struct collected;
struct collection;

#define RUN_MAX_ARGUMENTS   1024 /* argv without the terminating NULL */
#define RUN_MAX_ENVIRONMENT 256
#define RUN_PROCESSES       128
#define RUN_DESCRIPTORS     256
#define RUN_STDERR_TAIL     16384 /* bytes; DESIGN section 8 */
#define RUN_POLL_MS         1000  /* poll() each task at least this often: limits are held there */

/* 0: not limited, unless a default is named. */
struct run_limits {
    int64_t memory_bytes; /* resident, of all processes; pages they share count for each */
    int64_t disk_bytes;   /* of the slot folder, as allocated or as long, whichever is more */
    int64_t cpu_s;        /* of all processes */
    int64_t wall_s;       /* without the time it was suspended */
    uint32_t processes;   /* and threads, at a time; default RUN_PROCESSES */
    uint32_t descriptors; /* per process; default RUN_DESCRIPTORS */
};

/* Everything is copied by start(). */
struct run_spec {
    const char *slot;               /* absolute path of an existing folder; the current folder */
    const char *executable;         /* absolute path */
    const char *const *arguments;   /* NULL-terminated, argv[0] included */
    const char *const *environment; /* NULL-terminated "NAME=value"; NULL: none. Added unless named
                                       here: PATH=/usr/bin:/bin, HOME and TMPDIR (the slot),
                                       LANG=C.UTF-8. Nothing else is passed */
    const char *stdout_name;        /* file name in the slot, made anew; NULL: /dev/null */
    struct run_limits limits;
};

enum run_limit {
    RUN_LIMIT_NONE,
    RUN_LIMIT_CPU,
    RUN_LIMIT_WALL,
    RUN_LIMIT_MEMORY,
    RUN_LIMIT_DISK,
    RUN_LIMIT_PROCESSES,
};

/* "cpu", "wall" and so on; "" for none. */
const char *run_limit_name(enum run_limit limit);

enum run_end {
    RUN_EXITED,      /* code: its exit status. The app's own doing, as is: */
    RUN_SIGNALLED,   /* code: the signal */
    RUN_KILLED,      /* by us, for the limit named, or (limit none) because kill() was called */
    RUN_LOST,        /* the keeper was killed by somebody else; nothing is known of the app */
    RUN_NOT_STARTED, /* code: an errno; failed_step says what could not be done */
};

struct run_usage {
    int64_t cpu_ms;
    int64_t wall_ms;           /* without the time it was suspended */
    int64_t memory_bytes;      /* now; 0 in an outcome */
    int64_t peak_memory_bytes; /* highest seen: looked at about four times a second */
    int64_t disk_bytes;        /* of the slot, at the last look (about every two seconds) */
    int progress_permille;     /* as the program says (progress.h), likewise; 0: it said nothing */
};

/* Large (the tail is inside): not for small stacks. */
struct run_outcome {
    enum run_end end;
    int code;
    enum run_limit
        limit;                  /* the one that was hit. Of one that ended by itself (RUN_EXITED,
                                   RUN_SIGNALLED) memory is only likely: what is refused leaves no trace */
    bool is_for_want_of_memory; /* it failed, and the kernel has killed processes of this client's
                                   control group for want of memory meanwhile */
    struct run_usage usage;
    char failed_step[32];
    bool tail_is_cut;               /* more was written than is kept */
    size_t tail_length;             /* 0..RUN_STDERR_TAIL */
    char tail[RUN_STDERR_TAIL + 1]; /* the last of stderr, raw: text_sanitise() before showing it;
                                       NUL-terminated, and may hold further NULs */
};

/* One task, running or ended and not yet released. Implementations embed nothing: opaque. */
struct running_task;

struct launcher {
    /*
     * STATUS_INVALID: the spec is wrong (says what). STATUS_NOT_FOUND: no such slot.
     * STATUS_BUSY: the machine refuses more processes or memory just now. STATUS_STORAGE,
     * STATUS_FULL: stdout could not be made. That the executable cannot be run is an outcome.
     */
    enum status (*start)(struct launcher *launcher, const struct run_spec *spec,
                         struct running_task **ret_task, struct error *err);

    /*
     * Has it ended? Then *ret_outcome is filled, the same at each call, and nothing of the task is
     * alive. Also measures and holds the limits: call it when descriptor() is readable and at least
     * every RUN_POLL_MS. Never waits.
     */
    bool (*poll)(struct running_task *task, struct run_outcome *ret_outcome);

    /* Readable, for poll(2), once the task has ended. Borrowed, until release(). -1: none. */
    int (*descriptor)(const struct running_task *task);

    /* As of the last poll(). */
    struct run_usage (*usage)(const struct running_task *task);

    /* All processes of the task, soon. Without effect on one that has ended, or twice. */
    void (*suspend)(struct running_task *task);
    void (*resume)(struct running_task *task);

    /* All processes of the task; poll() says when they are gone (milliseconds). */
    void (*kill)(struct running_task *task);

    /* Forget the task; one still alive is killed first, and waited for. NULL is fine. */
    void (*release)(struct running_task *task);

    /*
     * Move one output of a task that has ended from its slot to the spool, or some of it: see
     * collect.h, whose function this is. Here so that a simulated task can have simulated outputs.
     */
    enum status (*collect)(struct launcher *launcher, const struct collect_request *request,
                           struct collection **work, int64_t *bytes,
                           struct collected *ret_collected, struct error *err);

    uint32_t (*layers)(const struct launcher *launcher);

    /* What this machine lets all tasks have together, less what we need; INT64_MAX: no limit. */
    int64_t (*memory_bytes)(const struct launcher *launcher);
    void (*close)(struct launcher *launcher);
};

struct launcher_options {
    uint32_t left_out; /* layers not to use even where the kernel has them */
    uint32_t minimum;  /* layers without which nothing is to run */
};

/*
 * The real one: finds out what the kernel has by trying (a few ms). `options` may be NULL.
 * `env` is borrowed. STATUS_FORBIDDEN: a layer of the minimum is missing (says which).
 */
enum status launcher_open_native(struct env *env, const struct launcher_options *options,
                                 struct launcher **ret_launcher, struct error *err) MUST_USE;

/* No task of it may be left. NULL is fine. */
void launcher_close(struct launcher *launcher);
DEFINE_CLEANUP(struct launcher *, launcher_close)

/* The layers every task gets, a set of LAYER_BIT()s. */
uint32_t launcher_layers(const struct launcher *launcher);

#endif
