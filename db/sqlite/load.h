/* work_ops.load of the SQLite back-end; see db/work.h. */
#ifndef DB_SQLITE_LOAD_H
#define DB_SQLITE_LOAD_H

#include "db/store.h"
#include "db/work.h"

enum status sqlite_load(struct store *store, const struct work_request *request,
                        struct work_set *ret_set, struct error *err);

#endif
