/* What a freshness revoked. */
#include <assert.h>

#include "db/sql/publish.h"

static enum status insert(struct sql_store *self, const struct revocation *revocation,
                          int64_t time_s, struct error *err)
{
    static const char sql[] = "INSERT INTO revoked (kind, subject, time_s) VALUES (?, ?, ?)"
                              " ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, revocation->kind);
    bind_bytes(&query, revocation->subject.bytes, DIGEST_BYTES);
    bind_integer(&query, time_s);
    return query_run(&query, err);
}

enum status publish_revoke(struct store *store, const struct revocation *revocations, size_t count,
                           int64_t time_s, struct error *err)
{
    assert(count <= 4096);
    for (size_t i = 0; i < count; i++)
        TRY(insert(sql_of(store), &revocations[i], time_s, err));
    return STATUS_OK;
}

enum status find_revoked(struct sql_store *self, enum revoked_kind kind,
                         const struct digest *subject, bool *ret_is_revoked, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM revoked WHERE kind = ? AND subject = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, kind);
    bind_bytes(&query, subject->bytes, DIGEST_BYTES);
    *ret_is_revoked = query_next(&query);
    return query_status(&query, err);
}

/* A batch's id is kept as the beginning of a digest. */
enum status publish_revoked_units(struct store *store, int64_t after, int64_t *ret_units,
                                  size_t capacity, size_t *ret_count, struct error *err)
{
    static const char sql[] =
        "SELECT id FROM unit NOT INDEXED WHERE id > ? AND state < 4 AND ("
        " app_version IN (SELECT a.id FROM revoked r JOIN app_version a ON a.digest = r.subject"
        " WHERE r.kind = 1)"
        " OR digest IN (SELECT subject FROM revoked WHERE kind = 2)"
        " OR batch IN (SELECT b.id FROM revoked r JOIN batch b ON b.public_id ="
        " substr(r.subject, 1, 16) WHERE r.kind = 3)) ORDER BY id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(REVOKED_APP_VERSION == 1 && REVOKED_UNIT == 2 && REVOKED_BATCH == 3,
                   "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)capacity);
    return read_ids(&query, ret_units, ret_count, err);
}
