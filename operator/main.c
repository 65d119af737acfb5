/* dugnad: the operator's command. Here, and nowhere else, it meets the real world. */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/env/real.h"
#include "common/http/client.h"
#include "operator/exit_codes.h"
#include "operator/session.h"
#include "operator/verbs.h"
#include "sandbox/launcher.h"

static volatile sig_atomic_t is_interrupted;

#define LOOK_S      1
#define UNREAD_MANY 3 /* looks in a row */

/* The first time: stop where it is safe to. The second time: at once. */
static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
    (void)alarm(LOOK_S);
}

/* Since the interrupt: a pipe or terminal that takes nothing more would hold it for ever. */
static void look_for_reader(int signal_number)
{
    static volatile sig_atomic_t unread;
    struct pollfd files[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
                             {.fd = STDERR_FILENO, .events = POLLOUT}};

    (void)signal_number;
    (void)poll(files, 2, 0);
    unread = files[0].revents != 0 && files[1].revents != 0 ? 0 : unread + 1;
    if (unread >= UNREAD_MANY)
        _exit(EXIT_INTERRUPTED);
    (void)alarm(LOOK_S);
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction look = {.sa_handler = look_for_reader, .sa_flags = SA_RESTART};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGALRM, &look, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool ask_secret(struct session *session, const char *prompt, char *ret_secret, size_t size)
{
    int descriptor = fileno(session->in);
    struct termios shown, hidden;
    bool is_read;

    if (tcgetattr(descriptor, &shown) != 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    session_end_line(session);
    (void)fputs(prompt, session->err);
    (void)fflush(session->err);
    (void)tcsetattr(descriptor, TCSAFLUSH, &hidden);
    is_read = fgets(ret_secret, (int)size, session->in) != NULL;
    (void)tcsetattr(descriptor, TCSAFLUSH, &shown);
    (void)fputc('\n', session->err);
    if (is_read)
        ret_secret[strcspn(ret_secret, "\r\n")] = '\0';
    return is_read;
}

/* 0: it does not say. */
static int columns(void)
{
    struct winsize size = {0};

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Of this process: a container or taskset may leave it fewer than the machine has. */
static int64_t cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                       : sysconf(_SC_NPROCESSORS_ONLN);
}

int main(int argc, char **argv)
{
    static const struct http_client_options options = {.user_agent = "dugnad/0.1"};
    CLEANUP(http_client_closep) struct http_client *client = NULL;
    struct session session = {
        .env = env_real(),
        .in = stdin,
        .out = stdout,
        .err = stderr,
        .is_terminal = isatty(STDERR_FILENO) == 1,
        .columns = columns,
        .can_ask = isatty(STDIN_FILENO) == 1,
        .home = getenv("HOME"),
        .profile = getenv("DUGNAD_PROFILE"),
        .passphrase_file = getenv("DUGNAD_PASSPHRASE_FILE"),
        .is_interrupted = &is_interrupted,
        .ask_secret = ask_secret,
        .read_pipe = pipe_read,
        .open_launcher = launcher_open_native,
        .cores = cores(),
        .memory_bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE),
    };
    struct error err = {0};

    if (!standard_files_hold())
        return EXIT_FAILED;
    log_init(session.env, LOG_WARN, STDERR_FILENO);
    catch_interrupts();
    if (http_client_open_curl(&options, &client, &err) != STATUS_OK)
        return session_fail(&session, &err);
    session.http = client;
    return program_run(&operator_program, &session, argc, (const char *const *)argv);
}
