/* The table of verbs, and what they share. */
#include "client/commands.h"

#include <stdio.h>

#include "client/control/socket.h"
#include "client/control/verbs.h"
#include "client/daemon/daemon.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/json/build.h"
#include "sandbox/verify.h"

static const struct command *const commands[] = {
    &command_attach, &command_account_new, &command_run,    &command_status, &command_pause,
    &command_resume, &command_detach,      &command_config, &command_manual,
};

static const struct option_rule common_options[] = {
    {.name = "data",
     .argument = "DIR",
     .help = "The data folder; default ~/.local/share/dugnad-client, for root "
             "/var/lib/dugnad-client."},
};

const struct program client_program = {
    .name = CLIENT_NAME,
    .version = CLIENT_VERSION,
    .summary = "Lends this computer's idle time to projects of your choice.",
    .description = "Exit codes: 0 done; 1 failed; 2 wrong command line; 3 the server or daemon "
                   "cannot be reached; 4 a certificate or signature does not hold; 5 not agreed "
                   "to; 6 another dugnad-client works in the data folder.",
    .options = common_options,
    .option_count = sizeof common_options / sizeof *common_options,
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
};

int client_program_run(struct client_world *world, int argc, const char *const *argv)
{
    log_init(world->env, LOG_WARN, 2); /* only the daemon tells its story */
    return program_run(&client_program, world, argc, argv);
}

int fail(const struct error *err)
{
    (void)fprintf(stderr, "%s: %s\n", CLIENT_NAME, err->text);
    if (err->detail[0] != '\0')
        (void)fprintf(stderr, "  (%s)\n", err->detail);
    switch (err->status) {
    case STATUS_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case STATUS_UNTRUSTED:
        return EXIT_UNTRUSTED;
    case STATUS_FORBIDDEN:
        return EXIT_NOT_AGREED;
    case STATUS_BUSY:
        return EXIT_BUSY;
    default:
        return EXIT_FAILED;
    }
}

int fail_usage(const struct options *options, const struct error *err)
{
    (void)fprintf(stderr, "%s: %s\nSee '%s %s --help'.\n", CLIENT_NAME, err->text, CLIENT_NAME,
                  options->command->name);
    return OPTIONS_EXIT_USAGE;
}

static enum status named_path(const struct client_world *world, const struct options *options,
                              struct disk_path *ret_path, struct error *err)
{
    const char *given = options_text(options, "data");

    if (given != NULL)
        return disk_join(ret_path, err, "%s", given);
    if (world->is_root)
        return disk_join(ret_path, err, "/var/lib/%s", CLIENT_NAME);
    if (world->home != NULL)
        return disk_join(ret_path, err, "%s/.local/share/%s", world->home, CLIENT_NAME);
    return error_set(err, STATUS_INVALID, "there is no home folder; name one with --data");
}

static enum status absolute_path(const struct client_world *world, const struct disk_path *path,
                                 struct disk_path *ret_path, struct error *err)
{
    CLEANUP(freep) char *absolute = world->absolute(path->text);

    if (absolute == NULL)
        return error_set(err, STATUS_NOT_FOUND, "the data folder %s cannot be used", path->text);
    return disk_join(ret_path, err, "%s", absolute);
}

enum status data_path(const struct client_world *world, const struct options *options,
                      struct disk_path *ret_path, struct error *err)
{
    struct disk_path path;

    TRY(named_path(world, options, &path, err));
    TRY(disk_make_folders(world->env->disk, path.text, 0700, err));
    return absolute_path(world, &path, ret_path, err);
}

static bool holds(const struct client_world *world, const struct disk_path *folder,
                  const char *name)
{
    struct disk_path path;

    return disk_join(&path, NULL, "%s/%s", folder->text, name) == STATUS_OK &&
           disk_has(world->env->disk, path.text);
}

/* One that is named is a client's: made by attach or run, with what they make there first. The
 * default one is always. */
static enum status existing_path(const struct client_world *world, const struct options *options,
                                 struct disk_path *ret_path, struct error *err)
{
    struct disk_path path;

