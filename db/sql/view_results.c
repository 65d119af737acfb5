/* Results: a batch's units as they ended, with all that an operator needs to check them; and what
 * hosts were answered last. */
#include <assert.h>
#include <stdlib.h>

#include "db/sql/rows.h"
#include "db/sql/view.h"

/* What a result points to, all owned. */
struct result {
    struct result_view view;
    int64_t unit_id;
    struct unit unit; /* with its tasks; only of accepted ones */
    char *name;
    void *manifest;
    struct result_output_view outputs[UNIT_OUTPUTS_MAX];
    void *bodies[UNIT_OUTPUTS_MAX];
    struct result_task_view tasks[UNIT_TASKS_MAX];
    void *statements[UNIT_TASKS_MAX];
};

static void result_clear(struct result *result)
{
    for (size_t i = 0; i < UNIT_OUTPUTS_MAX; i++)
        free(result->bodies[i]);
    for (size_t i = 0; i < UNIT_TASKS_MAX; i++)
        free(result->statements[i]);
    free(result->manifest);
    free(result->name);
    unit_clear(&result->unit);
    *result = (struct result){0};
}

/* What the journal said, and what is signed. */
static void read_entry(struct query *query, struct result *result)
{
    struct result_view *view = &result->view;
    int64_t detail;

    view->cursor = get_integer(query);
    view->kind = (enum journal_kind)get_integer(query);
    result->unit_id = get_integer(query);
    detail = get_integer(query);
    view->time_s = get_integer(query);
    view->unit = get_digest(query);
    view->index = get_integer(query);
    view->name = result->name = get_copy(query);
    view->manifest = get_span(query);
    result->manifest = span_copy(view->manifest);
    view->manifest.bytes = result->manifest;
    if (view->kind == JOURNAL_UNIT_FAILED)
        view->failure = (enum unit_failure)detail;
    if (view->kind == JOURNAL_UNIT_ACCEPTED)
        view->revision = (uint32_t)detail;
}

static enum status load_unit(struct sql_store *self, struct result *result, struct error *err)
{
    static const char sql[] = "SELECT " UNIT_COLUMNS " FROM unit u WHERE u.id = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, result->unit_id);
    if (query_next(&query))
        read_unit(&query, &result->unit);
    TRY(query_status(&query, err));
    return load_tasks(self, &result->unit, 1, err);
}

static enum status read_quorum(struct sql_store *self, struct result_view *view, int64_t unit,
                               struct error *err)
{
    static const char sql[] = "SELECT quorum FROM acceptance WHERE unit = ? AND revision = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, unit);
    bind_integer(&query, view->revision);
    view->quorum = query_next(&query) ? (uint32_t)get_integer(&query) : 0;
    return query_status(&query, err);
}

static enum status take_task(struct query *query, struct result *result, struct error *err)
{
    size_t at = result->view.task_count;
    struct result_task_view *task = &result->tasks[at];
    size_t place;

    if (at == UNIT_TASKS_MAX)
        return record_damaged("an acceptance of too many tasks", err);
    task->task = get_integer(query);
    place = (size_t)TASK_PLACE(task->task);
    if (place >= result->unit.task_count)
        return record_damaged("an acceptance of a task that is not there", err);
    task->host = result->unit.tasks[place].at_dispatch.host;
    task->volunteer = result->unit.tasks[place].at_dispatch.volunteer;
    task->key = get_key(query);
    task->statement = get_span(query);
    result->statements[at] = span_copy(task->statement);
    task->statement.bytes = result->statements[at];
    result->view.task_count++;
    return STATUS_OK;
}

static enum status read_tasks(struct sql_store *self, struct result *result, struct error *err)
{
    static const char sql[] =
        "SELECT a.task, h.key, v.statement FROM acceptance_task a"
        " JOIN task t ON t.id = a.task JOIN host h ON h.id = t.host"
        " LEFT JOIN report r ON r.task = a.task LEFT JOIN visit v ON v.id = r.visit"
        " WHERE a.task BETWEEN ? AND ? AND a.revision = ? ORDER BY a.task";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, TASK_ID(result->unit.id, 0));
    bind_integer(&query, TASK_ID(result->unit.id, UNIT_TASKS_MAX - 1));
    bind_integer(&query, result->view.revision);
    while (query_next(&query))
        TRY(take_task(&query, result, err));
    return query_status(&query, err);
}

