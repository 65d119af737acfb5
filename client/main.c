/* dugnad-client: the world as it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program.h"
#include "common/env/real.h"

static int stop_pipe[2] = {-1, -1};

static void on_stop(int number)
{
    int before = errno;

    (void)number;
    if (write(stop_pipe[1], "", 1) < 0)
        errno = 0; /* a full pipe has told it already */
    errno = before;
}

static void on_pipe(int number)
{
    (void)number; /* not SIG_IGN, which tasks would inherit */
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, NULL) != 0)
        abort();
}

static void catch_stop(void)
{
    handle(SIGTERM, on_stop);
    handle(SIGINT, on_stop);
}

static enum status open_http(struct http_client **ret_http, struct error *err)
{
    const struct http_client_options options = {.user_agent = CLIENT_NAME "/" CLIENT_VERSION};

    return http_client_open_curl(&options, ret_http, err);
}

static enum status open_launcher(struct client_world *world, struct launcher **ret_launcher,
                                 struct error *err)
{
    return launcher_open_native(world->env, NULL, ret_launcher, err);
}

static bool has_terminal(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

static bool confirm(const char *question)
{
    char answer[16];

    if (!has_terminal())
        return false;
    (void)printf("%s [y/N] ", question);
    (void)fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}

static char *absolute(const char *path)
{
    return realpath(path, NULL);
}

int main(int argc, char **argv)
{
    struct client_world world = {
        .env = env_real(),
        .home = getenv("HOME"),
        .is_root = geteuid() == 0,
        .catch_stop = catch_stop,
        .open_http = open_http,
        .open_launcher = open_launcher,
        .confirm = confirm,
        .has_terminal = has_terminal,
        .absolute = absolute,
    };

    if (!standard_files_hold())
        return EXIT_FAILED;
    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return EXIT_FAILED;
    world.stop_descriptor = stop_pipe[0];
    handle(SIGPIPE, on_pipe);
    return client_program_run(&world, argc, (const char *const *)argv);
}
