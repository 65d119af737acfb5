#include "db/postgres/sets.h"

#include <assert.h>
#include <string.h>

#include "db/postgres/bulk.h"
#include "db/postgres/driver.h"
#include "db/sql/collect.h"
#include "db/sql/publish.h"

/* A statement whose first parameter is digests. */
static enum status begin_digests(struct query *query, struct sql_store *self, const char *sql,
                                 const struct digest *digests, size_t count, struct error *err)
{
    TRY(query_begin(query, self, sql, err));
    bind_digests(query, digests, count);
    return STATUS_OK;
}

enum status postgres_revoke(struct store *store, const struct revocation *revocations, size_t count,
                            int64_t time_s, struct error *err)
{
    static const char sql[] = "INSERT INTO revoked (kind, subject, time_s)"
                              " SELECT * FROM unnest(?, ?, ?) ON CONFLICT DO NOTHING";
    CLEANUP(bulk_clear) struct bulk bulk;

    assert(count <= 4096);
    bulk_init(&bulk, sql_of(store), "ibi");
    for (size_t i = 0; i < count; i++) {
        bulk_integer(&bulk, revocations[i].kind);
        bulk_bytes(&bulk, revocations[i].subject.bytes, DIGEST_BYTES);
        bulk_integer(&bulk, time_s);
    }
    return bulk_run(&bulk, sql, err);
}

static enum status release(struct sql_store *self, int64_t batch, const struct digest *files,
                           size_t count, struct error *err)
{
    static const char sql[] = "DELETE FROM file_reference f USING unnest(?) AS r (file)"
                              " WHERE f.file = r.file AND f.kind = 2 AND f.subject = ?";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(FILE_INPUT == 2, "as in the statement above");
    TRY(begin_digests(&query, self, sql, files, count, err));
    bind_integer(&query, batch);
    return query_run(&query, err);
}

static enum status begin_graces(struct sql_store *self, const struct digest *files, size_t count,
                                int64_t now_s, struct error *err)
{
    static const char sql[] = "UPDATE file SET time_s = ?2 FROM unnest(?1) AS r (file)"
                              " WHERE digest = r.file AND time_s < ?2";
    CLEANUP(query_end) struct query query = {0};

    TRY(begin_digests(&query, self, sql, files, count, err));
    bind_integer(&query, now_s);
    return query_run(&query, err);
}

enum status postgres_inputs_release(struct store *store, int64_t after, int64_t now_s, size_t limit,
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
    if (count > 0) {
        TRY(release(self, batch, files, count, err));
        TRY(begin_graces(self, files, count, now_s, err));
    }
    *ret_batch = batch;
    *ret_count = count;
    return STATUS_OK;
}

enum status postgres_files_forget(struct store *store, const struct digest *files, size_t count,
                                  struct digest *ret_forgotten, size_t *ret_count,
                                  struct error *err)
{
    static const char sql[] =
        "DELETE FROM file USING unnest(?) AS r (file) WHERE digest = r.file"
        " AND NOT EXISTS (SELECT 1 FROM file_reference f WHERE f.file = file.digest)"
        " RETURNING digest, size_bytes";
    CLEANUP(query_end) struct query query = {0};
    size_t forgotten = 0;
    int64_t bytes = 0;

    if (count > 0) {
        TRY(begin_digests(&query, sql_of(store), sql, files, count, err));
        while (query_next(&query)) {
            ret_forgotten[forgotten++] = get_digest(&query);
            bytes += get_integer(&query);
        }
        TRY(query_status(&query, err));
    }
    *ret_count = forgotten;
    return tally_files(sql_of(store), -(int64_t)forgotten, -bytes, err);
}

enum status postgres_bodies_mark(struct store *store, int64_t after, size_t limit,
                                 int64_t *ret_last, struct error *err)
{
    static const char sql[] = "INSERT INTO needed SELECT * FROM unnest(?) ON CONFLICT DO NOTHING";
    struct sql_store *self = sql_of(store);
    CLEANUP(digest_list_clear) struct digest_list list = {0};
    CLEANUP(query_end) struct query query = {0};
    int64_t last = 0;

    TRY(collect_page(self, after, limit, &last, err));
    TRY(collect_needed(self, after, last, &list, err));
    if (list.count > 0) {
        TRY(begin_digests(&query, self, sql, list.digests, list.count, err));
        TRY(query_run(&query, err));
    }
    *ret_last = last;
    return STATUS_OK;
}

enum status postgres_files_missing(struct store *store, const struct digest *digests, size_t count,
                                   bool *ret_is_missing, struct error *err)
{
    static const char sql[] = "SELECT r.place FROM unnest(?) WITH ORDINALITY AS r (digest, place)"
                              " WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.digest = r.digest)";
    CLEANUP(query_end) struct query query = {0};

    assert(count <= QUERY_ROWS_MAX);
    if (count == 0)
        return STATUS_OK;
    TRY(begin_digests(&query, sql_of(store), sql, digests, count, err));
    memset(ret_is_missing, 0, count * sizeof *ret_is_missing);
    while (query_next(&query))
        ret_is_missing[get_integer(&query) - 1] = true;
    return query_status(&query, err);
}

enum status postgres_app_envelopes(struct store *store, const struct digest *digests, size_t count,
                                   bool (*row)(void *context, const struct digest *digest,
                                               struct span envelope),
                                   void *context, struct error *err)
{
    static const char sql[] =
        "SELECT r.place, coalesce(a.envelope, n.envelope)"
        " FROM unnest(?) WITH ORDINALITY AS r (digest, place)"
        " LEFT JOIN app_version a ON a.digest = r.digest LEFT JOIN variant n ON n.digest = r.digest"
        " WHERE a.id IS NOT NULL OR n.id IS NOT NULL ORDER BY r.place";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(count <= QUERY_ROWS_MAX);
    if (count == 0)
        return STATUS_OK;
    TRY(begin_digests(&query, sql_of(store), sql, digests, count, err));
    while (goes_on && query_next(&query)) {
        const struct digest *digest = &digests[get_integer(&query) - 1];

        goes_on = row(context, digest, get_span(&query));
    }
    return query_status(&query, err);
}
