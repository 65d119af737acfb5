#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/env.h"
#include "common/base/log.h"
#include "server/serve.h"
#include "server/site/descriptors.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"

#define LOOK_EVERY_MS 200

static volatile sig_atomic_t is_stopping;
static volatile sig_atomic_t is_hung_up;

static void on_stop(int number)
{
    (void)number;
    is_stopping = 1;
}

static void on_hang_up(int number)
{
    (void)number;
    is_hung_up = 1;
}

static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction hang_up = {.sa_handler = on_hang_up};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGHUP, &hang_up, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static void serve(struct env *env, struct server *server)
{
    int64_t ticked_ms = env->now_mono_ms(env);

    while (is_stopping == 0) {
        env->sleep_ms(env, LOOK_EVERY_MS);
        if (is_hung_up != 0) {
            is_hung_up = 0;
            server_reload(server);
        }
        if (env->now_mono_ms(env) - ticked_ms >= 1000) {
            ticked_ms = env->now_mono_ms(env);
            server_tick(server);
        }
    }
}

/* Before there are threads that could log. A site without settings is server_open()'s to refuse. */
static void begin_log(struct env *env, const char *folder)
{
    struct config *config = must_alloc(1, sizeof *config);
    enum log_level level = LOG_INFO;

    if (site_load_config(env->disk, folder, config, NULL) == STATUS_OK)
        (void)log_level_parse(config->log_level.text, &level);
    free(config);
    log_init(env, level, STDERR_FILENO);
}

/* Fewer than it needs is no reason to stay down: it then refuses connections sooner. */
static void raise_descriptors(struct server *server)
{
    int64_t needed = server_descriptors(server), allowed = descriptors_raise(needed);

    if (allowed < needed)
        LOG(LOG_WARN, "descriptors.few", LOG_N("needed", needed), LOG_N("allowed", allowed),
            LOG_S("why", "at full load connections are refused: raise the limit of open files "
                         "(LimitNOFILE=, ulimit -n), or lower `connections`"));
}

static int run_site(struct env *env, const char *folder)
{
    CLEANUP(server_closep) struct server *server = NULL;
    struct error err = {0};
    enum status status;

    begin_log(env, folder);
    status = server_open(env, folder, &server, &err);
    if (status != STATUS_OK) {
        (void)verb_fail(&err);
        return status == STATUS_BUSY ? VERB_RUNNING : VERB_FAILED;
    }
    raise_descriptors(server);
    LOG(LOG_INFO, "server.started", LOG_S("site", folder), LOG_S("url", server_url(server)),
        LOG_N("port", server_port(server, 0)));
    serve(env, server);
    LOG(LOG_INFO, "server.stopping", LOG_S("site", folder));
    return VERB_OK;
}

static const struct option_rule options[] = {
    {.name = "print-config", .help = "Print the settings it would run with, and end."},
    {.name = "json", .help = "With --print-config: print JSON."},
};

static int run(void *context, const struct options *given)
{
    struct disk_path folder;
    struct error err = {0};

    if (options_has(given, "print-config"))
        return verb_config.run(context, given);

    if (options_belong(given, false, "json", "--print-config", &err) != STATUS_OK ||
        verb_folder(given, &folder, &err) != STATUS_OK)
        return verb_usage(given, &err);
    catch_signals();
    return run_site(context, folder.text);
}

const struct command verb_run = {
    .name = "run",
    .operands = "DIR",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "serve a site",
    .description =
        "Serves the site in DIR until it is told to stop. One line per event goes to stderr. "
        "SIGTERM and SIGINT stop it: requests that run may end, everything that was acknowledged "
        "is on the disk already. SIGHUP reads the certificate again; a changed file is noticed, "
        "too. A certificate of the site's own authority is renewed by itself.\n\n"
        "It needs no other service, and no privileges but for ports below 1024.",
    .examples = "On a terminal:\n"
                "  dugnad-server run ~/site",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
