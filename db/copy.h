/*
 * A site's whole database into another one, of either kind, row by row: for `dugnad-server
 * migrate`. Both have to be of this program's version, which opening them sees to.
 */
#ifndef DB_COPY_H
#define DB_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct store;

/* What a table holds: as many rows, and the sum of their hashes, whatever order they are in. */
struct table_sum {
    int64_t rows;
    uint64_t words[2];
};

/* Who hears of it. */
struct copy_listener {
    /* Now and then: so many rows of the table were copied, or (is_check) read again. */
    void (*progress)(void *context, const char *table, int64_t rows, bool is_check);
    /* The table is in both alike. */
    void (*table)(void *context, const char *table, const struct table_sum *sum);
    void *context;
};

/*
 * Nothing was published in `store` yet: it holds no site. (The rows that every new database has
 * are no site.)
 */
enum status store_is_blank(struct store *store, bool *ret_is_blank, struct error *err) MUST_USE;

/*
 * All rows of `from` into `to`, in one transaction of `to`: whatever goes wrong, and whenever the
 * program is killed, `to` is as it was. Before the commit each table of `to` is read again and
 * compared with what was read from `from`. Memory does not grow with the site. Nobody else may
 * write either meanwhile.
 *
 * STATUS_CONFLICT: `to` is not blank. STATUS_INVALID: the tables are not the same.
 */
enum status store_copy(struct store *from, struct store *to, const struct copy_listener *listener,
                       struct error *err) MUST_USE;

/* The same, but that nothing is copied: *ret_is_same says whether both hold the same rows. */
enum status store_compare(struct store *from, struct store *to,
                          const struct copy_listener *listener, bool *ret_is_same,
                          struct error *err) MUST_USE;

#endif
