/* work_ops.save of the SQLite back-end, and its parts; see db/work.h. */
#ifndef DB_SQLITE_SAVE_H
#define DB_SQLITE_SAVE_H

#include "db/sqlite/store.h"
#include "db/work.h"

enum status sqlite_save(struct store *store, struct work_set *set, struct error *err);

/* Each part writes what changed, or was added, of its kind. STATUS_CONFLICT: as sqlite_save(). */
enum status save_hosts(struct sql_store *self, struct work_set *set, struct error *err) MUST_USE;
enum status save_units(struct sql_store *self, struct work_set *set, struct error *err) MUST_USE;
enum status save_batches(struct sql_store *self, struct work_set *set, struct error *err) MUST_USE;
/* Visits, reports, bodies, acceptances, journal. After the units: they refer to their tasks. */
enum status save_records(struct sql_store *self, struct work_set *set, struct error *err) MUST_USE;

#endif