static enum status read_body(struct sql_store *self, const struct digest *digest,
                             struct span *ret_body, void **ret_owned, struct error *err)
{
    static const char sql[] = "SELECT bytes FROM body WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, digest);
    if (query_next(&query)) {
        *ret_body = get_span(&query);
        /* An empty output is inline, too: its body is there and has no bytes. */
        *ret_owned = ret_body->length > 0 ? span_copy(*ret_body) : must_alloc(1, 1);
        ret_body->bytes = *ret_owned;
    }
    return query_status(&query, err);
}

/* Those of any agreeing task, for they agree. */
static enum status read_outputs(struct sql_store *self, struct result *result, struct error *err)
{
    const struct task *task = &result->unit.tasks[TASK_PLACE(result->tasks[0].task)];

    for (size_t i = 0; i < task->output_count; i++) {
        result->outputs[i].output = &task->outputs[i];
        TRY(read_body(self, &task->outputs[i].digest, &result->outputs[i].body, &result->bodies[i],
                      err));
    }
    result->view.outputs = result->outputs;
    result->view.output_count = task->output_count;
    return STATUS_OK;
}

/* A unit that was reopened since, or accepted anew, has another line further on. */
static enum status read_acceptance(struct sql_store *self, struct result *result, struct error *err)
{
    TRY(load_unit(self, result, err));
    if (result->unit.state != UNIT_ACCEPTED || result->unit.revision != result->view.revision) {
        result->view.revision = 0;
        return STATUS_OK;
    }
    TRY(read_quorum(self, &result->view, result->unit.id, err));
    TRY(read_tasks(self, result, err));
    result->view.tasks = result->tasks;
    return result->view.task_count > 0 ? read_outputs(self, result, err)
                                       : record_damaged("an acceptance without tasks", err);
}

static enum status show(struct query *query,
                        bool (*row)(void *context, const struct result_view *result), void *context,
                        bool *ret_goes_on, struct error *err)
{
    CLEANUP(result_clear) struct result result = {0};

    read_entry(query, &result);
    if (result.view.kind == JOURNAL_UNIT_ACCEPTED)
        TRY(read_acceptance(query->store, &result, err));
    *ret_goes_on = row(context, &result.view);
    return STATUS_OK;
}

#define RESULT_COLUMNS                                                                             \
    "SELECT r.seq, r.kind, r.unit, r.detail, r.time_s, u.digest, u.position, m.name, m.envelope"

/* Of all servers, for their entries are numbered together. */
enum status view_results(struct store *store, int64_t batch, int64_t cursor, size_t limit,
                         bool (*row)(void *context, const struct result_view *result),
                         void *context, struct error *err)
{
    static const char lite[] =
        RESULT_COLUMNS " FROM batch_result r CROSS JOIN unit u ON u.id = r.unit"
                       " CROSS JOIN manifest m ON m.unit = r.unit"
                       " WHERE r.batch = ? AND r.server = 1 AND r.seq > ? ORDER BY r.seq LIMIT ?";
    static const char postgres[] =
        RESULT_COLUMNS " FROM (SELECT page.* FROM server s, LATERAL (SELECT * FROM batch_result b"
                       " WHERE b.batch = ?1 AND b.server = s.id AND b.seq > ?2"
                       " ORDER BY b.seq LIMIT ?3) AS page ORDER BY page.seq LIMIT ?3) AS r"
                       " JOIN unit u ON u.id = r.unit JOIN manifest m ON m.unit = r.unit"
                       " ORDER BY r.seq";
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(query_begin(&query, sql_of(store), SPOKEN(sql_of(store), lite, postgres), err));
    bind_integer(&query, batch);
    bind_integer(&query, cursor);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query))
        TRY(show(&query, row, context, &goes_on, err));
    return query_status(&query, err);
}

enum status view_answers(struct store *store, const int64_t *hosts, size_t count,
                         bool (*row)(void *context, int64_t host, struct span reply), void *context,
                         struct error *err)
{
    static const char sql[] = "SELECT host, reply FROM answer"
                              " WHERE host IN (SELECT j.value FROM json_each(?) j) ORDER BY host";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(count <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integers(&query, hosts, count);
    while (goes_on && query_next(&query)) {
        int64_t host = get_integer(&query);

        goes_on = row(context, host, get_span(&query));
    }
    return query_status(&query, err);
}
