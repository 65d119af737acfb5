#include "server/collect.h"

#include <stdlib.h>

#include "db/publish.h"
#include "db/query.h"
#include "db/store.h"
#include "server/files/store.h"

static void begin_phase(struct collecting *pass, enum collect_phase phase)
{
    pass->phase = phase;
    pass->last = (struct digest){0};
    pass->last_id = 0;
    pass->part = 0;
}

static enum status release_inputs(struct store *store, struct collecting *pass, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    int64_t batch = 0;
    size_t count = 0;

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->inputs_release(store, pass->last_id, pass->now_s, COLLECT_SLICE, &batch,
                                       &count, err));
    TRY(txn_commit(&txn, err));
    pass->released += (int64_t)count;
    if (batch == 0)
        begin_phase(pass, COLLECT_FILES);
    else if (count < COLLECT_SLICE)
        pass->last_id = batch;
    return STATUS_OK;
}

static enum status forget_files(struct store *store, const struct collecting *pass,
                                struct digest *ret_forgotten, size_t *ret_count,
                                struct digest *ret_last, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    const struct file_graces graces = {.files_before_s = pass->files_before_s,
                                       .outputs_before_s = pass->outputs_before_s};
    struct digest files[COLLECT_SLICE];
    size_t count = 0;

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->files_unreferenced(store, &pass->last, &graces, files, COLLECT_SLICE,
                                           &count, ret_last, err));
    TRY(store->publish->files_forget(store, files, count, ret_forgotten, ret_count, err));
    return txn_commit(&txn, err);
}

/*
 * With the store held, and only what is still no row: between the row's end and this another server
 * may have met the file on the disk, and made it a row again.
 */
static enum status remove_unknown(struct store *store, struct collecting *pass,
                                  const struct digest *files, size_t count, int64_t *removed,
                                  struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    bool is_missing[COLLECT_SLICE];

    TRY(txn_begin(&txn, store, err));
    TRY(store->query->files_missing(store, files, count, is_missing, err));
    for (size_t i = 0; i < count; i++) {
        if (!is_missing[i])
            continue;
        TRY(pass->files->collect(pass->files, &files[i], pass->files_before_s, err));
        ++*removed;
    }
    return txn_commit(&txn, err);
}

/* The rows are gone for good before the first file is touched. */
static enum status remove_files(struct store *store, struct collecting *pass, struct error *err)
{
    struct digest forgotten[COLLECT_SLICE], last;
    size_t count = 0;

    TRY(forget_files(store, pass, forgotten, &count, &last, err));
    pass->last = last;
    if (digest_is_none(&last))
        begin_phase(pass, COLLECT_ORPHANS);
    if (count == 0)
        return STATUS_OK;
    return remove_unknown(store, pass, forgotten, count, &pass->files_removed, err);
}

struct orphanage {
    struct store *store;
    struct collecting *pass;
};

static enum status remove_orphan(void *context, const struct file_entry *entry, struct error *err)
{
    const struct orphanage *here = context;
    struct collecting *pass = here->pass;
    bool is_orphan = false;

    if (digest_is_none(&entry->digest) || entry->changed_s >= pass->files_before_s)
        return STATUS_OK;
    TRY(here->store->query->files_missing(here->store, &entry->digest, 1, &is_orphan, err));
    if (!is_orphan)
        return STATUS_OK;
    return remove_unknown(here->store, pass, &entry->digest, 1, &pass->orphans_removed, err);
}

static enum status remove_orphans(struct store *store, struct collecting *pass, struct error *err)
{
    struct orphanage here = {.store = store, .pass = pass};
    const struct file_visitor visitor = {.visit = remove_orphan, .context = &here};

    TRY(pass->files->walk(pass->files, pass->part, &visitor, err));
    if (++pass->part == FILE_STORE_PARTS)
        begin_phase(pass, COLLECT_MARKING);
    return STATUS_OK;
}

static enum status mark_bodies(struct store *store, struct collecting *pass, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    int64_t last = 0;

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->bodies_mark(store, pass->last_id, COLLECT_SLICE, &last, err));
    TRY(txn_commit(&txn, err));
    pass->last_id = last;
    if (last == 0)
        begin_phase(pass, COLLECT_BODIES);
    return STATUS_OK;
}

static enum status sweep_bodies(struct store *store, struct collecting *pass, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    struct digest last;
    int64_t count = 0;

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->bodies_sweep(store, &pass->last, pass->outputs_before_s, COLLECT_SLICE,
                                     &count, &last, err));
    TRY(txn_commit(&txn, err));
    pass->bodies_removed += count;
    pass->last = last;
    if (digest_is_none(&last))
        begin_phase(pass, COLLECT_DETAILS);
    return STATUS_OK;
}

static enum status forget_details(struct store *store, struct collecting *pass, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    int64_t count = 0, last = 0;

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->details_forget(store, pass->last_id, pass->details_before_s, COLLECT_SLICE,
                                       &count, &last, err));
    TRY(txn_commit(&txn, err));
    pass->details_forgotten += count;
    pass->last_id = last;
    if (last == 0)
        begin_phase(pass, COLLECT_DONE);
    return STATUS_OK;
}

enum status collect_step(struct store *store, void *context, struct error *err)
{
    struct collecting *pass = context;

    switch (pass->phase) {
    case COLLECT_INPUTS:
        return release_inputs(store, pass, err);
    case COLLECT_FILES:
        return remove_files(store, pass, err);
    case COLLECT_ORPHANS:
        return remove_orphans(store, pass, err);
    case COLLECT_MARKING:
        return mark_bodies(store, pass, err);
    case COLLECT_BODIES:
        return sweep_bodies(store, pass, err);
    case COLLECT_DETAILS:
        return forget_details(store, pass, err);
    case COLLECT_DONE:
        return STATUS_OK;
    }
    abort();
}
