/* The verb `run`: the daemon itself. */
#include <poll.h>
#include <stdio.h>

#include "client/commands.h"
#include "client/control/socket.h"
#include "client/daemon/daemon.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "sandbox/verify.h"

#define WAIT_MAX_MS 1000 /* other people's clocks and connections are looked at as often */

struct running {
    struct client_world *world;
    struct config config;
    struct data_folder folder;
    struct http_client *http;
    struct launcher *launcher;
    struct daemon *daemon;
    struct control *control;
    bool is_stopped; /* before it had the folder */
};

/* In the order of what stands on what. */
static void running_clear(struct running *it)
{
    control_close(it->control);
    daemon_close(it->daemon);
    launcher_close(it->launcher);
    http_client_close(it->http);
    data_folder_close(&it->folder);
}

static enum status set_settings(struct config *config, const struct options *options,
                                struct error *err)
{
    const char *pair;

    for (size_t i = 0; (pair = options_nth(options, "set", i)) != NULL; i++)
        TRY(client_config_set_pair(config, pair, err));
    return client_config_settle(config, err);
}

/* What of the command line can be judged without the world. */
static enum status check_options(const struct options *options, enum log_level *ret_level,
                                 struct error *err)
{
    struct config unused;

    if (!log_level_parse(options_text_or(options, "log", "info"), ret_level))
        return error_set(err, STATUS_INVALID, "--log is error, warn, info or debug");
    client_config_init(&unused);
    return set_settings(&unused, options, err);
}

/* --config and --set, over the defaults. */
static enum status read_config(struct running *it, const struct options *options, struct error *err)
{
    const char *file = options_text(options, "config");

    client_config_init(&it->config);
    if (file != NULL)
        TRY(client_config_read(&it->config, it->world->env->disk, file, err));
    return set_settings(&it->config, options, err);
}

/* A part of a second, or until the program is to end. */
static bool is_told_to_stop(const struct client_world *world)
{
    struct pollfd stop = {.fd = world->stop_descriptor, .events = POLLIN};

    return poll(&stop, 1, FOLDER_WAIT_MS) > 0;
}

/* Another daemon will not go away. */
static enum status open_folder(struct running *it, const char *path, const char *socket,
                               struct error *err)
{
    struct env *env = it->world->env;
    enum status status = data_folder_open(env, path, &it->folder, err);

    for (int i = 1; i < FOLDER_TRIES && status == STATUS_BUSY && !control_listens(socket); i++) {
        it->is_stopped = is_told_to_stop(it->world);
        if (it->is_stopped)
            return status;
        status = data_folder_open(env, path, &it->folder, err);
    }
    return status;
}

static enum status set_up(struct running *it, const struct options *options, struct error *err)
{
    struct disk_path path, socket;
    struct daemon_parts parts = {.folder = &it->folder,
                                 .config = &it->config,
                                 .platform = platform_here(),
                                 .client = CLIENT_NAME " " CLIENT_VERSION};

    TRY(read_config(it, options, err));
    TRY(data_path(it->world, options, &path, err));
    TRY(disk_join(&socket, err, "%s/control.sock", path.text));
    TRY(open_folder(it, path.text, socket.text, err));
    TRY(it->world->open_http(&it->http, err));
    TRY(it->world->open_launcher(it->world, &it->launcher, err));
    parts.http = it->http;
    parts.launcher = it->launcher;
    TRY(daemon_open(&parts, &it->daemon, err));
    return control_open(it->world->env, socket.text, &it->control, err);
}

static json_t *answer(void *context, json_t *request)
{
    return daemon_answer(context, request);
}

static void loop(struct running *it)
{
    const struct control_owner owner = {.answer = answer, .context = it->daemon};
    struct pollfd others[CONTROL_DESCRIPTORS_MAX + 1];
    bool stops = false;

    while (!stops) {
        int64_t wake = daemon_step(it->daemon);
        int64_t latest = it->world->env->now_mono_ms(it->world->env) + WAIT_MAX_MS;
        unsigned count = control_descriptors(it->control, others);

        others[count] = (struct pollfd){.fd = it->world->stop_descriptor, .events = POLLIN};
        daemon_wait(it->daemon, others, count + 1, wake < latest ? wake : latest);
        stops = others[count].revents != 0;
        control_serve(it->control, &owner);
    }
}

static int run_run(void *context, const struct options *options)
{
    CLEANUP(running_clear) struct running it = {.world = context};
    struct error err = {0};
    enum log_level level;

    if (check_options(options, &level, &err) != STATUS_OK)
        return fail_usage(options, &err);
    log_init(it.world->env, level, 2);
    if (it.world->catch_stop != NULL)
        it.world->catch_stop();
    if (set_up(&it, options, &err) != STATUS_OK)
        return it.is_stopped ? OPTIONS_EXIT_OK : fail(&err);
    LOG(LOG_INFO, "client.started", LOG_S("data", it.folder.path.text));
    loop(&it);
    LOG(LOG_INFO, "client.stopped", LOG_S("data", it.folder.path.text));
    return OPTIONS_EXIT_OK;
}

static const struct option_rule run_options[] = {
    {.name = "config", .argument = "FILE", .help = "Settings, one NAME = VALUE a line."},
    {.name = "set",
     .argument = "NAME=VALUE",
     .help = "One setting, over the file's; see dugnad-client config.",
     .is_repeatable = true},
    {.name = "log", .argument = "LEVEL", .help = "error, warn, info (default) or debug."},
};

const struct command command_run = {
    .name = "run",
    .summary = "Run the daemon: fetch, compute and report work until stopped",
    .description = "Works for all attached projects by turns. Stops cleanly on SIGTERM and "
                   "SIGINT; tasks that run then are started again next time, from their "
                   "checkpoint if they have one.",
    .examples = "With two cores, logging only what needs attention:\n"
                "  dugnad-client run --set cores=2 --log warn\n",
    .options = run_options,
    .option_count = sizeof run_options / sizeof *run_options,
    .run = run_run,
};

/* --- config --- */

static int run_config(void *context, const struct options *options)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};

    (void)context;
    if (options_has(options, "sample"))
        client_config_sample(&text);
    else
        client_config_describe(&text);
    return fputs(buffer_text(&text), stdout) < 0 ? EXIT_FAILED : OPTIONS_EXIT_OK;
}

static const struct option_rule config_options[] = {
    {.name = "sample", .help = "Print a settings file instead, every line commented out."},
};

const struct command command_config = {
    .name = "config",
    .summary = "Explain the settings",
    .is_of_itself = true,
    .options = config_options,
    .option_count = sizeof config_options / sizeof *config_options,
    .run = run_config,
};

/* --- manual --- */

#define MANUAL_MAX (256 * 1024)

static int run_manual(void *context, const struct options *options)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = MANUAL_MAX};

    (void)context;
    program_manual(options->program, &text);
    (void)buffer_append_text(&text, ".SH SETTINGS\n.nf\n", NULL);
    client_config_describe(&text);
    (void)buffer_append_text(&text, ".fi\n", NULL);
    return fputs(buffer_text(&text), stdout) < 0 ? EXIT_FAILED : OPTIONS_EXIT_OK;
}

const struct command command_manual = {
    .name = "manual",
    .summary = "Print this manual page, for man(1)",
    .is_of_itself = true,
    .run = run_manual,
};
