#include "bench/world/child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"

#define LOOK_EVERY_US 20000

enum status child_path(const char *name, char *ret_path, size_t size, struct error *err)
{
    char own[512];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    char *slash;
    int needed;

    own[length > 0 ? length : 0] = '\0';
    slash = strrchr(own, '/');
    if (slash != NULL)
        slash[1] = '\0';
    needed = snprintf(ret_path, size, "%s%s", own, name);
    if (needed > 0 && (size_t)needed < size && access(ret_path, X_OK) == 0)
        return STATUS_OK;
    if (!text_fit(ret_path, size, name))
        return error_set(err, STATUS_TOO_LARGE, "the path of %s is too long", name);
    return STATUS_OK;
}

static bool send_to(const char *path, int flags, int target)
{
    int descriptor = open(path, flags | O_CLOEXEC, 0600);

    return descriptor >= 0 && dup2(descriptor, target) == target;
}

/* In the child, between fork and exec. */
static void become(const char *const *argv, const char *log, const char *out)
{
    int append = O_WRONLY | O_CREAT | O_APPEND;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (send_to("/dev/null", O_RDONLY, STDIN_FILENO) && send_to(log, append, STDERR_FILENO) &&
        send_to(out != NULL ? out : log, append, STDOUT_FILENO))
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

enum status child_start(const char *const *argv, const char *log, const char *out, pid_t *ret_pid,
                        struct error *err)
{
    pid_t pid = fork();

    if (pid < 0)
        return error_set(err, STATUS_BUSY, "cannot start %s: %s", argv[0], strerror(errno));
    if (pid == 0)
        become(argv, log, out);
    *ret_pid = pid;
    return STATUS_OK;
}

bool child_has_ended(pid_t pid, int *ret_code)
{
    int how;

    if (waitpid(pid, &how, WNOHANG) != pid)
        return false;
    *ret_code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return true;
}

enum status child_wait(pid_t pid, const char *name, struct error *err)
{
    int how = 0;

    while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "%s ended with %d", name,
                     WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how));
}

void child_stop(pid_t pid, int64_t patience_ms)
{
    int code;

    (void)kill(pid, SIGTERM);
    for (int64_t waited_us = 0; waited_us < patience_ms * 1000; waited_us += LOOK_EVERY_US) {
        if (child_has_ended(pid, &code))
            return;
        (void)usleep(LOOK_EVERY_US);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &code, 0);
}

enum status child_free_port(int *ret_port, struct error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_bound = descriptor >= 0 &&
                    bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
                    getsockname(descriptor, (struct sockaddr *)&address, &length) == 0;

    if (descriptor >= 0)
        (void)close(descriptor);
    if (!is_bound)
        return error_set(err, STATUS_BUSY, "no free port on 127.0.0.1: %s", strerror(errno));
    *ret_port = ntohs(address.sin_port);
    return STATUS_OK;
}
