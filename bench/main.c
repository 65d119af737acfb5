/* dugnad-bench: the load generator. Here it meets the real world. */
#include <signal.h>
#include <unistd.h>

#include "bench/bench.h"
#include "common/base/log.h"
#include "common/env/real.h"
#include "common/http/client.h"

static volatile sig_atomic_t is_interrupted;

/* The first time: stop and clean up. The second time: at once. */
static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

int main(int argc, char **argv)
{
    static const struct http_client_options options = {.user_agent = "dugnad-bench/0.1"};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    CLEANUP(http_client_closep) struct http_client *client = NULL;
    struct bench bench = {.env = env_real(),
                          .out = stdout,
                          .err = stderr,
                          .is_interrupted = &is_interrupted,
                          .ticks_per_s = sysconf(_SC_CLK_TCK),
                          .cores = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    struct error err = {0};

    if (!standard_files_hold())
        return 1;
    log_init(bench.env, LOG_WARN, STDERR_FILENO);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (http_client_open_curl(&options, &client, &err) != STATUS_OK) {
        bench_say(&bench, "dugnad-bench: %s", err.text);
        return 1;
    }
    bench.http = client;
    return program_run(&bench_program, &bench, argc, (const char *const *)argv);
}
