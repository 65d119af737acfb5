/* dugnad-server restore: a site that came back from a copy begins a new life. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/env.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"

/* At random, so that two restores of one copy part as well. */
#define LEAPS_MOST 64

static enum status note(struct store *store, const struct site *site, int64_t skipped,
                        struct error *err)
{
    struct journal_entry entry = {.time_s = site->restored_s,
                                  .kind = JOURNAL_RESTORED,
                                  .subject = site->incarnation,
                                  .detail = skipped};
    struct work_set set = {.journal = &entry, .journal_count = 1};

    return store->work->save(store, &set, err);
}

static enum status begin_anew(struct env *env, struct store *store, struct site *ret_site,
                              struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    uint8_t random;
    int64_t skipped;

    env->random(env, &random, sizeof random);
    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->site_load(store, ret_site, err));
    ret_site->incarnation++;
    ret_site->restored_s = env->now_s(env);
    TRY(store->publish->site_save(store, ret_site, err));
    TRY(store->publish->ids_leap(store, 1 + random % LEAPS_MOST, &skipped, err));
    TRY(note(store, ret_site, skipped, err));
    return txn_commit(&txn, err);
}

static enum status restore(struct env *env, const char *folder, struct site *ret_site,
                           struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *lock = NULL;
    CLEANUP(store_closep) struct store *store = NULL;
    struct disk_path path;

    TRY(site_path(folder, "lock", &path, err));
    if (env->disk->lock(env->disk, path.text, &lock, err) == STATUS_BUSY)
        return error_set(err, STATUS_BUSY, "a server runs this site; stop it first");
    TRY(verb_open_store_alone(env, folder, &store, err));
    return begin_anew(env, store, ret_site, err);
}

static int run(void *context, const struct options *given)
{
    struct disk_path folder;
    struct site site;
    struct error err = {0};
    enum status status;

    if (verb_folder(given, &folder, &err) != STATUS_OK)
        return verb_usage(given, &err);
    status = restore(context, folder.text, &site, &err);
    if (status != STATUS_OK) {
        (void)verb_fail(&err);
        return status == STATUS_BUSY ? VERB_RUNNING : VERB_FAILED;
    }
    (void)printf("%s lives for the %" PRId64 ". time. Now: run it; 'dugnad key publish'; 'dugnad "
                 "app add' and 'dugnad submit' again what is newer than the copy. Hosts tell what "
                 "they keep for a week.\n",
                 folder.text, site.incarnation);
    return VERB_OK;
}

const struct command verb_restore = {
    .name = "restore",
    .operands = "DIR",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "say that a site was put back from a copy",
    .description =
        "To be given once, with the server (each of several) stopped, after a site's folder or "
        "database was put back "
        "from an older copy, and before it runs again. Numbers that were given out since the copy "
        "was made are not given out again; and for a week hosts are asked for the finished work "
        "that they keep, and told to drop nothing only because the copy does not know it.",
    .examples = "  dugnad-server restore /srv/grid && dugnad-server run /srv/grid",
    .run = run,
};
