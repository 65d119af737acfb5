/* work_ops.save of the PostgreSQL back-end, and its parts; see db/work.h. */
#ifndef DB_POSTGRES_SAVE_H
#define DB_POSTGRES_SAVE_H

#include "db/postgres/store.h"
#include "db/work.h"

enum status postgres_save(struct store *store, struct work_set *set, struct error *err);

/* Each part writes what changed, or was added, of its kind: a statement for each, however many rows
 * there are. STATUS_CONFLICT: as postgres_save(). */
enum status postgres_save_hosts(struct sql_store *self, struct work_set *set, struct error *err)
    MUST_USE;
enum status postgres_save_units(struct sql_store *self, struct work_set *set, struct error *err)
    MUST_USE;
enum status postgres_save_batches(struct sql_store *self, struct work_set *set, struct error *err)
    MUST_USE;
/* Visits, reports, bodies, journal. After the units: they refer to their tasks. */
enum status postgres_save_records(struct sql_store *self, struct work_set *set, struct error *err)
    MUST_USE;
/* Acceptances, and what they and the units' ends mean for the files. After the journal. */
enum status postgres_save_ends(struct sql_store *self, struct work_set *set, struct error *err)
    MUST_USE;

#endif
