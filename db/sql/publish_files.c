/* Files on the disk, and what refers to them. */
#include "db/sql/publish.h"

#define IS_STORED        1
#define IS_STORED_OUTPUT 2 /* for what came as an output */

enum status tally_files(struct sql_store *self, int64_t number, int64_t bytes, struct error *err)
{
    TRY(tally_add(self, 0, TALLY_FILES, FILES_NUMBER, number, err));
    return tally_add(self, 0, TALLY_FILES, FILES_BYTES, bytes, err);
}

static enum status insert(struct sql_store *self, const struct file_record *record,
                          bool *ret_is_new, struct error *err)
{
    static const char sql[] = "INSERT INTO file (digest, size_bytes, state, time_s)"
                              " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, &record->digest);
    bind_integer(&query, record->size_bytes);
    bind_integer(&query, record->is_output ? IS_STORED_OUTPUT : IS_STORED);
    bind_integer(&query, record->time_s);
    TRY(query_run(&query, err));
    *ret_is_new = query_changes(&query) > 0;
    return STATUS_OK;
}

/* Somebody is about to need it: its grace begins anew. */
static enum status touch(struct sql_store *self, const struct file_record *record,
                         struct error *err)
{
    static const char sql[] =
        "UPDATE file SET time_s = CASE WHEN time_s < ?1 THEN ?1 ELSE time_s END WHERE digest = ?2";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, record->time_s);
    bind_digest(&query, &record->digest);
    return query_run(&query, err);
}

enum status publish_file_add(struct store *store, const struct file_record *record,
                             bool *ret_is_new, struct error *err)
{
    struct sql_store *self = sql_of(store);
    bool is_new;

    TRY(insert(self, record, &is_new, err));
    TRY(is_new ? tally_files(self, 1, record->size_bytes, err) : touch(self, record, err));
    *ret_is_new = is_new;
    return STATUS_OK;
}

enum status require_file(struct sql_store *self, const struct digest *file, const char *whose,
                         struct error *err)
{
    static const char sql[] = "SELECT 1 FROM file WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, file);
    if (query_next(&query))
        return STATUS_OK;
    TRY(query_status(&query, err));
    return error_set(err, STATUS_NOT_FOUND, "%s needs a file that is not here: %s", whose,
                     digest_format(file).text);
}

enum status publish_file_refer(struct store *store, const struct digest *file, enum file_kind kind,
                               int64_t subject, struct error *err)
{
    static const char sql[] =
        "INSERT INTO file_reference (file, kind, subject) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_digest(&query, file);
    bind_integer(&query, kind);
    bind_integer(&query, subject);
    return query_run(&query, err);
}

/* The index leaves accepted outputs out; releasing all of a unit's reads the whole table. */
enum status publish_file_release(struct store *store, enum file_kind kind, int64_t subject,
                                 struct error *err)
{
    static const char by_index[] = "DELETE FROM file_reference INDEXED BY file_reference_subject"
                                   " WHERE kind <> 3 AND kind = ? AND subject = ?";
    static const char by_table[] = "DELETE FROM file_reference WHERE kind = ? AND subject = ?";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(FILE_OUTPUT == 3, "as in the statement above and its index");
    TRY(query_begin(&query, sql_of(store), kind == FILE_OUTPUT ? by_table : by_index, err));
    bind_integer(&query, kind);
    bind_integer(&query, subject);
    return query_run(&query, err);
}

enum status publish_files_unreferenced(struct store *store, const struct digest *after,
                                       const struct file_graces *graces, struct digest *ret_files,
                                       size_t capacity, size_t *ret_count, struct digest *ret_last,
                                       struct error *err)
{
    static const char sql[] =
        "SELECT digest, ((state = 1 AND time_s < ?1) OR (state = 2 AND time_s < ?2))"
        " AND NOT EXISTS (SELECT 1 FROM file_reference r WHERE r.file = file.digest)"
        " FROM file WHERE digest > ?3 ORDER BY digest LIMIT ?4";
    CLEANUP(query_end) struct query query = {0};
    struct digest last = {0};
    size_t count = 0, looked_at = 0;

    _Static_assert(IS_STORED == 1 && IS_STORED_OUTPUT == 2, "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, graces->files_before_s);
    bind_integer(&query, graces->outputs_before_s);
    bind_bytes(&query, after->bytes, digest_is_none(after) ? 0 : DIGEST_BYTES);
    bind_integer(&query, (int64_t)capacity);
    while (query_next(&query)) {
        looked_at++;
        last = get_digest(&query);
        if (get_bool(&query))
            ret_files[count++] = last;
    }
    TRY(query_status(&query, err));
    *ret_count = count;
    *ret_last = looked_at == capacity ? last : (struct digest){0};
    return STATUS_OK;
}

static enum status forget(struct sql_store *self, const struct digest *file, bool *ret_is_forgotten,
                          struct error *err)
{
    static const char sql[] =
        "DELETE FROM file WHERE digest = ?"
        " AND NOT EXISTS (SELECT 1 FROM file_reference r WHERE r.file = file.digest)"
        " RETURNING size_bytes";
    CLEANUP(query_end) struct query query = {0};
    int64_t bytes = 0;

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, file);
    *ret_is_forgotten = query_next(&query);
    if (*ret_is_forgotten)
        bytes = get_integer(&query);
    TRY(query_status(&query, err));
    TRY(*ret_is_forgotten ? query_run(&query, err) : STATUS_OK);
    return *ret_is_forgotten ? tally_files(self, -1, -bytes, err) : STATUS_OK;
}

enum status publish_files_forget(struct store *store, const struct digest *files, size_t count,
                                 struct digest *ret_forgotten, size_t *ret_count, struct error *err)
{
    size_t forgotten = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_forgotten;

        TRY(forget(sql_of(store), &files[i], &is_forgotten, err));
        if (is_forgotten)
            ret_forgotten[forgotten++] = files[i];
    }
    *ret_count = forgotten;
    return STATUS_OK;
}
