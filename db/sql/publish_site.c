/* The site, its keyrings and its news. */
#include <assert.h>

#include "common/base/text.h"
#include "db/sql/publish.h"

static void read_site(struct query *query, struct site *ret_site)
{
    *ret_site = (struct site){0};
    (void)text_fit(ret_site->name, sizeof ret_site->name, get_text(query));
    ret_site->project = get_digest(query);
    ret_site->incarnation = get_integer(query);
    ret_site->restored_s = get_integer(query);
    ret_site->created_s = get_integer(query);
    ret_site->server = get_integer(query);
    ret_site->up_s = get_integer(query);
    ret_site->committed_s = get_integer(query);
    ret_site->is_clock_refused = get_bool(query);
    ret_site->work_mark = get_integer(query);
    ret_site->looks_restored = get_integer(query);
}

enum status publish_site_load(struct store *store, struct site *ret_site, struct error *err)
{
    static const char sql[] =
        "SELECT s.name, s.project, s.incarnation, s.restored_s, s.created_s, v.id,"
        " (SELECT max(up_s) FROM server), v.committed_s,"
        " v.clock_refused, (SELECT max(work_mark) FROM server),"
        " (SELECT max(looks_restored) FROM server)"
        " FROM site s JOIN server v ON v.id = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, sql_of(store)->server);
    if (query_next(&query)) {
        read_site(&query, ret_site);
        return STATUS_OK;
    }
    TRY(query_status(&query, err));
    return error_set(err, STATUS_NOT_FOUND, "this database holds no site yet");
}

static enum status save_server(struct sql_store *self, const struct site *site, struct error *err)
{
    static const char sql[] =
        "UPDATE server SET up_s = ?, committed_s = ?, clock_refused = ?, work_mark = ?,"
        " looks_restored = ? WHERE id = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, site->up_s);
    bind_integer(&query, site->committed_s);
    bind_integer(&query, site->is_clock_refused);
    bind_integer(&query, site->work_mark);
    bind_integer(&query, site->looks_restored);
    bind_integer(&query, self->server);
    return query_run(&query, err);
}

enum status publish_site_save(struct store *store, const struct site *site, struct error *err)
{
    static const char sql[] =
        "INSERT INTO site (id, name, incarnation, restored_s, created_s) VALUES (1, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, incarnation = excluded.incarnation,"
        " restored_s = excluded.restored_s WHERE site.name <> excluded.name OR site.incarnation <> "
        "excluded.incarnation";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_text(&query, site->name);
    bind_integer(&query, site->incarnation);
    bind_integer(&query, site->restored_s);
    bind_integer(&query, site->created_s);
    TRY(query_run(&query, err));
    return save_server(sql_of(store), site, err);
}

static enum status next_entry(struct sql_store *self, int64_t *ret_next, struct error *err)
{
    static const char sql[] = "SELECT next FROM id_block WHERE server = 1 AND kind = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, ID_JOURNAL);
    *ret_next = query_next(&query) ? get_integer(&query) : 0;
    return query_status(&query, err);
}

static enum status leap(struct sql_store *self, int64_t blocks, struct error *err)
{
    static const char sql[] = "UPDATE id_block SET next = (next / ?1 + ?2) * ?1";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, IDS_LEAP);
    bind_integer(&query, blocks);
    return query_run(&query, err);
}

enum status publish_ids_leap(struct store *store, int64_t blocks, int64_t *ret_skipped,
                             struct error *err)
{
    int64_t before, after;

    assert(blocks >= 1);
    TRY(next_entry(sql_of(store), &before, err));
    TRY(leap(sql_of(store), blocks, err));
    TRY(next_entry(sql_of(store), &after, err));
    *ret_skipped = after - before;
    return STATUS_OK;
}

static enum status find_keyring(struct sql_store *self, int64_t version, struct digest *ret_digest,
                                struct error *err)
{
    static const char sql[] = "SELECT digest FROM keyring WHERE version = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, version);
    *ret_digest = query_next(&query) ? get_digest(&query) : (struct digest){0};
    return query_status(&query, err);
}

static enum status insert_keyring(struct sql_store *self, const struct keyring_record *record,
                                  struct error *err)
{
    static const char sql[] =
        "INSERT INTO keyring (version, digest, root_change, expires_s, time_s,"
        " envelope) VALUES (?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, record->version);
    bind_digest(&query, &record->digest);
    bind_integer(&query, record->is_root_change);
    bind_integer(&query, record->expires_s);
    bind_integer(&query, record->time_s);
    bind_span(&query, record->envelope);
    return query_run(&query, err);
}