    if (options_text(options, "data") == NULL)
        return data_path(world, options, ret_path, err);
    TRY(named_path(world, options, &path, err));
    if (!holds(world, &path, "lock") || !holds(world, &path, "projects"))
        return error_set(err, STATUS_NOT_FOUND,
                         "%.150s is no client's data folder: no project was ever attached there "
                         "('%s attach LINK'; --data names another folder)",
                         path.text, CLIENT_NAME);
    return absolute_path(world, &path, ret_path, err);
}

/* For as long as the request says; what is not over then goes on when a daemon runs again. */
static void take_leave(struct client_world *world, struct daemon *daemon, json_t *request,
                       json_t *answer)
{
    json_auto_t *question = verb_plain("status");
    json_auto_t *status = NULL;
    struct pollfd nothing_else[1];
    struct env *env = world->env;
    int64_t wait_s = json_integer_value(json_object_get(request, "wait_s"));
    int64_t until = env->now_mono_ms(env) + wait_s * 1000;

    while (daemon_is_leaving(daemon) && env->now_mono_ms(env) < until) {
        int64_t wake = daemon_step(daemon);

        if (daemon_is_leaving(daemon))
            daemon_wait(daemon, nothing_else, 0, wake < until ? wake : until);
    }
    status = daemon_answer(daemon, question);
    (void)json_object_update_missing(answer, status); /* what was left, and how */
}

/* Under the folder's lock, through a daemon that does nothing by itself but take leave. */
static enum status do_it_here(struct client_world *world, struct data_folder *folder,
                              json_t *request, json_t **ret_answer, struct error *err)
{
    CLEANUP(http_client_closep) struct http_client *http = NULL;
    CLEANUP(launcher_closep) struct launcher *launcher = NULL;
    CLEANUP(daemon_closep) struct daemon *daemon = NULL;
    struct config config;
    struct daemon_parts parts = {.folder = folder,
                                 .config = &config,
                                 .platform = platform_here(),
                                 .client = CLIENT_NAME " " CLIENT_VERSION,
                                 .runs_nothing = true};

    client_config_init(&config);
    TRY(world->open_http(&http, err));
    TRY(world->open_launcher(world, &launcher, err));
    parts.http = http;
    parts.launcher = launcher;
    TRY(daemon_open(&parts, &daemon, err));
    *ret_answer = daemon_answer(daemon, request);
    if (daemon_is_leaving(daemon))
        take_leave(world, daemon, request, *ret_answer);
    build_set(*ret_answer, "is_running", json_false());
    return STATUS_OK;
}

static enum status ask_in(struct client_world *world, const struct disk_path *folder_path,
                          json_t *request, json_t **ret_answer, struct error *err)
{
    struct disk_path socket;
    enum status status = STATUS_BUSY;

    TRY(disk_join(&socket, err, "%s/control.sock", folder_path->text));
    for (int i = 0; i < FOLDER_TRIES && status == STATUS_BUSY; i++) {
        CLEANUP(data_folder_close) struct data_folder folder = {0};

        if (i > 0)
            world->env->sleep_ms(world->env, FOLDER_WAIT_MS);
        status = control_ask(socket.text, request, ret_answer, err);
        if (status != STATUS_NOT_FOUND)
            return status;
        status = data_folder_open(world->env, folder_path->text, &folder, err);
        if (status == STATUS_OK)
            return do_it_here(world, &folder, request, ret_answer, err);
    }
    return status;
}

enum status ask(struct client_world *world, const struct options *options, json_t *request,
                json_t **ret_answer, struct error *err)
{
    struct disk_path path;

    TRY(existing_path(world, options, &path, err));
    return ask_in(world, &path, request, ret_answer, err);
}

enum status ask_first(struct client_world *world, const struct options *options, json_t *request,
                      json_t **ret_answer, struct error *err)
{
    struct disk_path path;

    TRY(data_path(world, options, &path, err));
    return ask_in(world, &path, request, ret_answer, err);
}
