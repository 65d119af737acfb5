/*
 * Inline bodies nobody needs any more. Nothing refers to a body before its unit is accepted, for
 * that would cost every report two more rows; so what is needed is found by looking: the outputs
 * of tasks whose unit may still be decided.
 */
#include <stdlib.h>

#include "db/outputs.h"
#include "db/sqlite/failure.h"
#include "db/sqlite/publish.h"

static enum status run(struct sqlite_store *self, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    return query_run(&query, err);
}

static enum status need(struct sqlite_store *self, const struct digest *body, struct error *err)
{
    static const char sql[] = "INSERT INTO temp.needed VALUES (?) ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_bytes(&query, body->bytes, DIGEST_BYTES);
    return query_run(&query, err);
}

static enum status need_all(struct sqlite_store *self, struct span encoded, struct error *err)
{
    struct output *outputs;
    enum status status = STATUS_OK;
    size_t count;

    if (!outputs_decode(encoded.bytes, encoded.length, &outputs, &count))
        return sqlite_damaged("a task's outputs", err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = need(self, &outputs[i].digest, err);
    outputs_free(outputs, count);
    return status;
}

/* Failed units can be retried, unless they were cancelled, revoked or expired. */
static enum status mark(struct sqlite_store *self, struct error *err)
{
    static const char sql[] =
        "SELECT t.outputs FROM unit u JOIN task t ON t.id BETWEEN u.id * 16 AND u.id * 16 + 15"
        " WHERE (u.state < 4 OR (u.state = 5 AND u.failure IN (1, 2, 3)))"
        " AND t.outputs IS NOT NULL";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    while (query_next(&query))
        TRY(need_all(self, get_span(&query), err));
    return query_status(&query, err);
}

static enum status sweep(struct sqlite_store *self, int64_t before_s, size_t limit,
                         int64_t *ret_count, struct error *err)
{
    static const char sql[] =
        "DELETE FROM body WHERE digest IN (SELECT b.digest FROM body b WHERE b.time_s < ?"
        " AND NOT EXISTS (SELECT 1 FROM temp.needed n WHERE n.digest = b.digest)"
        " AND NOT EXISTS (SELECT 1 FROM file_reference r WHERE r.file = b.digest AND r.kind = 3)"
        " LIMIT ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, before_s);
    bind_integer(&query, (int64_t)limit);
    TRY(query_run(&query, err));
    *ret_count = query_changes(&query);
    return STATUS_OK;
}

enum status publish_bodies_collect(struct store *store, int64_t before_s, size_t limit,
                                   int64_t *ret_count, struct error *err)
{
    static const char make[] = "CREATE TEMP TABLE IF NOT EXISTS needed (digest BLOB PRIMARY KEY)"
                               " WITHOUT ROWID";
    static const char empty[] = "DELETE FROM temp.needed";
    struct sqlite_store *self = sqlite_of(store);

    TRY(run(self, make, err));
    TRY(run(self, empty, err));
    TRY(mark(self, err));
    TRY(sweep(self, before_s, limit, ret_count, err));
    return run(self, empty, err);
}
