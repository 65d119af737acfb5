#include "sandbox/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "sandbox/confine.h"
#include "sandbox/fork.h"
#include "sandbox/tree.h"

#define SUSPEND_PASSES 8
#define FIRST_FREE     3 /* descriptor, after stdin, stdout and stderr */
#define EXIT_NO_START  127

struct keeper {
    const struct preparation *preparation;
    struct keeper_note *note;
    pid_t app;
    int signals;               /* descriptors */
    int exec_read, exec_write; /* its end is the app's exec */
    bool is_over;
};

/* Also between fork and exec of the app: the first failure is the one that counts. */
static void note_failure(struct keeper_note *note, const char *step)
{
    if (note->failed_errno != 0)
        return;
    note->failed_errno = errno != 0 ? errno : EINVAL;
    (void)text_fit(note->failed_step, sizeof note->failed_step, step);
}

/* The C library keeps 32 and 33 for itself and lets nobody touch them; yet they may come ignored
 * from whoever started us, and would stay so. All zero is the kernel's default action. */
static void default_signals(void)
{
    static const unsigned long zeroed[8];

    for (int i = 1; i <= SIGRTMAX; i++)
        (void)syscall(SYS_rt_sigaction, i, zeroed, NULL, (size_t)(_NSIG / 8));
}

/* ---- the app's first process ---- */

/* Above 2 first: one of them may be what another is to become. */
static int place_descriptors(const struct preparation *preparation)
{
    int in = fcntl(preparation->in, F_DUPFD_CLOEXEC, FIRST_FREE);
    int out = fcntl(preparation->out, F_DUPFD_CLOEXEC, FIRST_FREE);
    int error = fcntl(preparation->err_write, F_DUPFD_CLOEXEC, FIRST_FREE);

    if (in < 0 || out < 0 || error < 0)
        return -1;
    return dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(error, 2) == 2 ? 0 : -1;
}

/* In the keeper's session, which is new, but in a group of its own. */
static const char *become_app(const struct preparation *preparation)
{
    enum layer layer;
    sigset_t none;

    if (setpgid(0, 0) != 0)
        return "process group";
    if (place_descriptors(preparation) != 0)
        return "standard streams";
    if (fchdir(preparation->slot) != 0)
        return "slot folder";
    (void)umask(077);
    layer = confine_task(preparation, NULL);
    if (layer != LAYER_COUNT)
        return layer_name(layer);
    default_signals();
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execve(preparation->executable, preparation->arguments, preparation->environment);
    return "executable";
}

static void start_app(struct keeper *keeper)
{
    struct rusage own;

    (void)getrusage(RUSAGE_SELF, &own);
    keeper->note->copy_rss_bytes = (int64_t)own.ru_maxrss * 1024;
    keeper->app = fork_raw(0, SIGCHLD, NULL);
    if (keeper->app == 0) {
        note_failure(keeper->note, become_app(keeper->preparation));
        _exit(EXIT_NO_START);
    }
    if (keeper->app < 0)
        note_failure(keeper->note, "process");
    (void)close(keeper->exec_write);
    (void)close(keeper->preparation->in);
    (void)close(keeper->preparation->out);
    (void)close(keeper->preparation->err_write);
}

/* ---- every process below ---- */

static bool is_init(const struct keeper *keeper)
{
    return (keeper->preparation->layers & LAYER_BIT(LAYER_PID_NAMESPACE)) != 0;
}

/*
 * As init one call reaches all, and none can be born meanwhile. Else we walk: parents first, again
 * and again, for a child may be born while we look elsewhere.
 */
static void signal_all(const struct keeper *keeper, int number)
{
    pid_t pids[TREE_MAX];

    if (is_init(keeper)) {
        (void)kill(-1, number);
        return;
    }
    for (int pass = 0; pass < SUSPEND_PASSES; pass++) {
        size_t count = tree_descendants(getpid(), pids, TREE_MAX);

        for (size_t i = 0; i < count; i++)
            (void)kill(pids[i], number);
    }
}

/* As waitpid(): 0: nobody is ready (WNOHANG), -1: there is nobody left. */
static pid_t reap(struct keeper *keeper, int flags)
{
    int status;
    pid_t pid;

    do
        pid = waitpid(-1, &status, flags | __WALL);
    while (pid < 0 && errno == EINTR);
    if (pid > 0 && pid == keeper->app && !keeper->is_over) {
        keeper->note->app_has_ended = true;
        keeper->note->app_status = status;
        keeper->is_over = true;
    }
    return pid;
}

/*
 * Without a PID namespace only our own children are killed, for their ids cannot be taken by others
 * until we reap them; what they leave behind becomes our child, and is killed in the next round.
 */
static void kill_children(void)
{
    pid_t pids[TREE_MAX];
    size_t count = tree_children(getpid(), pids, TREE_MAX);

    for (size_t i = 0; i < count; i++)
        (void)kill(pids[i], SIGKILL);
}

