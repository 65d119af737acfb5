#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "server/files/store.h"
#include "server/site/config_edit.h"
#include "server/site/database_log.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"

#define PAGE 500

static const struct option_rule options[] = {
    {.name = "deep",
     .help = "Also read every file and compare its digest with its name, and look every row up in "
             "the database's indexes: hours on a site of millions of units."},
};

#define SAY_EVERY_MS 5000

struct checking {
    struct env *env;
    struct store *store;
    struct file_store *files;
    struct disk_path folder;
    struct config config;
    bool is_deep;
    bool has_broken_part; /* of files/: no folder is there */
    int64_t faults;
    int64_t looked_at;
    int64_t orphans;
    int64_t said_mono_ms; /* when it was last said how far we are */
    struct file_line page[PAGE];
    size_t count;
};

static void complain(void *context, const char *complaint)
{
    struct checking *checking = context;

    checking->faults++;
    (void)printf("database: %s\n", complaint);
}

/* On stderr: what was found goes elsewhere. */
static void say_progress(void *context, const char *part, int64_t done)
{
    struct checking *checking = context;
    int64_t now_mono_ms = checking->env->now_mono_ms(checking->env);

    if (now_mono_ms - checking->said_mono_ms < SAY_EVERY_MS)
        return;
    checking->said_mono_ms = now_mono_ms;
    if (done > 0)
        (void)fprintf(stderr, "checking: %s, %lld so far\n", part, (long long)done);
    else
        (void)fprintf(stderr, "checking: %s\n", part);
}

/* Whatever hinders the look, the file is not there for those who need it. */
static void check_file(struct checking *checking, const struct file_line *line)
{
    const struct digest_text text = digest_format(&line->digest);
    const char *name = text.text;
    struct error err = {0};
    int64_t size = 0;
    enum status status = checking->files->look(checking->files, &line->digest, &size, &err);

    checking->looked_at++;
    if (status == STATUS_NOT_FOUND)
        (void)printf("missing: %s%s\n", name, line->is_referenced ? "" : " (nothing needs it)");
    else if (status == STATUS_OK && size != line->size_bytes)
        (void)printf("size: %s has %lld bytes, not %lld\n", name, (long long)size,
                     (long long)line->size_bytes);
    else if (status == STATUS_OK && checking->is_deep &&
             file_store_verify(checking->files, &line->digest, &err) != STATUS_OK)
        (void)printf("content: %s: %s\n", name, err.text);
    else if (status == STATUS_OK)
        return;
    else
        (void)printf("unreadable: %s: %s\n", name, err.text);
    checking->faults++;
}

static bool keep(void *context, const struct file_line *line)
{
    struct checking *checking = context;

    checking->page[checking->count++] = *line;
    return true;
}

static enum status check_files(struct checking *checking, struct error *err)
{
    struct digest last = {0};
    bool is_first = true;

    do {
        checking->count = 0;
        TRY(checking->store->query->files(checking->store, is_first ? NULL : &last, PAGE, keep,
                                          checking, err));
        for (size_t i = 0; i < checking->count; i++)
            check_file(checking, &checking->page[i]);
        say_progress(checking, "files", checking->looked_at);
        if (checking->count > 0)
            last = checking->page[checking->count - 1].digest;
        is_first = false;
    } while (checking->count == PAGE);
    return STATUS_OK;
}

/* A file that nobody knows of harms nobody: it is listed, and no fault. */
static enum status look_for_orphan(void *context, const struct file_entry *entry, struct error *err)
{
    struct checking *checking = context;
    bool is_missing = true;

    if (!digest_is_none(&entry->digest))
        TRY(checking->store->query->files_missing(checking->store, &entry->digest, 1, &is_missing,
                                                  err));
    if (is_missing) {
        checking->orphans++;
        (void)printf("orphan: %s (%lld bytes)\n", entry->path, (long long)entry->size_bytes);
    }
    return STATUS_OK;
}

/* Is it one of those that files/ is made of? */
static bool is_part(const char *name)
{
    uint8_t byte;

    return strcmp(name, "incoming") == 0 || strcmp(name, "uploads") == 0 ||
           text_to_exact_bytes(name, sizeof byte, &byte);
}

