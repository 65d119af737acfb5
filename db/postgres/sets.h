/* What the contract asks of many rows at once, and db/sql/ does row by row: here in one statement.
 */
#ifndef DB_POSTGRES_SETS_H
#define DB_POSTGRES_SETS_H

#include "db/publish.h"
#include "db/query.h"

/* units.c */
enum status postgres_units_add(struct store *store, int64_t batch, struct unit_record *records,
                               size_t count, size_t *ret_new, struct error *err);

/* sets.c */
enum status postgres_revoke(struct store *store, const struct revocation *revocations, size_t count,
                            int64_t time_s, struct error *err);
enum status postgres_inputs_release(struct store *store, int64_t after, int64_t now_s, size_t limit,
                                    int64_t *ret_batch, size_t *ret_count, struct error *err);
enum status postgres_files_forget(struct store *store, const struct digest *files, size_t count,
                                  struct digest *ret_forgotten, size_t *ret_count,
                                  struct error *err);
enum status postgres_bodies_mark(struct store *store, int64_t after, size_t limit,
                                 int64_t *ret_last, struct error *err);
enum status postgres_files_missing(struct store *store, const struct digest *digests, size_t count,
                                   bool *ret_is_missing, struct error *err);
enum status postgres_app_envelopes(struct store *store, const struct digest *digests, size_t count,
                                   bool (*row)(void *context, const struct digest *digest,
                                               struct span envelope),
                                   void *context, struct error *err);

#endif
