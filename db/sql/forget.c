/*
 * What nobody needs to know any more, and somebody might not want to be known. Rows stay; what they
 * say of a person or of a machine goes.
 */
#include "db/sql/publish.h"

static enum status last_task(struct sql_store *self, int64_t after, size_t limit, int64_t *ret_last,
                             struct error *err)
{
    static const char sql[] = "SELECT coalesce(max(id), 0)"
                              " FROM (SELECT id FROM task WHERE id > ? ORDER BY id LIMIT ?) page";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    if (query_next(&query))
        *ret_last = get_integer(&query);
    return query_status(&query, err);
}

struct page {
    int64_t after;
    int64_t last;
    int64_t before_s;
};

static enum status forget_stderr(struct sql_store *self, const struct page *page,
                                 int64_t *ret_count, struct error *err)
{
    static const char sql[] =
        "UPDATE report SET stderr = ?1 WHERE task > ?2 AND task <= ?3 AND length(stderr) > 0"
        " AND EXISTS (SELECT 1 FROM task t WHERE t.id = report.task AND t.reported_s < ?4)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_bytes(&query, "", 0);
    bind_integer(&query, page->after);
    bind_integer(&query, page->last);
    bind_integer(&query, page->before_s);
    TRY(query_run(&query, err));
    *ret_count = query_changes(&query);
    return STATUS_OK;
}

/* A failed unit may be retried, unless it was cancelled, revoked or expired. */
static enum status forget_prefixes(struct sql_store *self, const struct page *page,
                                   int64_t *ret_count, struct error *err)
{
    static const char sql[] =
        "UPDATE task SET prefix = '' WHERE id > ? AND id <= ? AND prefix <> '' AND sent_s < ?"
        " AND EXISTS (SELECT 1 FROM unit u WHERE u.id = task.id / 16 AND u.state >= 4"
        " AND NOT (u.state = 5 AND u.failure IN (1, 2, 3)))";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(UNIT_ACCEPTED == 4 && UNIT_FAILED == 5 && FAILURE_SPLIT == 3,
                   "as in the statement above");
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, page->after);
    bind_integer(&query, page->last);
    bind_integer(&query, page->before_s);
    TRY(query_run(&query, err));
    *ret_count = query_changes(&query);
    return STATUS_OK;
}

enum status publish_details_forget(struct store *store, int64_t after, int64_t before_s,
                                   size_t limit, int64_t *ret_count, int64_t *ret_last,
                                   struct error *err)
{
    struct page page = {.after = after, .before_s = before_s};
    int64_t texts = 0, prefixes = 0;

    TRY(last_task(sql_of(store), after, limit, &page.last, err));
    TRY(forget_stderr(sql_of(store), &page, &texts, err));
    TRY(forget_prefixes(sql_of(store), &page, &prefixes, err));
    *ret_count = texts + prefixes;
    *ret_last = page.last;
    return STATUS_OK;
}
