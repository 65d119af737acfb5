/*
 * What nobody needs any more: inputs of batches that are over, and inline bodies. Nothing refers to
 * a body before its unit is accepted, for that would cost every report two more rows; so what is
 * needed is found by looking: the outputs of tasks whose unit may still be decided.
 */
#include <assert.h>
#include <stdlib.h>

#include "db/outputs.h"
#include "db/sql/collect.h"
#include "db/sql/publish.h"

static enum status run(struct sql_store *self, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    return query_run(&query, err);
}

static enum status need(struct sql_store *self, const struct digest *body, struct error *err)
{
    static const char sql[] = "INSERT INTO needed VALUES (?) ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_bytes(&query, body->bytes, DIGEST_BYTES);
    return query_run(&query, err);
}

void digest_list_clear(struct digest_list *list)
{
    free(list->digests);
}

static enum status add_outputs(struct digest_list *list, struct span encoded, struct error *err)
{
    struct output *outputs;
    size_t count;

    if (!outputs_decode(encoded.bytes, encoded.length, &outputs, &count))
        return record_damaged("a task's outputs", err);
    list->digests = reallocarray(list->digests, list->count + count + 1, sizeof *list->digests);
    if (list->digests == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        list->digests[list->count++] = outputs[i].digest;
    outputs_free(outputs, count);
    return STATUS_OK;
}

/* Failed units can be retried, unless they were cancelled, revoked or expired. */
enum status collect_needed(struct sql_store *self, int64_t after, int64_t last,
                           struct digest_list *list, struct error *err)
{
    static const char sql[] =
        "SELECT t.outputs FROM unit u JOIN task t ON t.id BETWEEN u.id * 16 AND u.id * 16 + 15"
        " WHERE u.id > ? AND u.id <= ?"
        " AND (u.state < 4 OR (u.state = 5 AND u.failure IN (1, 2, 3))) AND t.outputs IS NOT NULL";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, after);
    bind_integer(&query, last);
    while (query_next(&query))
        TRY(add_outputs(list, get_span(&query), err));
    return query_status(&query, err);
}

static enum status last_unit(struct sql_store *self, int64_t after, size_t limit, int64_t *ret_last,
                             struct error *err)
{
    static const char sql[] = "SELECT coalesce(max(id), 0)"
                              " FROM (SELECT id FROM unit WHERE id > ? ORDER BY id LIMIT ?) page";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    if (query_next(&query))
        *ret_last = get_integer(&query);
    return query_status(&query, err);
}

enum status collect_page(struct sql_store *self, int64_t after, size_t limit, int64_t *ret_last,
                         struct error *err)
{
    static const char lite[] = "CREATE TEMP TABLE IF NOT EXISTS needed (digest BLOB PRIMARY KEY)"
                               " WITHOUT ROWID";
    static const char postgres[] =
        "CREATE TEMP TABLE IF NOT EXISTS needed (digest BYTEA PRIMARY KEY)";
    static const char empty[] = "DELETE FROM needed";

    if (after == 0) {
        TRY(run(self, SPOKEN(self, lite, postgres), err));
        TRY(run(self, empty, err));
    }
    return last_unit(self, after, limit, ret_last, err);
}

enum status publish_bodies_mark(struct store *store, int64_t after, size_t limit, int64_t *ret_last,
                                struct error *err)
{
    struct sql_store *self = sql_of(store);
    CLEANUP(digest_list_clear) struct digest_list list = {0};
    int64_t last = 0;

    TRY(collect_page(self, after, limit, &last, err));
    TRY(collect_needed(self, after, last, &list, err));
    for (size_t i = 0; i < list.count; i++)
        TRY(need(self, &list.digests[i], err));
    *ret_last = last;
    return STATUS_OK;
}

/* None: there are less than `limit` after it. */
static enum status last_body(struct sql_store *self, const struct digest *after, size_t limit,
                             struct digest *ret_last, struct error *err)
{
    static const char sql[] = "SELECT digest FROM body WHERE digest > ? ORDER BY digest"
                              " LIMIT 1 OFFSET ?";
    CLEANUP(query_end) struct query query = {0};

    *ret_last = (struct digest){0};
    TRY(query_begin(&query, self, sql, err));
    bind_bytes(&query, after->bytes, digest_is_none(after) ? 0 : DIGEST_BYTES);
    bind_integer(&query, (int64_t)limit - 1);
    if (query_next(&query))
        *ret_last = get_digest(&query);
    return query_status(&query, err);
}