/* Right below files/: a part that is no folder is a fault, anything else that is there an orphan.
 */
static enum status check_root(struct checking *checking, const char *root, const char *name,
                              struct error *err)
{
    struct disk *disk = checking->env->disk;
    struct disk_entry facts;
    struct disk_path path;

    TRY(disk_join(&path, err, "%s/%s", root, name));
    TRY(disk->look(disk, path.text, &facts, err));
    if (!is_part(name)) {
        checking->orphans++;
        (void)printf("orphan: %s (%lld bytes)\n", path.text, (long long)facts.size_bytes);
    } else if (facts.kind != DISK_FOLDER && facts.kind != DISK_LINK) {
        checking->faults++;
        checking->has_broken_part = true;
        (void)printf("files: %s is no folder\n", path.text);
    }
    return STATUS_OK;
}

/* Of parts that are no folders nothing can be listed. */
static enum status look_for_orphans(struct checking *checking, const char *root, struct error *err)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct file_visitor visitor = {.visit = look_for_orphan, .context = checking};
    enum status status = checking->env->disk->list(checking->env->disk, root, &names, err);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* never served */
    TRY(status);
    for (size_t i = 0; i < names.count; i++)
        TRY(check_root(checking, root, names.names[i], err));
    if (checking->has_broken_part)
        return STATUS_OK;
    return file_store_walk(checking->files, &visitor, err);
}

static void check_certificate(struct checking *checking)
{
    const struct config *config = &checking->config;
    struct error err = {0};

    if (config->listen.count > 0 &&
        site_check_certificate(checking->env, checking->folder.text, config, &err) != STATUS_OK) {
        checking->faults++;
        (void)printf("certificate: %s\n", err.text);
    }
    if (site_check_authority(checking->env->disk, checking->folder.text, config, &err) !=
        STATUS_OK) {
        checking->faults++;
        (void)printf("authority: %s\n", err.text);
    }
}

static void say_of_log(struct checking *checking, const struct database_log *log)
{
    switch (log->kind) {
    case WAL_BLANK:
        (void)printf("note: the write-ahead log has no beginning, as of a cut just when it was "
                     "made. If it was longer, what was changed last is missing, and nothing here "
                     "can tell.\n");
        return;
    case WAL_IS_NONE:
        complain(checking, "dugnad.db-wal is no write-ahead log: it is passed over, and what was "
                           "changed last is missing");
        return;
    case WAL_OF_ANOTHER:
        complain(checking, "dugnad.db-wal is the log of another database, or of another state of "
                           "this one");
        return;
    case WAL_DAMAGED:
        complain(checking, "the write-ahead log is damaged in its midst: it is passed over from "
                           "there on, and what was changed last is missing");
        return;
    case WAL_FITS:
        break;
    }
    if (log->taken > 0)
        (void)printf("note: %lld pages of the write-ahead log are read as part of the database. "
                     "They fit; that the log is not another one of the same site, nothing here "
                     "can tell.\n",
                     (long long)log->taken);
    if (log->passed > 0)
        (void)printf("note: the last %lld pages of the write-ahead log are passed over, as what a "
                     "cut ended before it was acknowledged. If they were damaged since, what was "
                     "changed last is missing, and nothing here can tell.\n",
                     (long long)log->passed);
}

/* Before SQLite has it, which passes over in silence what does not hold. */
static enum status check_log(struct checking *checking, struct error *err)
{
    struct disk *disk = checking->env->disk;
    struct database_log found;
    struct disk_path database, log;
    struct disk_entry entry;

    if (*checking->config.database.text != '\0')
        return STATUS_OK;
    TRY(site_path(checking->folder.text, "dugnad.db", &database, err));
    TRY(site_path(checking->folder.text, "dugnad.db-wal", &log, err));
    if (disk->look(disk, log.text, &entry, NULL) != STATUS_OK || entry.kind != DISK_FILE ||
        entry.size_bytes == 0)
        return STATUS_OK; /* said by open_database() */
    TRY(database_log_look(disk, database.text, log.text, &found, err));
    say_of_log(checking, &found);
    return STATUS_OK;
}

