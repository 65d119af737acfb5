/* store.check of the PostgreSQL back-end. */
#include "db/sql/check.h"

#include "db/postgres/store.h"
#include "db/sql/query.h"

/* References that the schema leaves to us: see its first lines. */
static const struct reference {
    const char *from, *to, *sql;
} references[] = {
#define REFERENCE(from, column, to)                                                                \
    {                                                                                              \
        from, to,                                                                                  \
            "SELECT x." column " FROM " from " x WHERE x." column " IS NOT NULL AND NOT EXISTS"    \
            " (SELECT 1 FROM " to " y WHERE y.id = x." column ")"                                  \
    }
    REFERENCE("allowance", "host", "host"),
    REFERENCE("allowance", "app_version", "app_version"),
    REFERENCE("unit", "batch", "batch"),
    REFERENCE("unit", "app_version", "app_version"),
    REFERENCE("manifest", "unit", "unit"),
    REFERENCE("task", "host", "host"),
    REFERENCE("task", "volunteer", "volunteer"),
    REFERENCE("task", "variant", "variant"),
    REFERENCE("visit", "host", "host"),
    REFERENCE("answer", "host", "host"),
    REFERENCE("report", "task", "task"),
    REFERENCE("report", "visit", "visit"),
    REFERENCE("acceptance", "unit", "unit"),
    REFERENCE("acceptance_task", "task", "task"),
    REFERENCE("batch_result", "batch", "batch"),
    REFERENCE("batch_result", "unit", "unit"),
};

static enum status check_reference(struct checker *checker, const struct reference *reference,
                                   struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    check_progress(checker, reference->from, 0);
    TRY(query_begin(&query, checker->store, reference->sql, err));
    while (query_next(&query))
        complain(checker, "%s refers to a row of %s that is not there: %lld", reference->from,
                 reference->to, (long long)get_integer(&query));
    return query_status(&query, err);
}

/* PostgreSQL looks at a page's checksum when it reads the page, where the cluster has them. */
static enum status check_pages(struct checker *checker, struct error *err)
{
    static const char sql[] = "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database"
                              " WHERE datname = current_database()";
    CLEANUP(query_end) struct query query = {0};
    int64_t failures = 0;

    checker->said = 0;
    TRY(query_begin(&query, checker->store, sql, err));
    if (query_next(&query))
        failures = get_integer(&query);
    if (failures > 0)
        complain(checker, "PostgreSQL met %lld damaged pages: see its log", (long long)failures);
    return query_status(&query, err);
}

/* Whole tables are read and joined here: what keeps a cycle's plans small would be in the way. */
static const char whole_tables[] = "SET LOCAL enable_seqscan = on;"
                                   "SET LOCAL enable_hashjoin = on;"
                                   "SET LOCAL enable_mergejoin = on;"
                                   "SET LOCAL work_mem = '64MB';"
                                   "SET LOCAL plan_cache_mode = force_custom_plan";
/* Pages are found by their keys, as in a cycle. */
static const char pages[] = "SET LOCAL enable_seqscan = off;"
                            "SET LOCAL enable_hashjoin = off;"
                            "SET LOCAL enable_mergejoin = off;"
                            "SET LOCAL plan_cache_mode = force_generic_plan";

enum status postgres_check(struct store *store, const struct store_check *how, int64_t *ret_faults,
                           struct error *err)
{
    struct checker checker = {.store = sql_of(store), .how = how};
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};

    TRY(snapshot_begin(&snapshot, checker.store, err));
    TRY(postgres_run(postgres_of(store), whole_tables, err));
    TRY(check_pages(&checker, err));
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        TRY(check_reference(&checker, &references[i], err));
    TRY(check_rules(&checker, err));
    TRY(postgres_run(postgres_of(store), pages, err));
    TRY(check_values(&checker, err));
    *ret_faults = checker.faults;
    return STATUS_OK;
}
