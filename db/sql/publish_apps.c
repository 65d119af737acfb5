/* App versions and their variants. */
#include "db/sql/publish.h"

static enum status find_app_version(struct sql_store *self, const struct digest *digest,
                                    int64_t *ret_id, struct error *err)
{
    static const char sql[] = "SELECT id FROM app_version WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, digest);
    *ret_id = query_next(&query) ? get_integer(&query) : 0;
    return query_status(&query, err);
}

static enum status insert_app_version(struct sql_store *self, int64_t id,
                                      const struct app_version_record *record, struct error *err)
{
    static const char sql[] =
        "INSERT INTO app_version (id, digest, name, version, memory_bytes, disk_bytes, time_s,"
        " envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name, version) DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, id);
    bind_digest(&query, &record->digest);
    bind_text(&query, record->name);
    bind_text(&query, record->version);
    bind_integer(&query, record->memory_bytes);
    bind_integer(&query, record->disk_bytes);
    bind_integer(&query, record->time_s);
    bind_span(&query, record->envelope);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return error_set(err, STATUS_CONFLICT,
                         "another app version is called %s %s: give it a new version", record->name,
                         record->version);
    return STATUS_OK;
}

enum status publish_app_version_add(struct store *store, const struct app_version_record *record,
                                    int64_t *ret_id, bool *ret_is_new, struct error *err)
{
    struct sql_store *self = sql_of(store);
    bool is_new;
    int64_t id;

    TRY(find_app_version(self, &record->digest, &id, err));
    is_new = id == 0;
    if (is_new) {
        TRY(ids_take(self, ID_APP_VERSION, 1, &id, err));
        TRY(insert_app_version(self, id, record, err));
    }
    *ret_id = id;
    *ret_is_new = is_new;
    return STATUS_OK;
}

static enum status find_variant(struct sql_store *self, const struct digest *digest,
                                int64_t *ret_id, struct error *err)
{
    static const char sql[] = "SELECT id FROM variant WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, digest);
    *ret_id = query_next(&query) ? get_integer(&query) : 0;
    return query_status(&query, err);
}

enum status require_app_version(struct sql_store *self, int64_t id, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM app_version WHERE id = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, id);
    if (query_next(&query))
        return STATUS_OK;
    TRY(query_status(&query, err));
    return error_set(err, STATUS_NOT_FOUND, "no such app version");
}

static enum status insert_variant(struct sql_store *self, int64_t id,
                                  const struct variant_record *record, struct error *err)
{
    static const char sql[] =
        "INSERT INTO variant (id, digest, app_version, platform, class, runner, time_s, envelope)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, id);
    bind_digest(&query, &record->digest);
    bind_integer(&query, record->app_version);
    bind_text(&query, record->platform);
    bind_text(&query, record->class_name);
    bind_text(&query, record->runner);
    bind_integer(&query, record->time_s);
    bind_span(&query, record->envelope);
    return query_run(&query, err);
}

static enum status refer_to_files(struct store *store, int64_t id,
                                  const struct variant_record *record, struct error *err)
{
    for (size_t i = 0; i < record->file_count; i++) {
        TRY(require_file(sql_of(store), &record->files[i], "the variant", err));
        TRY(publish_file_refer(store, &record->files[i], FILE_VARIANT, id, err));
    }
    return STATUS_OK;
}

enum status publish_variant_add(struct store *store, const struct variant_record *record,
                                int64_t *ret_id, bool *ret_is_new, struct error *err)
{
    struct sql_store *self = sql_of(store);
    bool is_new;
    int64_t id;

    TRY(find_variant(self, &record->digest, &id, err));
    is_new = id == 0;
    if (is_new) {
        TRY(require_app_version(self, record->app_version, err));
        TRY(ids_take(self, ID_VARIANT, 1, &id, err));
        TRY(insert_variant(self, id, record, err));
        TRY(refer_to_files(store, id, record, err));
    }
    *ret_id = id;
    *ret_is_new = is_new;
    return STATUS_OK;
}

static enum status replace_envelope(struct sql_store *self, const char *sql,
                                    const struct digest *digest, struct span envelope,
                                    bool *ret_is_there, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_span(&query, envelope);
    bind_digest(&query, digest);
    TRY(query_run(&query, err));
    *ret_is_there = query_changes(&query) > 0;
    return STATUS_OK;
}

enum status publish_app_envelope_replace(struct store *store, const struct digest *digest,
                                         struct span envelope, struct error *err)
{
    static const char *const tables[] = {"UPDATE app_version SET envelope = ? WHERE digest = ?",
                                         "UPDATE variant SET envelope = ? WHERE digest = ?"};
    bool is_there = false;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && !is_there; i++)
        TRY(replace_envelope(sql_of(store), tables[i], digest, envelope, &is_there, err));
    if (!is_there)
        return error_set(err, STATUS_NOT_FOUND, "no such app version or variant");
    return STATUS_OK;
}
