#include "db/store.h"

#include <assert.h>

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
