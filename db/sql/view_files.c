/* What a digest is here, and who may have it. */
#include <assert.h>

#include "db/sql/view.h"

static enum status is_missing(struct sql_store *self, const struct digest *digest,
                              bool *ret_is_missing, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM file WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, digest);
    *ret_is_missing = !query_next(&query);
    return query_status(&query, err);
}

enum status view_files_missing(struct store *store, const struct digest *digests, size_t count,
                               bool *ret_is_missing, struct error *err)
{
    assert(count <= QUERY_ROWS_MAX);
    for (size_t i = 0; i < count; i++)
        TRY(is_missing(sql_of(store), &digests[i], &ret_is_missing[i], err));
    return STATUS_OK;
}

enum status view_file(struct store *store, const struct digest *digest,
                      bool (*row)(void *context, const struct file_view *file), void *context,
                      struct error *err)
{
    static const char sql[] =
        "SELECT coalesce(f.size_bytes, length(b.bytes)), b.digest IS NOT NULL, b.bytes,"
        " EXISTS (SELECT 1 FROM file_reference r WHERE r.file = ?1 AND r.kind IN (1, 2)),"
        " EXISTS (SELECT 1 FROM file_reference r WHERE r.file = ?1 AND r.kind = 3)"
        " FROM (SELECT 1) one LEFT JOIN file f ON f.digest = ?1 LEFT JOIN body b ON b.digest = ?1"
        " WHERE f.digest IS NOT NULL OR b.digest IS NOT NULL";
    CLEANUP(query_end) struct query query = {0};
    struct file_view view = {0};

    _Static_assert(FILE_VARIANT == 1 && FILE_INPUT == 2 && FILE_OUTPUT == 3,
                   "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_digest(&query, digest);
    if (!query_next(&query)) {
        TRY(query_status(&query, err));
        return error_set(err, STATUS_NOT_FOUND, "no such file");
    }
    view.size_bytes = get_integer(&query);
    view.has_body = get_bool(&query);
    view.body = get_span(&query);
    view.is_public = get_bool(&query);
    view.is_accepted = get_bool(&query);
    (void)row(context, &view);
    return STATUS_OK;
}

enum status view_files(struct store *store, const struct digest *after, size_t limit,
                       bool (*row)(void *context, const struct file_line *file), void *context,
                       struct error *err)
{
    static const char sql[] = "SELECT digest, size_bytes,"
                              " EXISTS (SELECT 1 FROM file_reference r WHERE r.file = file.digest)"
                              " FROM file WHERE digest > ? ORDER BY digest LIMIT ?";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_bytes(&query, after != NULL ? after->bytes : NULL, after != NULL ? DIGEST_BYTES : 0);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query)) {
        struct file_line line = {.digest = get_digest(&query)};

        line.size_bytes = get_integer(&query);
        line.is_referenced = get_bool(&query);
        goes_on = row(context, &line);
    }
    return goes_on ? query_status(&query, err) : STATUS_OK;
}
