/* store.check of the SQLite back-end. */
#include "db/sql/check.h"

#include <string.h>

#include "db/sql/query.h"
#include "db/sqlite/schema.h"
#include "db/sqlite/store.h"

/*
 * The quick one reads each page once and the rows on it. The full one also looks each row up in
 * each index of its table: on a site that does not fit into memory a read of the disk for each.
 */
static enum status check_pages(struct checker *checker, struct error *err)
{
    static const char quick[] = "PRAGMA quick_check", full[] = "PRAGMA integrity_check";
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    check_progress(checker, "pages", 0);
    TRY(query_begin(&query, checker->store, checker->how->is_deep ? full : quick, err));
    while (query_next(&query)) {
        const char *words = get_text(&query);

        if (strcmp(words, "ok") != 0)
            complain(checker, "the file is damaged: %s", words);
    }
    return query_status(&query, err);
}

/* But for the tables whose rows lie in another order than what they refer to. */
static enum status check_keys(struct checker *checker, struct error *err)
{
    static const char sql[] =
        "SELECT k.\"table\", k.rowid, k.parent FROM sqlite_schema s, "
        "pragma_foreign_key_check(s.name) k"
        " WHERE s.type = 'table' AND s.name NOT IN ('report', 'batch_result')";
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    check_progress(checker, "references", 0);
    TRY(query_begin(&query, checker->store, sql, err));
    while (query_next(&query)) {
        const char *table = get_text(&query);
        int64_t id = get_integer(&query);

        complain(checker, "%s %lld refers to a row of %s that is not there", table, (long long)id,
                 get_text(&query));
    }
    return query_status(&query, err);
}

/* Sorted first, these are looked up in order, too. */
static const struct check_rule references[] = {
#define REFERENCE(from, column, to)                                                                \
    {                                                                                              \
        .noun = to, .words = "is not there, and a row of " from " refers to it",                   \
        .sql = "SELECT id FROM (SELECT DISTINCT " column " AS id FROM " from " WHERE " column      \
               " IS NOT NULL ORDER BY 1) x WHERE NOT EXISTS (SELECT 1 FROM " to                    \
               " y WHERE y.id = x.id)",                                                            \
    }
    REFERENCE("report", "task", "task"),
    REFERENCE("report", "visit", "visit"),
    REFERENCE("batch_result", "batch", "batch"),
    REFERENCE("batch_result", "unit", "unit"),
};

static enum status set(struct checker *checker, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, checker->store, sql, err));
    return query_run(&query, err);
}

/*
 * What is sorted of millions of rows goes through files, not through memory; the deep check looks
 * indexes up in no order at all: the more of them stays at hand, the less a slow disk is asked. Up
 * to 256 MiB, and once more for a sort: nothing else runs here.
 */
static enum status make_room(struct checker *checker, struct error *err)
{
    static const char temporary[] = "PRAGMA temp_store = FILE",
                      cache[] = "PRAGMA cache_size = -262144";

    TRY(set(checker, temporary, err));
    return set(checker, cache, err);
}

static enum status check_contents(struct checker *checker, struct error *err)
{
    TRY(check_keys(checker, err));
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        TRY(check_rule(checker, &references[i], err));
    TRY(check_rules(checker, err));
    return check_values(checker, err);
}

/* What is said of rows makes no sense where tables or pages are lost. */
static enum status check_all(struct checker *checker, struct error *err)
{
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};

    TRY(make_room(checker, err));
    TRY(snapshot_begin(&snapshot, checker->store, err));
    TRY(check_pages(checker, err));
    TRY(check_schema(checker, err));
    return checker->faults == 0 ? check_contents(checker, err) : STATUS_OK;
}

enum status sqlite_check(struct store *store, const struct store_check *how, int64_t *ret_faults,
                         struct error *err)
{
    struct checker checker = {.store = sql_of(store), .how = how};
    struct error cause = {0};

    if (check_all(&checker, &cause) != STATUS_OK) {
        if (cause.code == NULL || strcmp(cause.code, STORE_DAMAGED) != 0)
            return error_pass(err, &cause);
        checker.said = 0;
        complain(&checker, "%s (%s)", cause.text, cause.detail);
    }
    *ret_faults = checker.faults;
    return STATUS_OK;
}
