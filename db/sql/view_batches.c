/* Batches as people see them. */
#include <assert.h>
#include <stdlib.h>

#include "db/sql/rows.h"
#include "db/sql/view.h"

enum status view_batch_by_id(struct store *store, const struct batch_id *id, int64_t *ret_batch,
                             struct error *err)
{
    static const char sql[] = "SELECT id FROM batch WHERE public_id = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_bytes(&query, id, sizeof *id);
    return take_one(&query, ret_batch, "batch", err);
}

enum status view_batch_by_name(struct store *store, const char *name, int64_t *ret_batch,
                               struct error *err)
{
    static const char sql[] =
        "SELECT id FROM batch WHERE name = ? ORDER BY state < 5 DESC, id DESC LIMIT 1";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(BATCH_CANCELLED == 5, "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_text(&query, name);
    return take_one(&query, ret_batch, "batch", err);
}

static int64_t *phase_counter(struct batch_view *view, int64_t phase)
{
    switch ((enum unit_phase)phase) {
    case PHASE_WAITING:
        return &view->waiting;
    case PHASE_RUNNING:
        return &view->running;
    case PHASE_JUDGING:
        return &view->judging;
    case PHASE_AGREED:
        return &view->agreed;
    case PHASE_ACCEPTED:
        return &view->accepted;
    case PHASE_FAILED:
        return &view->failed;
    case PHASE_CANCELLED:
        return &view->cancelled;
    case PHASE_NONE:
        break;
    }
    return NULL;
}

static void count(struct batch_view *view, int64_t kind, int64_t what, int64_t number)
{
    int64_t *counter;

    if (kind == TALLY_TASKS && what >= TASK_SENT && what <= TASK_ABANDONED) {
        view->by_state[what] = number;
        view->tasks += number;
    }
    counter = kind == TALLY_UNITS ? phase_counter(view, what) : NULL;
    if (counter != NULL)
        *counter = number;
}

static enum status read_tallies(struct sql_store *self, struct batch_view *view, struct error *err)
{
    static const char sql[] = "SELECT kind, what, count FROM tally WHERE batch = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, view->row.id);
    while (query_next(&query)) {
        int64_t kind = get_integer(&query), what = get_integer(&query);

        count(view, kind, what, get_integer(&query));
    }
    return query_status(&query, err);
}

#define VIEW_COLUMNS                                                                               \
    "SELECT " BATCH_COLUMNS ", a.digest, a.name FROM batch b"                                      \
    " JOIN app_version a ON a.id = b.app_version"

/* Shows the batch of the query's row; *ret_goes_on: another is wanted. */
static enum status show(struct query *query,
                        bool (*row)(void *context, const struct batch_view *batch), void *context,
                        bool *ret_goes_on, struct error *err)
{
    struct batch_view view = {0};
    enum status status;

    read_batch(query, &view.row);
    view.app_version = get_digest(query);
    view.app = get_text(query);
    status = read_tallies(query->store, &view, err);
    if (status == STATUS_OK)
        *ret_goes_on = row(context, &view);
    free(view.row.name);
    free(view.row.why);
    return status;
}

enum status view_batches(struct store *store, const struct batch_filter *filter, size_t limit,
                         bool (*row)(void *context, const struct batch_view *batch), void *context,
                         struct error *err)
{
    static const char sql[] = VIEW_COLUMNS " WHERE (?1 = 0 OR b.id < ?1)"
                                           " AND (?2 IS NULL OR b.name = ?2)"
                                           " ORDER BY b.id DESC LIMIT ?3";
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, filter->after);
    bind_optional_text(&query, filter->name);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query))
        TRY(show(&query, row, context, &goes_on, err));
    return query_status(&query, err);
}

enum status view_batch(struct store *store, int64_t batch,
                       bool (*row)(void *context, const struct batch_view *batch), void *context,
                       struct error *err)
{
    static const char sql[] = VIEW_COLUMNS " WHERE b.id = ?";
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on;

    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, batch);
    if (query_next(&query))
        return show(&query, row, context, &goes_on, err);
    TRY(query_status(&query, err));
    return error_set(err, STATUS_NOT_FOUND, "no such batch");
}
