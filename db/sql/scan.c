/* Hints for the engine's queues, and the rest of work_ops. */
#include "common/base/text.h"
#include "db/sql/publish.h"
#include "db/sql/query.h"
#include "db/sql/work.h"

static struct ready_hint read_ready(struct query *query)
{
    struct ready_hint hint = {0};

    hint.unit = get_integer(query);
    hint.batch = get_integer(query);
    hint.app_version = get_integer(query);
    hint.copies_wanted = (uint32_t)get_integer(query);
    hint.memory_bytes = get_integer(query);
    hint.disk_bytes = get_integer(query);
    hint.declared_ops = get_integer(query);
    hint.not_before_s = get_integer(query);
    hint.not_after_s = get_integer(query);
    hint.signer = get_integer(query);
    /* What does not fit is left out: a hint may say less. */
    (void)text_fit(hint.class_name, sizeof hint.class_name, get_text(query));
    (void)text_fit(hint.classes, sizeof hint.classes, get_text(query));
    (void)text_fit(hint.platforms, sizeof hint.platforms, get_text(query));
    return hint;
}

/* Along the table: it is read whole at start, and an index on what changes at every dispatch would
 * cost more than it saves. */
enum status sql_scan_ready(struct store *store, int64_t after, struct ready_hint *ret_hints,
                           size_t capacity, size_t *ret_count, struct error *err)
{
    static const char sql[] =
        "SELECT id, batch, app_version, copies_wanted, memory_bytes, disk_bytes + output_bytes,"
        " declared_ops, not_before_s, not_after_s, signer, pinned_class, classes, platforms"
        " FROM unit NOT INDEXED WHERE id > ? AND state = 1 AND copies_wanted > 0 ORDER BY id LIMIT "
        "?";
    CLEANUP(query_end) struct query query = {0};
    size_t count = 0;

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)capacity);
    while (query_next(&query))
        ret_hints[count++] = read_ready(&query);
    TRY(query_status(&query, err));
    *ret_count = count;
    return STATUS_OK;
}

enum status sql_scan_sent(struct store *store, int64_t after, struct sent_hint *ret_hints,
                          size_t capacity, size_t *ret_count, struct error *err)
{
    static const char sql[] = "SELECT id, deadline_up_s FROM task NOT INDEXED"
                              " WHERE id > ? AND state = 1 ORDER BY id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};
    size_t count = 0;

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)capacity);
    while (query_next(&query)) {
        int64_t task = get_integer(&query);

        ret_hints[count++] = (struct sent_hint){
            .task = task, .unit = TASK_UNIT(task), .deadline_up_s = get_integer(&query)};
    }
    TRY(query_status(&query, err));
    *ret_count = count;
    return STATUS_OK;
}

enum status sql_scan_expired(struct store *store, int64_t now_s, int64_t *ret_units,
                             size_t capacity, size_t *ret_count, struct error *err)
{
    static const char sql[] = "SELECT id FROM unit INDEXED BY unit_live"
                              " WHERE state < 4 AND not_after_s <= ? ORDER BY not_after_s LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, now_s);
    bind_integer(&query, (int64_t)capacity);
    return read_ids(&query, ret_units, ret_count, err);
}

/* As long as no later visit was answered, whatever was granted at this one is live. */
enum status sql_granted_at(struct store *store, int64_t host, int64_t visit, int64_t *ret_tasks,
                           size_t capacity, size_t *ret_count, struct error *err)
{
    static const char sql[] = "SELECT id FROM task INDEXED BY task_live"
                              " WHERE host = ? AND live = 1 AND visit = ? ORDER BY id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, host);
    bind_integer(&query, visit);
    bind_integer(&query, (int64_t)capacity);
    return read_ids(&query, ret_tasks, ret_count, err);
}
