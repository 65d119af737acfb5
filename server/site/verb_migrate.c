#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "db/copy.h"
#include "db/query.h"
#include "db/store.h"
#include "server/site/config_edit.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"

#define SAY_EVERY_MS 5000

static const struct option_rule options[] = {
    {.name = "to",
     .argument = "URL",
     .help = "Where to: postgres://ROLE@HOST/NAME, or `sqlite` for a dugnad.db in the folder; "
             "required."},
};

struct migration_run {
    struct env *env;
    struct disk_path folder;
    struct disk_path path; /* of site.conf */
    struct config config;  /* as it is */
    struct config after;   /* as it will be */
    struct buffer text;    /* of it */
    struct store *from, *to;
    int64_t said_mono_ms;
};

static void run_end(struct migration_run *run)
{
    store_close(run->from);
    store_close(run->to);
    buffer_clear(&run->text);
    free(run);
}

DEFINE_CLEANUP(struct migration_run *, run_end)

/* On stderr: the tables that are through go to stdout. */
static void say_progress(void *context, const char *table, int64_t rows, bool is_check)
{
    struct migration_run *run = context;
    int64_t now_mono_ms = run->env->now_mono_ms(run->env);

    if (now_mono_ms - run->said_mono_ms < SAY_EVERY_MS)
        return;
    run->said_mono_ms = now_mono_ms;
    (void)fprintf(stderr, "%s: %s, %lld rows so far\n", is_check ? "reading again" : "copying",
                  table, (long long)rows);
}

static void say_table(void *context, const char *table, const struct table_sum *sum)
{
    (void)context;
    (void)printf("%-16s %12lld rows, alike\n", table, (long long)sum->rows);
}

/* What site.conf will say is known, and right, before anything is copied. */
static enum status plan(struct migration_run *run, const char *to, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};
    bool is_lite = strcmp(to, "sqlite") == 0;
    bool was_lite = *run->config.database.text == '\0';

    if (is_lite && was_lite)
        return error_set(err, STATUS_INVALID, "the site is in an embedded database already");
    if (!is_lite && strcmp(to, run->config.database.text) == 0)
        return error_set(err, STATUS_INVALID, "the site is in that database already");
    TRY(site_path(run->folder.text, "site.conf", &run->path, err));
    TRY(run->env->disk->read(run->env->disk, run->path.text, &text, err));
    run->text.max = CONFIG_FILE_MAX;
    TRY(config_replace(buffer_text(&text), "database", is_lite ? "" : to, &run->text, err));
    return config_parse(buffer_text(&run->text), &run->after, err);
}

/* What is in the other database is the site already: a migration was ended before its last step. */
static enum status go_on(struct migration_run *run, const struct copy_listener *listener,
                         struct error *err)
{
    bool is_same = false;

    TRY(store_compare(run->from, run->to, listener, &is_same, err));
    if (is_same)
        return STATUS_OK;
    return error_set(err, STATUS_CONFLICT,
                     "the database holds a site already, and not this one as it is now: give one "
                     "that is empty");
}

static enum status copy(struct migration_run *run, struct error *err)
{
    const struct copy_listener listener = {
        .progress = say_progress, .table = say_table, .context = run};
    struct disk_path lite;
    bool is_blank;

    TRY(site_open_store(run->folder.text, &run->config, true, &run->from, err));
    TRY(verb_refuse_others(run->from, err));
    TRY(site_path(run->folder.text, "dugnad.db", &lite, err));
    TRY(store_open(*run->after.database.text != '\0' ? run->after.database.text : lite.text,
                   &run->to, err));
    TRY(store_is_blank(run->to, &is_blank, err));
    return is_blank ? store_copy(run->from, run->to, &listener, err) : go_on(run, &listener, err);
}

static enum status move(struct migration_run *run, const char *to, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *lock = NULL;
    struct disk *disk = run->env->disk;
    struct disk_path path;

    TRY(site_load_config(disk, run->folder.text, &run->config, err));
    TRY(plan(run, to, err));
    TRY(site_path(run->folder.text, "lock", &path, err));
    if (disk->lock(disk, path.text, &lock, err) == STATUS_BUSY)
        return error_set(err, STATUS_BUSY, "a server runs this site; stop it first");
    TRY(copy(run, err));
    return disk->write(disk, run->path.text, run->text.bytes, run->text.length, 0600, err);
}

static void say_done(const struct migration_run *run)
{
    if (*run->config.database.text == '\0')
        (void)printf("The site is in PostgreSQL now, and site.conf says so. %s/dugnad.db is as it "
                     "was: remove it when all is well.\n",
                     run->folder.text);
    else
        (void)printf("The site is in %s/dugnad.db now, and site.conf says so. PostgreSQL's tables "
                     "are as they were.\n",
                     run->folder.text);
}

/* The command line, read before the site is looked at. */
static enum status read_order(const struct options *given, struct disk_path *ret_folder,
                              const char **ret_to, struct error *err)
{
    const char *to = options_text(given, "to");

    TRY(verb_folder(given, ret_folder, err));
    if (to == NULL)
        return error_set(err, STATUS_INVALID, "say where: --to postgres://ROLE@HOST/NAME");
    if (strcmp(to, "sqlite") != 0 && !store_is_url(to))
        return error_set(err, STATUS_INVALID, "--to takes postgres://ROLE@HOST/NAME or sqlite");
    *ret_to = to;
    return STATUS_OK;
}

static int run(void *context, const struct options *given)
{
    CLEANUP(run_endp) struct migration_run *run = must_alloc(1, sizeof *run);
    struct error err = {0};
    const char *to = NULL;
    enum status status;

    run->env = context;
    run->said_mono_ms = run->env->now_mono_ms(run->env);
    if (read_order(given, &run->folder, &to, &err) != STATUS_OK)
        return verb_usage(given, &err);
    status = move(run, to, &err);
    if (status != STATUS_OK) {
        (void)verb_fail(&err);
        return status == STATUS_BUSY ? VERB_RUNNING : VERB_FAILED;
    }
    say_done(run);
    return VERB_OK;
}

const struct command verb_migrate = {
    .name = "migrate",
    .operands = "DIR",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "move a site's database to PostgreSQL, or back",
    .description =
        "Copies all rows into a database without a site, reads them again there, compares each "
        "table's count and checksum, and then says in site.conf where the site is. The server must "
        "not run meanwhile. The old database stays as it is. Killed at any time it can be given "
        "again: until all is copied and compared nothing is there.",
    .examples = "Outgrow one machine:\n"
                "  dugnad-server migrate /srv/grid --to postgres://dugnad@db.example/dugnad",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