/* A clean stop leaves none. Nor does whoever copies the file alone, or deletes the log. */
static enum status open_database(struct checking *checking, struct error *err)
{
    bool has_log;

    TRY(site_open_store_to_look(checking->env->disk, checking->folder.text, &checking->config,
                                &has_log, &checking->store, err));
    if (!has_log && *checking->config.database.text == '\0')
        (void)printf("note: the database has no write-ahead log beside it, as after a clean stop. "
                     "If the server was killed, or this is a copy of dugnad.db alone, what was "
                     "changed last is missing, and nothing here can tell.\n");
    return STATUS_OK;
}

static void check_secret(struct checking *checking)
{
    struct site_secret secret;
    struct error err = {0};

    if (site_load_secret(checking->env->disk, checking->folder.text, &secret, &err) != STATUS_OK) {
        checking->faults++;
        (void)printf("secret: %s\n", err.text);
    }
    secret_clear(&secret, sizeof secret);
}

/* A lost folder is said, and not looked into. */
static enum status check_stored(struct checking *checking, struct error *err)
{
    struct error missing = {0};
    struct disk_path path;
    enum status status =
        site_check_folders(checking->env->disk, checking->folder.text, checking->store, &missing);

    if (status == STATUS_INVALID) {
        checking->faults++;
        (void)printf("files: %s\n", missing.text);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return error_pass(err, &missing);
    TRY(site_path(checking->folder.text, "files", &path, err));
    TRY(file_store_open_to_look(checking->env, path.text, &checking->files, err));
    TRY(check_files(checking, err));
    return look_for_orphans(checking, path.text, err);
}

static bool see_freshness(void *context, const struct news_view *news)
{
    if (news->kind == NEWS_FRESHNESS)
        *(int64_t *)context = news->expires_s;
    return true;
}

/* A lost one the journal tells of. One that never came, or ran out, is no fault of the site. */
static enum status check_freshness(struct checking *checking, struct error *err)
{
    struct store *store = checking->store;
    int64_t now_s = checking->env->now_s(checking->env), expires_s = 0;
    struct error cause = {0};
    struct site site;

    if (store->publish->site_load(store, &site, &cause) != STATUS_OK ||
        digest_is_none(&site.project))
        return STATUS_OK; /* the first is said of the database */
    TRY(store->query->news(store, now_s, see_freshness, &expires_s, err));
    if (expires_s == 0)
        (void)printf("note: the project has no freshness: clients start nothing until 'dugnad key "
                     "publish' or a submit brings one.\n");
    else if (expires_s <= now_s)
        (void)printf("note: the project's freshness ran out %lld hours ago: clients start nothing "
                     "new until 'dugnad key publish' or a submit renews it.\n",
                     (long long)(now_s - expires_s) / 3600);
    return STATUS_OK;
}

/* Of a database that cannot even be read the files are not known, either. */
static enum status check_contents(struct checking *checking, struct error *err)
{
    const struct store_check how = {.is_deep = checking->is_deep,
                                    .say = complain,
                                    .progress = say_progress,
                                    .context = checking};
    int64_t faults = 0;

    TRY(check_log(checking, err));
    TRY(open_database(checking, err));
    TRY(checking->store->check(checking->store, &how, &faults, err));
    if (faults == 0)
        TRY(check_freshness(checking, err));
    return check_stored(checking, err);
}

static bool is_damage(enum status status, const struct error *err)
{
    return status == STATUS_NOT_FOUND ||
           (err->code != NULL && strcmp(err->code, STORE_DAMAGED) == 0);
}

static enum status check_all(struct checking *checking, struct error *err)
{
    struct error cause = {0};
    enum status status;