static void kill_all(struct keeper *keeper)
{
    pid_t pid = 0;

    keeper->is_over = true;
    if (is_init(keeper)) {
        (void)kill(-1, SIGKILL);
        while (reap(keeper, 0) > 0)
            ;
        return;
    }
    while (pid >= 0) {
        kill_children();
        while ((pid = reap(keeper, WNOHANG)) > 0)
            ;
        if (pid == 0)
            (void)poll(NULL, 0, 1);
    }
}

/* ---- the loop ---- */

static void obey(struct keeper *keeper)
{
    char orders[16];
    ssize_t got = read(keeper->preparation->orders_read, orders, sizeof orders);

    if (got == 0)
        keeper->is_over = true; /* the client is gone */
    for (ssize_t i = 0; i < got && !keeper->is_over; i++) {
        if (orders[i] == ORDER_SUSPEND)
            signal_all(keeper, SIGSTOP);
        else if (orders[i] == ORDER_RESUME)
            signal_all(keeper, SIGCONT);
        else
            keeper->is_over = true;
    }
}

/* As read(). */
static ssize_t keep_tail(struct keeper *keeper)
{
    struct keeper_note *note = keeper->note;
    size_t at = note->tail_written % RUN_STDERR_TAIL;
    ssize_t got = read(keeper->preparation->err_read, note->tail + at, RUN_STDERR_TAIL - at);

    if (got > 0)
        note->tail_written += (uint64_t)got;
    return got;
}

static void take_signals(struct keeper *keeper)
{
    struct signalfd_siginfo info;

    (void)!read(keeper->signals, &info, sizeof info);
    while (!keeper->is_over && reap(keeper, WNOHANG) > 0)
        ;
}

/* A pipe whose other end is closed stays readable: a negative descriptor is not looked at again. */
static void watch(struct keeper *keeper)
{
    struct pollfd watched[] = {
        {.fd = keeper->preparation->orders_read, .events = POLLIN},
        {.fd = keeper->signals, .events = POLLIN},
        {.fd = keeper->preparation->err_read, .events = POLLIN},
        {.fd = keeper->exec_read, .events = POLLIN},
    };

    while (!keeper->is_over) {
        if (poll(watched, sizeof watched / sizeof watched[0], -1) < 0 && errno != EINTR)
            return;
        if (watched[0].revents != 0)
            obey(keeper);
        if (watched[2].revents != 0 && keep_tail(keeper) == 0)
            watched[2].fd = -1;
        if (watched[3].revents != 0) {
            keeper->note->has_execed = true;
            watched[3].fd = -1;
        }
        if (watched[1].revents != 0 && !keeper->is_over)
            take_signals(keeper);
    }
}

static void finish(struct keeper *keeper)
{
    struct rusage children;

    kill_all(keeper);
    while (keep_tail(keeper) > 0) /* what the pipe still holds: nobody is left to write more */
        ;
    (void)getrusage(RUSAGE_CHILDREN, &children);
    keeper->note->peak_rss_bytes = (int64_t)children.ru_maxrss * 1024;
}

static bool open_own(struct keeper *keeper)
{
    sigset_t children;
    int pair[2];

    (void)sigemptyset(&children);
    (void)sigaddset(&children, SIGCHLD);
    keeper->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (keeper->signals < 0 || pipe2(pair, O_CLOEXEC) != 0)
        return false;
    keeper->exec_read = pair[0];
    keeper->exec_write = pair[1];
    return true;
}

/*
 * Dumpable while it writes to its own /proc files (they are root's otherwise); not so afterwards:
 * a copy of the client's memory is in here, keys and all, and the task may be of the same user.
 */
static bool set_up(struct keeper *keeper)
{
    enum layer layer;

    default_signals();
    (void)prctl(PR_SET_NAME, "dugnad-keeper", 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    (void)close(keeper->preparation->orders_write); /* else we would never see its end */
    (void)setsid();
    layer = confine_keeper(keeper->preparation, NULL);
    if (layer != LAYER_COUNT) {
        note_failure(keeper->note, layer_name(layer));
        return false;
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !open_own(keeper)) {
        note_failure(keeper->note, "keeper");
        return false;
    }
    return true;
}

void keeper_main(const struct preparation *preparation, struct keeper_note *note)
{
    struct keeper keeper = {.preparation = preparation, .note = note, .app = -1};

    if (set_up(&keeper)) {
        start_app(&keeper);
        if (keeper.app > 0) {
            watch(&keeper);
            finish(&keeper);
        }
    }
    _exit(0);
}

void keeper_probe(const struct preparation *preparation, struct keeper_note *note)
{
    pid_t task;

    default_signals();
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    (void)confine_keeper(preparation, &note->failed_layers);
    task = fork_raw(0, SIGCHLD, NULL);
    if (task == 0) {
        (void)confine_task(preparation, &note->failed_layers);
        _exit(0);
    }
    if (task < 0)
        note_failure(note, "process");
    else
        (void)waitpid(task, NULL, __WALL);
    _exit(0);
}
