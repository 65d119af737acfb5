#include <stdio.h>

#include "common/base/env.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"

/* `folder` "": explain them all. */
static enum status print(struct env *env, const struct options *given, const char *folder,
                         struct config *config, struct buffer *text, struct error *err)
{
    if (*folder == '\0') {
        config_help(text);
        return STATUS_OK;
    }
    TRY(site_load_config(env->disk, folder, config, err));
    if (options_has(given, "json"))
        verb_print_json(config_json(config));
    else
        config_print(config, text);
    return STATUS_OK;
}

static int run(void *context, const struct options *given)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};
    struct config *config = must_alloc(1, sizeof *config);
    struct disk_path folder = {0};
    struct error err = {0};
    enum status status;

    if (options_belong(given, given->operand_count > 0, "json", "config DIR", &err) != STATUS_OK) {
        free(config);
        return verb_usage(given, &err);
    }
    if (given->operand_count > 0 && verb_folder(given, &folder, &err) != STATUS_OK) {
        free(config);
        return verb_usage(given, &err);
    }
    status = print(context, given, folder.text, config, &text, &err);
    free(config);
    if (status != STATUS_OK)
        return verb_fail(&err);
    (void)fputs(buffer_text(&text), stdout);
    return VERB_OK;
}

static const struct option_rule options[] = {
    {.name = "json", .help = "With DIR: print JSON; times in seconds, sizes in bytes."},
};

const struct command verb_config = {
    .name = "config",
    .operands = "[DIR]",
    .operand_max = 1,
    .summary = "print a site's settings, or explain them all",
    .description = "With DIR: every setting with its value, as the server would read it; an error "
                   "in site.conf is named with its line. Without: what each setting means.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
