#include "server/collect.h"

#include "db/publish.h"
#include "db/store.h"
#include "server/files/store.h"

static enum status forget(struct store *store, const struct collecting *collecting,
                          struct digest *ret_forgotten, size_t *ret_count, int64_t *ret_bodies,
                          struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    struct digest files[COLLECT_SLICE];
    size_t count = 0;

    TRY(txn_begin(&txn, store, err));
    TRY(store->publish->files_unreferenced(store, NULL, collecting->files_before_s, files,
                                           COLLECT_SLICE, &count, err));
    TRY(store->publish->files_forget(store, files, count, ret_forgotten, ret_count, err));
    TRY(store->publish->bodies_collect(store, collecting->bodies_before_s, COLLECT_SLICE,
                                       ret_bodies, err));
    return txn_commit(&txn, err);
}

/* The rows go first: a file without a row is an orphan, a row without its file would be a fault. */
enum status collect_slice(struct store *store, void *context, struct error *err)
{
    struct collecting *collecting = context;
    struct file_store *files = collecting->files;
    struct digest forgotten[COLLECT_SLICE];
    size_t count = 0;
    int64_t bodies = 0;

    TRY(forget(store, collecting, forgotten, &count, &bodies, err));
    for (size_t i = 0; i < count; i++)
        TRY(files->collect(files, &forgotten[i], collecting->files_before_s, err));
    collecting->removed += (int64_t)count + bodies;
    collecting->has_more = count == COLLECT_SLICE || bodies == COLLECT_SLICE;
    return STATUS_OK;
}
