/* Parts of collecting what nobody needs any more; see db/publish.h. */
#ifndef DB_SQL_COLLECT_H
#define DB_SQL_COLLECT_H

#include "db/sql/store.h"

struct digest_list {
    struct digest *digests; /* owned */
    size_t count;
};

void digest_list_clear(struct digest_list *list);

/* Makes the table of marks, or empties it, when `after` is 0. *ret_last: the last of the `limit`
 * units after it; 0: there is none. */
enum status collect_page(struct sql_store *self, int64_t after, size_t limit, int64_t *ret_last,
                         struct error *err) MUST_USE;
/* What undecided units may need, of those after `after` and up to `last`. */
enum status collect_needed(struct sql_store *self, int64_t after, int64_t last,
                           struct digest_list *list, struct error *err) MUST_USE;

/* The first batch after `after` that lets go of inputs; 0: there is none. */
enum status collect_find_batch(struct sql_store *self, int64_t after, int64_t now_s,
                               int64_t *ret_batch, struct error *err) MUST_USE;
enum status collect_list_inputs(struct sql_store *self, int64_t batch, size_t limit,
                                struct digest *ret_files, size_t *ret_count, struct error *err)
    MUST_USE;

#endif
