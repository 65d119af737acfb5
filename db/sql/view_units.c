/* Units and tasks as people see them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/sql/rows.h"
#include "db/sql/view.h"

/* A unit with what its tasks reported, all owned. */
struct whole_unit {
    struct unit unit;
    char *name;
    struct batch_id batch;
    struct report_view reports[UNIT_TASKS_MAX];
    char *whys[UNIT_TASKS_MAX];
    void *stderr_tails[UNIT_TASKS_MAX];
};

static void whole_unit_clear(struct whole_unit *whole)
{
    for (size_t i = 0; i < UNIT_TASKS_MAX; i++) {
        free(whole->whys[i]);
        free(whole->stderr_tails[i]);
    }
    free(whole->name);
    unit_clear(&whole->unit);
}

static enum status read_whole(struct sql_store *self, const struct digest *digest,
                              struct whole_unit *whole, struct error *err)
{
    static const char sql[] = "SELECT " UNIT_COLUMNS ", m.name, b.public_id FROM unit u"
                              " JOIN manifest m ON m.unit = u.id JOIN batch b ON b.id = u.batch"
                              " WHERE u.digest = ?";
    CLEANUP(query_end) struct query query = {0};
    struct span id;

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, digest);
    if (!query_next(&query)) {
        TRY(query_status(&query, err));
        return error_set(err, STATUS_NOT_FOUND, "no such unit");
    }
    read_unit(&query, &whole->unit);
    whole->name = get_copy(&query);
    id = get_span(&query);
    if (id.length == sizeof whole->batch)
        memcpy(&whole->batch, id.bytes, id.length);
    return load_tasks(self, &whole->unit, 1, err);
}

static void read_report(struct query *query, struct whole_unit *whole)
{
    size_t place = (size_t)TASK_PLACE(get_integer(query));
    struct report_view *report = &whole->reports[place];

    assert(whole->whys[place] == NULL); /* one report a task */
    report->visit = get_integer(query);
    report->exit_status = (int32_t)get_integer(query);
    report->wall_ms = get_integer(query);
    report->peak_memory_bytes = get_integer(query);
    report->why = whole->whys[place] = get_copy(query);
    report->stderr_tail = get_span(query);
    whole->stderr_tails[place] = span_copy(report->stderr_tail);
    report->stderr_tail.bytes = whole->stderr_tails[place];
}

static enum status read_reports(struct sql_store *self, struct whole_unit *whole, struct error *err)
{
    static const char sql[] =
        "SELECT r.task, coalesce(v.number, 0), r.exit_status, r.wall_ms, r.peak_memory_bytes,"
        " r.why, r.stderr FROM report r LEFT JOIN visit v ON v.id = r.visit"
        " WHERE r.task BETWEEN ? AND ?";
    CLEANUP(query_end) struct query query = {0};

    for (size_t i = 0; i < UNIT_TASKS_MAX; i++)
        whole->reports[i].why = "";
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, TASK_ID(whole->unit.id, 0));
    bind_integer(&query, TASK_ID(whole->unit.id, UNIT_TASKS_MAX - 1));
    while (query_next(&query))
        read_report(&query, whole);
    return query_status(&query, err);
}

enum status view_unit(struct store *store, const struct digest *unit,
                      bool (*row)(void *context, const struct unit_view *unit), void *context,
                      struct error *err)
{
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(whole_unit_clear) struct whole_unit whole = {0};

    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(read_whole(sql_of(store), unit, &whole, err));
    TRY(read_reports(sql_of(store), &whole, err));
    (void)row(context, &(struct unit_view){.unit = &whole.unit,
                                           .name = whole.name,
                                           .batch = whole.batch,
                                           .reports = whole.reports});
    return STATUS_OK;
}

static struct unit_line read_line(struct query *query)
{
    struct unit_line line = {0};

    line.id = get_integer(query);
    line.digest = get_digest(query);
    line.name = get_text(query);
    line.index = get_integer(query);
    line.state = (enum unit_state)get_integer(query);
    line.failure = (enum unit_failure)get_integer(query);
    return line;
}

