/* App versions, variants, and envelopes for grants. */
#include <assert.h>

#include "db/sql/view.h"

static struct app_version_view read_app_version(struct query *query)
{
    struct app_version_view view = {0};

    view.id = get_integer(query);
    view.digest = get_digest(query);
    view.name = get_text(query);
    view.version = get_text(query);
    view.memory_bytes = get_integer(query);
    view.disk_bytes = get_integer(query);
    view.is_revoked = get_bool(query);
    view.envelope = get_span(query);
    return view;
}

enum status view_app_versions(struct store *store, int64_t after, size_t limit,
                              bool (*row)(void *context, const struct app_version_view *version),
                              void *context, struct error *err)
{
    static const char sql[] =
        "SELECT a.id, a.digest, a.name, a.version, a.memory_bytes, a.disk_bytes,"
        " EXISTS (SELECT 1 FROM revoked r WHERE r.kind = 1 AND r.subject = a.digest), a.envelope"
        " FROM app_version a WHERE ?1 = 0 OR a.id < ?1 ORDER BY a.id DESC LIMIT ?2";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(REVOKED_APP_VERSION == 1, "as in the statement above");
    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query)) {
        const struct app_version_view view = read_app_version(&query);

        goes_on = row(context, &view);
    }
    return query_status(&query, err);
}

static struct variant_view read_variant(struct query *query)
{
    struct variant_view view = {0};

    view.id = get_integer(query);
    view.digest = get_digest(query);
    view.app_version = get_integer(query);
    view.platform = get_text(query);
    view.class_name = get_text(query);
    view.runner = get_text(query);
    view.envelope = get_span(query);
    return view;
}

enum status view_variants(struct store *store, int64_t app_version, int64_t after, size_t limit,
                          bool (*row)(void *context, const struct variant_view *variant),
                          void *context, struct error *err)
{
    static const char sql[] =
        "SELECT id, digest, app_version, platform, class, runner, envelope FROM variant"
        " WHERE id > ?1 AND (?2 = 0 OR app_version = ?2) ORDER BY id LIMIT ?3";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, after);
    bind_integer(&query, app_version);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query)) {
        const struct variant_view view = read_variant(&query);

        goes_on = row(context, &view);
    }
    return query_status(&query, err);
}

enum status view_app_version_by_digest(struct store *store, const struct digest *digest,
                                       int64_t *ret_id, struct error *err)
{
    static const char sql[] = "SELECT id FROM app_version WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_digest(&query, digest);
    return take_one(&query, ret_id, "app version", err);
}

/* Most visits are granted one: no list is worth parsing for that. */
static enum status unit_envelope(struct sql_store *self, int64_t unit,
                                 bool (*row)(void *context, int64_t id, struct span envelope),
                                 void *context, struct error *err)
{
    static const char sql[] = "SELECT envelope FROM manifest WHERE unit = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, unit);
    if (query_next(&query))
        (void)row(context, unit, get_span(&query));
    return query_status(&query, err);
}

enum status view_unit_envelopes(struct store *store, const int64_t *units, size_t count,
                                bool (*row)(void *context, int64_t id, struct span envelope),
                                void *context, struct error *err)
{
    static const char sql[] = "SELECT unit, envelope FROM manifest"
                              " WHERE unit IN (SELECT j.value FROM json_each(?) j) ORDER BY unit";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(count <= QUERY_ROWS_MAX);
    if (count == 1)
        return unit_envelope(sql_of(store), units[0], row, context, err);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integers(&query, units, count);
    while (goes_on && query_next(&query)) {
        int64_t id = get_integer(&query);

        goes_on = row(context, id, get_span(&query));
    }
    return query_status(&query, err);
}

static enum status show_envelope(struct sql_store *self, const struct digest *digest,
                                 bool (*row)(void *context, const struct digest *digest,
                                             struct span envelope),
                                 void *context, bool *ret_goes_on, struct error *err)
{
    static const char sql[] = "SELECT envelope FROM app_version WHERE digest = ?1"
                              " UNION ALL SELECT envelope FROM variant WHERE digest = ?1";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, digest);
    if (query_next(&query))
        *ret_goes_on = row(context, digest, get_span(&query));
    return query_status(&query, err);
}

enum status view_app_envelopes(struct store *store, const struct digest *digests, size_t count,
                               bool (*row)(void *context, const struct digest *digest,
                                           struct span envelope),
                               void *context, struct error *err)
{
    bool goes_on = true;

    assert(count <= QUERY_ROWS_MAX);
    for (size_t i = 0; i < count && goes_on; i++)
        TRY(show_envelope(sql_of(store), &digests[i], row, context, &goes_on, err));
    return STATUS_OK;
}

enum status view_app_units(struct store *store, int64_t app_version, int64_t *ret_units,
                           struct error *err)
{
    static const char sql[] = "SELECT CAST(coalesce(sum(t.count), 0) AS BIGINT) FROM batch b"
                              " JOIN tally t ON t.batch = b.id AND t.kind = 1"
                              " AND t.what BETWEEN 1 AND 4 WHERE b.app_version = ?";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(TALLY_UNITS == 1 && PHASE_WAITING == 1 && PHASE_AGREED == 4,
                   "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, app_version);
    if (query_next(&query))
        *ret_units = get_integer(&query);
    return query_status(&query, err);
}
