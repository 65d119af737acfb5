/* Why a batch is not further. */
#include <assert.h>

#include "db/sql/view.h"

/* The example's report, if it has one. */
static enum status show_example(struct sql_store *self, struct failure_group *group, int64_t task,
                                bool (*row)(void *context, const struct failure_group *group),
                                void *context, bool *ret_goes_on, struct error *err)
{
    static const char sql[] = "SELECT u.digest, r.why, r.stderr FROM unit u"
                              " LEFT JOIN report r ON r.task = ?1 WHERE u.id = ?1 / 16";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, task);
    if (query_next(&query)) {
        group->example_unit = get_digest(&query);
        group->why = get_text(&query);
        group->stderr_tail = get_span(&query);
        *ret_goes_on = row(context, group);
    }
    return query_status(&query, err);
}

/* Failed tasks are in an index by themselves; a batch's lie between those of its first and its last
 * unit. The newest stands for its group: it tells of today. Who exits with 0 and fails is at fault
 * in more than one way: only the words tell them apart. */
enum status view_failures(struct store *store, int64_t batch,
                          bool (*row)(void *context, const struct failure_group *group),
                          void *context, struct error *err)
{
    static const char sql[] = "SELECT t.cause, t.cause_detail, count(*), max(t.id) FROM batch b"
                              " CROSS JOIN task t INDEXED BY task_odd"
                              " ON t.state = 6 AND t.state > 3 AND t.id BETWEEN b.first_unit * 16"
                              " AND b.last_unit * 16 + 15"
                              " JOIN unit u ON u.id = t.id / 16 AND u.batch = b.id"
                              " LEFT JOIN report r ON r.task = t.id AND t.cause = 1"
                              " AND t.cause_detail = 0 WHERE b.id = ?"
                              " GROUP BY t.cause, t.cause_detail, coalesce(r.why, '')"
                              " ORDER BY 3 DESC, 1, 2, 4 LIMIT ?";
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(TASK_ERROR == 6 && CAUSE_EXIT == 1, "as in the statement above");
    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, QUERY_FAILURES_MAX);
    while (goes_on && query_next(&query)) {
        struct failure_group group = {.cause = (enum task_cause)get_integer(&query)};

        group.detail = (int32_t)get_integer(&query);
        group.count = get_integer(&query);
        TRY(show_example(sql_of(store), &group, get_integer(&query), row, context, &goes_on, err));
    }
    return query_status(&query, err);
}

/* By the index of failed units, of which a batch may have millions: hence the bound. */
enum status view_endings(struct store *store, int64_t batch, int64_t most,
                         bool (*row)(void *context, const struct ending_group *group),
                         void *context, struct error *err)
{
    static const char sql[] =
        "SELECT g.failure, g.units, u.digest FROM"
        " (SELECT failure, count(*) AS units, min(id) AS example FROM"
        " (SELECT failure, id FROM unit INDEXED BY unit_failed WHERE state = 5 AND batch = ?1"
        " ORDER BY position LIMIT ?2) AS looked_at GROUP BY failure) AS g"
        " JOIN unit u ON u.id = g.example ORDER BY 2 DESC, 1";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(UNIT_FAILED == 5, "as in the statement above");
    assert(most >= 1);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, most);
    while (goes_on && query_next(&query)) {
        struct ending_group group = {.failure = (enum unit_failure)get_integer(&query)};

        group.count = get_integer(&query);
        group.example_unit = get_digest(&query);
        goes_on = row(context, &group);
    }
    return query_status(&query, err);
}

enum status view_supply(struct store *store, int64_t app_version, int64_t seen_s,
                        struct supply *ret_supply, struct error *err)
{
    static const char sql[] =
        "SELECT count(*), count(DISTINCT h.volunteer),"
        " count(DISTINCT coalesce(v.organisation, -v.id)) FROM host h"
        " JOIN volunteer v ON v.id = h.volunteer WHERE h.seen_s >= ? AND h.withdrawn = 0"
        " AND h.platform IN (SELECT platform FROM variant WHERE app_version = ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, seen_s);
    bind_integer(&query, app_version);
    if (query_next(&query)) {
        ret_supply->hosts = get_integer(&query);
        ret_supply->volunteers = get_integer(&query);
        ret_supply->organisations = get_integer(&query);
    }
    return query_status(&query, err);
}