#define UNIT_LINES(which)                                                                          \
    "SELECT u.id, u.digest, m.name, u.position, u.state, u.failure FROM unit u " which             \
    " AND u.batch = ?2 AND u.position > coalesce((SELECT position FROM unit WHERE id = ?3), -1)"   \
    " ORDER BY u.position LIMIT ?4"

/* One by one: they are few, and only asked for where a site was restored from a copy. */
enum status view_unit_rows(struct store *store, const struct digest *digests, size_t count,
                           int64_t *ret_units, struct error *err)
{
    static const char sql[] = "SELECT id FROM unit WHERE digest = ?";

    for (size_t i = 0; i < count; i++) {
        CLEANUP(query_end) struct query query = {0};

        TRY(query_begin(&query, sql_of(store), sql, err));
        bind_digest(&query, &digests[i]);
        ret_units[i] = query_next(&query) ? get_integer(&query) : 0;
        TRY(query_status(&query, err));
    }
    return STATUS_OK;
}

/* Failed ones are few among many and have an index; all else is found along the batch. */
static const char *lines_by(enum unit_state state)
{
    static const char any[] =
        UNIT_LINES("JOIN manifest m ON m.unit = u.id WHERE (?1 = 0 OR u.state = ?1)");
    static const char failed[] =
        UNIT_LINES("INDEXED BY unit_failed JOIN manifest m ON m.unit = u.id WHERE"
                   " u.state = 5 AND u.state = ?1");

    return state == UNIT_FAILED ? failed : any;
}

enum status view_units(struct store *store, int64_t batch, enum unit_state state, int64_t after,
                       size_t limit, bool (*row)(void *context, const struct unit_line *unit),
                       void *context, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), lines_by(state), err));
    bind_integer(&query, state);
    bind_integer(&query, batch);
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query)) {
        const struct unit_line line = read_line(&query);

        goes_on = row(context, &line);
    }
    return query_status(&query, err);
}

#define TASK_LINES(which)                                                                          \
    "SELECT t.id, t.state, u.digest, m.name, t.host, t.volunteer, v.name"                          \
    " FROM batch b CROSS JOIN task t " which                                                       \
    " AND t.id > CASE WHEN ?3 < b.first_unit * 16 THEN b.first_unit * 16 - 1 ELSE ?3 END"          \
    " AND t.id <= b.last_unit * 16 + 15"                                                           \
    " CROSS JOIN unit u ON u.id = t.id / 16 AND u.batch = b.id"                                    \
    " JOIN manifest m ON m.unit = u.id JOIN host h ON h.id = t.host"                               \
    " JOIN volunteer v ON v.id = h.volunteer WHERE b.id = ?2 ORDER BY t.id LIMIT ?4"

static const char *tasks_by(enum task_state state)
{
    static const char any[] = TASK_LINES("NOT INDEXED ON (?1 = 0 OR t.state = ?1)");
    static const char odd[] = TASK_LINES("INDEXED BY task_odd ON t.state > 3 AND t.state = ?1");

    return state > TASK_AGREED ? odd : any;
}

static struct task_line read_task_line(struct query *query)
{
    struct task_line line = {0};

    line.id = get_integer(query);
    line.state = (enum task_state)get_integer(query);
    line.unit = get_digest(query);
    line.unit_name = get_text(query);
    line.host = get_integer(query);
    line.volunteer = get_integer(query);
    line.volunteer_name = get_text(query);
    return line;
}

enum status view_tasks(struct store *store, int64_t batch, enum task_state state, int64_t after,
                       size_t limit, bool (*row)(void *context, const struct task_line *task),
                       void *context, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), tasks_by(state), err));
    bind_integer(&query, state);
    bind_integer(&query, batch);
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query)) {
        const struct task_line line = read_task_line(&query);

        goes_on = row(context, &line);
    }
    return query_status(&query, err);
}
