#include "db/store.h"

#include <assert.h>

#include "common/base/text.h"

bool store_is_url(const char *database)
{
    return text_starts_with(database, "postgres://") || text_starts_with(database, "postgresql://");
}

enum status store_open(const char *database, struct store **ret_store, struct error *err)
{
    return store_is_url(database) ? store_open_postgres(database, ret_store, err)
                                  : store_open_sqlite(database, ret_store, err);
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->close(store);
}

enum status txn_begin(struct txn *txn, struct store *store, struct error *err)
{
    assert(txn->store == NULL);
    TRY(store->begin(store, err));
    txn->store = store;
    return STATUS_OK;
}

enum status txn_commit(struct txn *txn, struct error *err)
{
    assert(txn->store != NULL);
    TRY(txn->store->commit(txn->store, err));
    txn->store = NULL;
    return STATUS_OK;
}

void txn_end(struct txn *txn)
{
    if (txn->store != NULL)
        txn->store->rollback(txn->store);
    txn->store = NULL;
}
