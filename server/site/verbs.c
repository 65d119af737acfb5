#include "server/site/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/env.h"
#include "db/store.h"
#include "server/site/folder.h"

int verb_fail(const struct error *err)
{
    (void)fprintf(stderr, "dugnad-server: %s\n", err->text);
    if (*err->detail != '\0')
        (void)fprintf(stderr, "  (%s)\n", err->detail);
    return VERB_FAILED;
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

enum status verb_open_store(struct env *env, const char *folder, struct store **ret_store,
                            struct error *err)
{
    struct config *config = must_alloc(1, sizeof *config);
    enum status status = site_load_config(env->disk, folder, config, err);

    if (status == STATUS_OK)
        status = site_open_store(folder, config, false, ret_store, err);
    free(config);
    return status;
}