    check_secret(checking);
    check_certificate(checking);
    status = check_contents(checking, &cause);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (!is_damage(status, &cause))
        return error_pass(err, &cause);
    complain(checking, cause.text);
    if (*cause.detail != '\0')
        (void)printf("  (%s)\n", cause.detail);
    return STATUS_OK;
}

/* What is wrong with its end; NULL: nothing. */
static const char *check_end(const struct buffer *text)
{
    if (text->length == 0 || text->bytes[text->length - 1] != '\n')
        return "site.conf is empty, or its last line does not end: was it cut short?";
    switch (config_end_of(buffer_text(text))) {
    case CONFIG_END_LOST:
        return "site.conf has lost its last line, \"" CONFIG_END "\": was it cut short? What "
               "stood there is the default now";
    case CONFIG_END_PASSED:
        (void)printf("note: settings stand below \"" CONFIG_END "\" in site.conf: whether there "
                     "were more, nothing here can tell.\n");
        return NULL;
    case CONFIG_END_UNSAID:
        (void)printf("note: site.conf has no last line \"" CONFIG_END "\": whether lines at its "
                     "end are missing, nothing here can tell.\n");
        return NULL;
    case CONFIG_END_THERE:
        return NULL;
    }
    abort();
}

/* What a cut takes away would be the default again. *ret_goes_on: they can be used. */
static enum status check_settings(struct checking *checking, bool *ret_goes_on, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CONFIG_FILE_MAX};
    struct disk *disk = checking->env->disk;
    const char *words = NULL;
    struct error cause = {0};
    struct disk_path path;

    TRY(site_path(checking->folder.text, "site.conf", &path, err));
    *ret_goes_on = true;
    if (!disk_has(disk, path.text))
        return STATUS_OK; /* said by site_load_config() */
    if (config_load(disk, path.text, &checking->config, &cause) != STATUS_OK) {
        *ret_goes_on = false;
        words = cause.text;
    } else {
        TRY(disk->read(disk, path.text, &text, err));
        words = check_end(&text);
    }
    if (words != NULL) {
        checking->faults++;
        (void)printf("settings: %s\n", words);
    }
    return STATUS_OK;
}

/* What is on its way in is the running server's: with one running nothing is checked. */
static enum status lock_and_check(struct checking *checking, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *lock = NULL;
    struct disk *disk = checking->env->disk;
    struct disk_path path;
    bool goes_on;

    TRY(check_settings(checking, &goes_on, err));
    if (!goes_on)
        return STATUS_OK;
    TRY(site_load_config(disk, checking->folder.text, &checking->config, err));
    TRY(site_path(checking->folder.text, "lock", &path, err));
    /* To lock it would make it: of a site that no server ever ran. */
    if (disk_has(disk, path.text) && disk->lock(disk, path.text, &lock, err) == STATUS_BUSY)
        return error_set(err, STATUS_BUSY, "a server runs this site; stop it first");
    return check_all(checking, err);
}

static int say_outcome(const struct checking *checking, enum status status, const struct error *err)
{
    if (status != STATUS_OK) {
        (void)verb_fail(err);
        return status == STATUS_BUSY ? VERB_RUNNING : VERB_FAILED;
    }
    (void)printf("%lld files looked at, %lld orphans, %lld faults: %s\n",
                 (long long)checking->looked_at, (long long)checking->orphans,
                 (long long)checking->faults, checking->faults == 0 ? "sound" : "NOT sound");
    return checking->faults == 0 ? VERB_OK : VERB_UNSOUND;
}

static int run(void *context, const struct options *given)
{
    struct checking *checking;
    struct disk_path folder;
    struct error err = {0};
    enum status status;
    int code;

    if (verb_folder(given, &folder, &err) != STATUS_OK)
        return verb_usage(given, &err);
    checking = must_alloc(1, sizeof *checking);
    checking->folder = folder;
    checking->env = context;
    checking->is_deep = options_has(given, "deep");
    checking->said_mono_ms = checking->env->now_mono_ms(checking->env);
    status = lock_and_check(checking, &err);
    code = say_outcome(checking, status, &err);
    file_store_close(checking->files);
    store_close(checking->store);
    free(checking);
    return code;
}

const struct command verb_check = {
    .name = "check",
    .operands = "DIR",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "look whether a site is sound",
    .description =
        "Checks the database, that every file it names is there with the right size (with --deep: "
        "the right content), the certificate and what renews it; lists files that nothing names. "
        "The server must not run meanwhile. A long check says on stderr how far it is; it changes "
        "nothing and may be interrupted. Exit code 3: something is wrong.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