enum status publish_bodies_sweep(struct store *store, const struct digest *after, int64_t before_s,
                                 size_t limit, int64_t *ret_count, struct digest *ret_last,
                                 struct error *err)
{
    static const char sql[] =
        "DELETE FROM body WHERE digest > ?1 AND (?2 IS NULL OR digest <= ?2) AND time_s < ?3"
        " AND NOT EXISTS (SELECT 1 FROM needed n WHERE n.digest = body.digest)"
        " AND NOT EXISTS (SELECT 1 FROM file_reference r WHERE r.file = body.digest)";
    struct sql_store *self = sql_of(store);
    CLEANUP(query_end) struct query query = {0};
    struct digest last;

    TRY(last_body(self, after, limit, &last, err));
    TRY(query_begin(&query, self, sql, err));
    bind_bytes(&query, after->bytes, digest_is_none(after) ? 0 : DIGEST_BYTES);
    bind_digest(&query, &last);
    bind_integer(&query, before_s);
    TRY(query_run(&query, err));
    *ret_count = query_changes(&query);
    *ret_last = last;
    return STATUS_OK;
}

/* ----------------------------------------------------------------------------------------- inputs
 */

enum status collect_find_batch(struct sql_store *self, int64_t after, int64_t now_s,
                               int64_t *ret_batch, struct error *err)
{
    static const char sql[] =
        "SELECT id FROM batch b WHERE id > ? AND state IN (5, 6)"
        " AND units = units_accepted + units_failed"
        " AND EXISTS (SELECT 1 FROM file_reference r WHERE r.kind = 2 AND r.kind <> 3"
        " AND r.subject = b.id)"
        " AND (state = 5 OR NOT EXISTS (SELECT 1 FROM unit u WHERE u.batch = b.id AND u.state = 5"
        " AND u.failure IN (1, 2, 3) AND u.not_after_s > ?))"
        " ORDER BY id LIMIT 1";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(BATCH_CANCELLED == 5 && BATCH_FINISHED == 6 && FILE_INPUT == 2 &&
                       FAILURE_SPLIT == 3 && UNIT_FAILED == 5,
                   "as in the statement above");
    *ret_batch = 0;
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, after);
    bind_integer(&query, now_s);
    if (query_next(&query))
        *ret_batch = get_integer(&query);
    return query_status(&query, err);
}

enum status collect_list_inputs(struct sql_store *self, int64_t batch, size_t limit,
                                struct digest *ret_files, size_t *ret_count, struct error *err)
{
    static const char sql[] = "SELECT file FROM file_reference INDEXED BY file_reference_subject"
                              " WHERE kind = 2 AND kind <> 3 AND subject = ? LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    *ret_count = 0;
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, (int64_t)limit);
    while (query_next(&query))
        ret_files[(*ret_count)++] = get_digest(&query);
    return query_status(&query, err);
}

static enum status release_input(struct sql_store *self, int64_t batch, const struct digest *file,
                                 struct error *err)
{
    static const char sql[] =
        "DELETE FROM file_reference WHERE file = ? AND kind = 2 AND subject = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, file);
    bind_integer(&query, batch);
    return query_run(&query, err);
}

static enum status begin_grace(struct sql_store *self, const struct digest *file, int64_t now_s,
                               struct error *err)
{
    static const char sql[] =
        "UPDATE file SET time_s = CASE WHEN time_s < ?1 THEN ?1 ELSE time_s END WHERE digest = ?2";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, now_s);
    bind_digest(&query, file);
    return query_run(&query, err);
}

enum status publish_inputs_release(struct store *store, int64_t after, int64_t now_s, size_t limit,
                                   int64_t *ret_batch, size_t *ret_count, struct error *err)
{
    struct sql_store *self = sql_of(store);
    struct digest files[COLLECT_MAX];
    size_t count = 0;
    int64_t batch;

    assert(limit >= 1 && limit <= COLLECT_MAX);
    TRY(collect_find_batch(self, after, now_s, &batch, err));
    if (batch != 0)
        TRY(collect_list_inputs(self, batch, limit, files, &count, err));
    for (size_t i = 0; i < count; i++) {
        TRY(release_input(self, batch, &files[i], err));
        TRY(begin_grace(self, &files[i], now_s, err));
    }
    *ret_batch = batch;
    *ret_count = count;
    return STATUS_OK;
}
