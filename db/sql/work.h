/* work_ops of back-ends that speak SQL, but for saving; see db/work.h. */
#ifndef DB_SQL_WORK_H
#define DB_SQL_WORK_H

#include "db/store.h"
#include "db/work.h"

/* load.c */
enum status sql_load(struct store *store, const struct work_request *request,
                     struct work_set *ret_set, struct error *err);

/* scan.c */
enum status sql_scan_ready(struct store *store, int64_t after, struct ready_hint *ret_hints,
                           size_t capacity, size_t *ret_count, struct error *err);
enum status sql_scan_sent(struct store *store, int64_t after, struct sent_hint *ret_hints,
                          size_t capacity, size_t *ret_count, struct error *err);
enum status sql_scan_expired(struct store *store, int64_t now_s, int64_t *ret_units,
                             size_t capacity, size_t *ret_count, struct error *err);
enum status sql_granted_at(struct store *store, int64_t host, int64_t visit, int64_t *ret_tasks,
                           size_t capacity, size_t *ret_count, struct error *err);

#endif
