#include "server/site/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/env.h"
#include "db/query.h"
#include "db/store.h"
#include "server/site/folder.h"

int verb_fail(const struct error *err)
{
    (void)fprintf(stderr, "dugnad-server: %s\n", err->text);
    if (*err->detail != '\0')
        (void)fprintf(stderr, "  (%s)\n", err->detail);
    return VERB_FAILED;
}

int verb_usage(const struct options *options, const struct error *err)
{
    (void)fprintf(stderr, "dugnad-server: %s\nSee 'dugnad-server %s --help'.\n", err->text,
                  options->command->name);
    return VERB_USAGE;
}

void verb_print_json(json_t *json)
{
    (void)json_dumpf(json, stdout, JSON_COMPACT);
    (void)fputc('\n', stdout);
    json_decref(json);
}

enum status verb_print_secret(const char *secret, const char *noun, struct error *err)
{
    if (printf("%s\n", secret) > 0 && fflush(stdout) == 0)
        return STATUS_OK;
    (void)error_set(err, STATUS_STORAGE, "the %s could not be printed, so there is none", noun);
    error_detail(err, "standard output: %s", strerror(errno));
    clearerr(stdout);
    return STATUS_STORAGE;
}

enum status verb_folder(const struct options *options, struct disk_path *ret_folder,
                        struct error *err)
{
    const char *folder = options->operands[0];
    size_t length = strlen(folder);

    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || strcmp(folder, "/") == 0)
        return error_set(err, STATUS_INVALID, "name the site's folder");
    return disk_join(ret_folder, err, "%.*s", (int)length, folder);
}

static bool note_other(void *context, const struct other_server *server)
{
    *(int64_t *)context = server->runs ? server->id : *(int64_t *)context;
    return !server->runs;
}

enum status verb_refuse_others(struct store *store, struct error *err)
{
    int64_t running = 0;

    TRY(store->query->other_servers(store, note_other, &running, err));
    if (running == 0)
        return STATUS_OK;
    return error_set(err, STATUS_BUSY, "server %lld of this site runs; stop all of them first",
                     (long long)running);
}

static enum status open_store(struct env *env, const char *folder, bool runs,
                              struct store **ret_store, struct error *err)
{
    struct config *config = must_alloc(1, sizeof *config);
    enum status status = site_load_config(env->disk, folder, config, err);

    if (status == STATUS_OK)
        status = site_open_store(folder, config, runs, ret_store, err);
    free(config);
    return status;
}

enum status verb_open_store(struct env *env, const char *folder, struct store **ret_store,
                            struct error *err)
{
    return open_store(env, folder, false, ret_store, err);
}

enum status verb_open_store_alone(struct env *env, const char *folder, struct store **ret_store,
                                  struct error *err)
{
    CLEANUP(store_closep) struct store *store = NULL;

    TRY(open_store(env, folder, true, &store, err));
    TRY(verb_refuse_others(store, err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}