static enum status set_project(struct sql_store *self, const struct digest *project,
                               struct error *err)
{
    static const char sql[] = "UPDATE site SET project = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, project);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return error_set(err, STATUS_NOT_FOUND, "this database holds no site yet");
    return STATUS_OK;
}

enum status publish_keyring_add(struct store *store, const struct keyring_record *record,
                                bool *ret_is_new, struct error *err)
{
    struct sql_store *self = sql_of(store);
    struct digest there, before;

    TRY(find_keyring(self, record->version, &there, err));
    if (!digest_is_none(&there) && !digest_equals(&there, &record->digest))
        return error_set(err, STATUS_CONFLICT, "another keyring of version %lld is published",
                         (long long)record->version);
    TRY(find_keyring(self, record->version - 1, &before, err));
    if (digest_is_none(&there) && digest_is_none(&before) && record->version != 1)
        return error_set(err, STATUS_CONFLICT, "keyring version %lld is to be published first",
                         (long long)record->version - 1);

    if (digest_is_none(&there)) {
        TRY(insert_keyring(self, record, err));
        if (record->version == 1)
            TRY(set_project(self, &record->digest, err));
    }
    *ret_is_new = digest_is_none(&there);
    return STATUS_OK;
}

static enum status newest_freshness(struct sql_store *self, int64_t *ret_sequence,
                                    struct digest *ret_digest, struct error *err)
{
    static const char sql[] =
        "SELECT sequence, digest FROM freshness ORDER BY sequence DESC LIMIT 1";
    CLEANUP(query_end) struct query query = {0};

    *ret_sequence = 0;
    *ret_digest = (struct digest){0};
    TRY(query_begin(&query, self, sql, err));
    if (query_next(&query)) {
        *ret_sequence = get_integer(&query);
        *ret_digest = get_digest(&query);
    }
    return query_status(&query, err);
}

static enum status insert_freshness(struct sql_store *self, const struct freshness_record *record,
                                    struct error *err)
{
    static const char sql[] = "INSERT INTO freshness (sequence, digest, keyring_version, expires_s,"
                              " time_s, envelope) VALUES (?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, record->sequence);
    bind_digest(&query, &record->digest);
    bind_integer(&query, record->keyring_version);
    bind_integer(&query, record->expires_s);
    bind_integer(&query, record->time_s);
    bind_span(&query, record->envelope);
    return query_run(&query, err);
}

static enum status forget_freshness_from(struct sql_store *self, int64_t sequence,
                                         struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, "DELETE FROM freshness WHERE sequence >= ?", err));
    bind_integer(&query, sequence);
    return query_run(&query, err);
}

enum status publish_freshness_add(struct store *store, const struct freshness_record *record,
                                  bool *ret_is_new, struct error *err)
{
    struct digest newest;
    int64_t sequence;

    TRY(newest_freshness(sql_of(store), &sequence, &newest, err));
    if (sequence == record->sequence && digest_equals(&newest, &record->digest)) {
        *ret_is_new = false;
        return STATUS_OK;
    }
    if (sequence >= record->sequence && record->begins_anew)
        TRY(forget_freshness_from(sql_of(store), record->sequence, err));
    else if (sequence >= record->sequence)
        return error_set(err, STATUS_CONFLICT,
                         "the freshness's sequence %lld does not rise above %lld",
                         (long long)record->sequence, (long long)sequence);
    TRY(insert_freshness(sql_of(store), record, err));
    *ret_is_new = true;
    return STATUS_OK;
}

enum status publish_notice_add(struct store *store, const struct notice_record *record,
                               bool *ret_is_new, struct error *err)
{
    static const char sql[] = "INSERT INTO notice (id, digest, until_s, time_s, envelope)"
                              " VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING";
    CLEANUP(query_end) struct query query = {0};
    int64_t id;

    TRY(ids_take(sql_of(store), ID_NOTICE, 1, &id, err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, id);
    bind_digest(&query, &record->digest);
    bind_integer(&query, record->until_s);
    bind_integer(&query, record->time_s);
    bind_span(&query, record->envelope);
    TRY(query_run(&query, err));
    *ret_is_new = query_changes(&query) > 0;
    return STATUS_OK;
}
