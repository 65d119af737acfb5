/* store.check of the SQLite back-end. */
#include "db/sql/check.h"

#include <string.h>

#include "db/sql/query.h"
#include "db/sqlite/store.h"

static enum status check_pages(struct checker *checker, struct error *err)
{
    static const char sql[] = "PRAGMA integrity_check";
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    TRY(query_begin(&query, checker->store, sql, err));
    while (query_next(&query)) {
        const char *words = get_text(&query);

        if (strcmp(words, "ok") != 0)
            complain(checker, "the file is damaged: %s", words);
    }
    return query_status(&query, err);
}

static enum status check_keys(struct checker *checker, struct error *err)
{
    static const char sql[] = "PRAGMA foreign_key_check";
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    TRY(query_begin(&query, checker->store, sql, err));
    while (query_next(&query)) {
        const char *table = get_text(&query);
        int64_t id = get_integer(&query);

        complain(checker, "%s %lld refers to a row of %s that is not there", table, (long long)id,
                 get_text(&query));
    }
    return query_status(&query, err);
}

static enum status set(struct checker *checker, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, checker->store, sql, err));
    return query_run(&query, err);
}

/*
 * What is sorted of millions of rows goes through files, not through memory. Units are looked up by
 * their digests in no order at all: the more of that index stays at hand, the less a slow disk is
 * asked. Up to 256 MiB, and once more for a sort: nothing else runs here.
 */
static enum status make_room(struct checker *checker, struct error *err)
{
    static const char temporary[] = "PRAGMA temp_store = FILE",
                      cache[] = "PRAGMA cache_size = -262144";

    TRY(set(checker, temporary, err));
    return set(checker, cache, err);
}

enum status sqlite_check(struct store *store, void (*say)(void *context, const char *complaint),
                         void *context, int64_t *ret_faults, struct error *err)
{
    struct checker checker = {.store = sql_of(store), .say = say, .context = context};
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};

    TRY(make_room(&checker, err));
    TRY(snapshot_begin(&snapshot, checker.store, err));
    TRY(check_pages(&checker, err));
    TRY(check_keys(&checker, err));
    TRY(sql_check(&checker, err));
    *ret_faults = checker.faults;
    return STATUS_OK;
}
