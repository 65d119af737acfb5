/* Volunteers and tokens. */
#include "common/base/text.h"
#include "db/sql/publish.h"

static enum status insert_volunteer(struct sql_store *self, const struct volunteer *volunteer,
                                    const char *prefix, int64_t *ret_id, struct error *err)
{
    static const char sql[] =
        "INSERT INTO volunteer (id, kind, organisation, name, prefix, created_s)"
        " VALUES (?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};
    int64_t id;

    TRY(ids_take(self, ID_VOLUNTEER, 1, &id, err));
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, id);
    bind_integer(&query, volunteer->kind);
    bind_reference(&query, volunteer->organisation);
    bind_text(&query, volunteer->name);
    bind_optional_text(&query, prefix);
    bind_integer(&query, volunteer->created_s);
    TRY(query_run(&query, err));
    *ret_id = id;
    return STATUS_OK;
}

enum status publish_volunteer_add(struct store *store, const struct volunteer *volunteer,
                                  int64_t *ret_id, struct error *err)
{
    return insert_volunteer(sql_of(store), volunteer, NULL, ret_id, err);
}

static enum status find_prefix(struct sql_store *self, const char *prefix, int64_t *ret_id,
                               struct error *err)
{
    static const char sql[] = "SELECT id FROM volunteer WHERE prefix = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_text(&query, prefix);
    *ret_id = query_next(&query) ? get_integer(&query) : 0;
    return query_status(&query, err);
}

enum status publish_volunteer_of_prefix(struct store *store, const char *prefix, int64_t time_s,
                                        int64_t *ret_id, struct error *err)
{
    const struct volunteer volunteer = {.kind = VOLUNTEER_PREFIX, .created_s = time_s};
    int64_t id;

    TRY(find_prefix(sql_of(store), prefix, &id, err));
    if (id == 0)
        TRY(insert_volunteer(sql_of(store), &volunteer, prefix, &id, err));
    *ret_id = id;
    return STATUS_OK;
}

enum status publish_volunteer_load(struct store *store, int64_t id, struct volunteer *ret_volunteer,
                                   struct error *err)
{
    static const char sql[] =
        "SELECT kind, organisation, created_s, name FROM volunteer WHERE id = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, id);
    if (!query_next(&query)) {
        TRY(query_status(&query, err));
        return error_set(err, STATUS_NOT_FOUND, "no such volunteer");
    }
    *ret_volunteer = (struct volunteer){.id = id};
    ret_volunteer->kind = (enum volunteer_kind)get_integer(&query);
    ret_volunteer->organisation = get_integer(&query);
    ret_volunteer->created_s = get_integer(&query);
    (void)text_fit(ret_volunteer->name, sizeof ret_volunteer->name, get_text(&query));
    return STATUS_OK;
}

enum status publish_credential_add(struct store *store, const struct credential *credential,
                                   int64_t *ret_id, struct error *err)
{
    static const char sql[] =
        "INSERT INTO credential (id, kind, role, hash, volunteer, label, created_s, expires_s,"
        " revoked_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};
    int64_t id;

    TRY(ids_take(sql_of(store), ID_CREDENTIAL, 1, &id, err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, id);
    bind_integer(&query, credential->kind);
    bind_integer(&query, credential->role);
    bind_digest(&query, &credential->hash);
    bind_reference(&query, credential->volunteer);
    bind_text(&query, credential->label);
    bind_integer(&query, credential->created_s);
    bind_integer(&query, credential->expires_s);
    bind_integer(&query, credential->revoked_s);
    TRY(query_run(&query, err));
    *ret_id = id;
    return STATUS_OK;
}

#define CREDENTIAL_COLUMNS "id, kind, role, hash, volunteer, created_s, expires_s, revoked_s, label"

static void read_credential(struct query *query, struct credential *ret_credential)
{
    *ret_credential = (struct credential){0};
    ret_credential->id = get_integer(query);
    ret_credential->kind = (enum credential_kind)get_integer(query);
    ret_credential->role = (enum credential_role)get_integer(query);
    ret_credential->hash = get_digest(query);
    ret_credential->volunteer = get_integer(query);
    ret_credential->created_s = get_integer(query);
    ret_credential->expires_s = get_integer(query);
    ret_credential->revoked_s = get_integer(query);
    (void)text_fit(ret_credential->label, sizeof ret_credential->label, get_text(query));
}

enum status publish_credential_find(struct store *store, const struct digest *hash,
                                    struct credential *ret_credential, struct error *err)
{
    static const char sql[] = "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE hash = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_digest(&query, hash);
    if (!query_next(&query)) {
        TRY(query_status(&query, err));
        return error_set(err, STATUS_NOT_FOUND, "no such token");
    }
    read_credential(&query, ret_credential);
    return STATUS_OK;
}

enum status publish_credential_revoke(struct store *store, int64_t id, int64_t time_s,
                                      struct error *err)
{
    static const char sql[] = "UPDATE credential SET revoked_s ="
                              " CASE revoked_s WHEN 0 THEN ? ELSE revoked_s END"
                              " WHERE id = ? AND kind = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, time_s);
    bind_integer(&query, id);
    bind_integer(&query, CREDENTIAL_OPERATOR);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return error_set(err, STATUS_NOT_FOUND, "no such token");
    return STATUS_OK;
}

enum status publish_credentials(struct store *store, enum credential_kind kind, int64_t after,
                                struct credential *ret_credentials, size_t capacity,
                                size_t *ret_count, struct error *err)
{
    static const char sql[] = "SELECT " CREDENTIAL_COLUMNS " FROM credential NOT INDEXED"
                              " WHERE kind = ? AND id > ? ORDER BY id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};
    size_t count = 0;

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, kind);
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)capacity);
    while (query_next(&query))
        read_credential(&query, &ret_credentials[count++]);
    TRY(query_status(&query, err));
    *ret_count = count;
    return STATUS_OK;
}
