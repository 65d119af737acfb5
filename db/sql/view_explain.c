/* Why a batch is not further. */
#include <assert.h>

#include "db/sql/view.h"

/* The example's report, if it has one. */
static enum status show_example(struct sql_store *self, struct failure_group *group, int64_t task,
                                bool (*row)(void *context, const struct failure_group *group),
                                void *context, bool *ret_goes_on, struct error *err)
{
    static const char sql[] = "SELECT u.digest, r.why, r.stderr FROM unit u"
                              " LEFT JOIN report r ON r.task = ?1 WHERE u.id = ?1 / 16";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, task);
    if (query_next(&query)) {
        group->example_unit = get_digest(&query);
        group->why = get_text(&query);
        group->stderr_tail = get_span(&query);
        *ret_goes_on = row(context, group);
    }
    return query_status(&query, err);
}

/* Failed tasks are in an index by themselves; a batch's lie between those of its first and its last
 * unit. The newest stands for its group: it tells of today. Who exits with 0 and fails is at fault
 * in more than one way: only the words tell them apart. */
enum status view_failures(struct store *store, int64_t batch,
                          bool (*row)(void *context, const struct failure_group *group),
                          void *context, struct error *err)
{
    static const char sql[] = "SELECT t.cause, t.cause_detail, count(*), max(t.id) FROM batch b"
                              " CROSS JOIN task t INDEXED BY task_odd"
                              " ON t.state = 6 AND t.state > 3 AND t.id BETWEEN b.first_unit * 16"
                              " AND b.last_unit * 16 + 15"
                              " JOIN unit u ON u.id = t.id / 16 AND u.batch = b.id"
                              " LEFT JOIN report r ON r.task = t.id AND t.cause = 1"
                              " AND t.cause_detail = 0 WHERE b.id = ?"
                              " GROUP BY t.cause, t.cause_detail, coalesce(r.why, '')"
                              " ORDER BY 3 DESC, 1, 2, 4 LIMIT ?";
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(TASK_ERROR == 6 && CAUSE_EXIT == 1, "as in the statement above");
    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, QUERY_FAILURES_MAX);
    while (goes_on && query_next(&query)) {
        struct failure_group group = {.cause = (enum task_cause)get_integer(&query)};

        group.detail = (int32_t)get_integer(&query);
        group.count = get_integer(&query);
        TRY(show_example(sql_of(store), &group, get_integer(&query), row, context, &goes_on, err));
    }
    return query_status(&query, err);
}

/* By the index of failed units, of which a batch may have millions: hence the bound. */
enum status view_endings(struct store *store, int64_t batch, int64_t most,
                         bool (*row)(void *context, const struct ending_group *group),
                         void *context, struct error *err)
{
    static const char sql[] =
        "SELECT g.failure, g.units, u.digest FROM"
        " (SELECT failure, count(*) AS units, min(id) AS example FROM"
        " (SELECT failure, id FROM unit INDEXED BY unit_failed WHERE state = 5 AND batch = ?1"
        " ORDER BY position LIMIT ?2) AS looked_at GROUP BY failure) AS g"
        " JOIN unit u ON u.id = g.example ORDER BY 2 DESC, 1";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(UNIT_FAILED == 5, "as in the statement above");
    assert(most >= 1);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, most);
    while (goes_on && query_next(&query)) {
        struct ending_group group = {.failure = (enum unit_failure)get_integer(&query)};

        group.count = get_integer(&query);
        group.example_unit = get_digest(&query);
        goes_on = row(context, &group);
    }
    return query_status(&query, err);
}

static enum status count_spent(struct sql_store *self, int64_t app_version, int64_t seen_s,
                               int64_t day, struct supply *supply, struct error *err)
{
    static const char sql[] = "SELECT count(*) FROM allowance a JOIN host h ON h.id = a.host"
                              " WHERE a.app_version = ? AND a.day = ? AND a.per_day > 0"
                              " AND a.used >= a.per_day AND h.seen_s >= ? AND h.withdrawn = 0";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, app_version);
    bind_integer(&query, day);
    bind_integer(&query, seen_s);
    if (query_next(&query))
        supply->spent = get_integer(&query);
    return query_status(&query, err);
}

enum status view_supply(struct store *store, int64_t app_version, int64_t seen_s, int64_t day,
                        struct supply *ret_supply, struct error *err)
{
    static const char sql[] =
        "SELECT count(*), count(DISTINCT h.volunteer),"
        " count(DISTINCT coalesce(v.organisation, -v.id)) FROM host h"
        " JOIN volunteer v ON v.id = h.volunteer WHERE h.seen_s >= ? AND h.withdrawn = 0"
        " AND h.platform IN (SELECT platform FROM variant WHERE app_version = ?)";
    CLEANUP(query_end) struct query query = {0};

    *ret_supply = (struct supply){0};
    TRY(count_spent(sql_of(store), app_version, seen_s, day, ret_supply, err));
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, seen_s);
    bind_integer(&query, app_version);
    if (query_next(&query)) {
        ret_supply->hosts = get_integer(&query);
        ret_supply->volunteers = get_integer(&query);
        ret_supply->organisations = get_integer(&query);
    }
    return query_status(&query, err);
}

enum status view_offers(struct store *store, int64_t app_version, int64_t seen_s,
                        const struct host_offer *enough,
                        bool (*row)(void *context, const struct offer_group *group), void *context,
                        struct error *err)
{
    static const char sql[] =
        "SELECT h.layers, count(*), max(h.cores), max(h.memory_bytes), max(h.disk_bytes),"
        " count(CASE WHEN h.memory_bytes >= ?1 AND h.disk_bytes >= ?2 THEN 1 END) FROM host h"
        " WHERE h.seen_s >= ?3 AND h.withdrawn = 0 AND h.cores > 0"
        " AND h.platform IN (SELECT platform FROM variant WHERE app_version = ?4)"
        " GROUP BY h.layers ORDER BY 2 DESC, 1";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, enough->memory_bytes);
    bind_integer(&query, enough->disk_bytes);
    bind_integer(&query, seen_s);
    bind_integer(&query, app_version);
    while (goes_on && query_next(&query)) {
        struct offer_group group = {.layers = get_text(&query)};

        group.hosts = get_integer(&query);
        group.cores = get_integer(&query);
        group.memory_bytes = get_integer(&query);
        group.disk_bytes = get_integer(&query);
        group.roomy = get_integer(&query);
        goes_on = row(context, &group);
    }
    return query_status(&query, err);
}

/* A unit's tasks have ids from 16 times its own on. Results of copies that failed are NULL. */
enum status view_standing(struct store *store, int64_t batch, const struct supply *supply,
                          int64_t most, struct standing *ret_standing, struct error *err)
{
    static const char sql[] =
        "SELECT count(*), count(CASE WHEN g.wanted > 0 AND g.holders > 0 AND"
        " g.holders >= CASE g.independence WHEN 1 THEN ?1 WHEN 3 THEN ?2 ELSE ?3 END THEN 1 END),"
        " count(CASE WHEN g.results > 2 AND g.kinds = g.results THEN 1 END),"
        " coalesce(max(CASE WHEN g.results > 2 AND g.kinds = g.results THEN g.results END), 0)"
        " FROM (SELECT u.id, u.copies_wanted AS wanted, u.independence,"
        " count(DISTINCT CASE WHEN t.state = 9 AND t.cause = 7 THEN NULL ELSE"
        " CASE u.independence WHEN 1 THEN t.host WHEN 3 THEN t.organisation"
        " ELSE t.volunteer END END) AS holders, count(t.result) AS results,"
        " count(DISTINCT t.result) AS kinds FROM"
        " (SELECT id, copies_wanted, independence FROM unit WHERE batch = ?4 AND state = 1"
        " ORDER BY position LIMIT ?5) AS u"
        " LEFT JOIN task t ON t.id BETWEEN u.id * 16 AND u.id * 16 + 15"
        " GROUP BY u.id, u.copies_wanted, u.independence) AS g";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(TASK_ABANDONED == 9 && CAUSE_UNSTARTED == 7 && UNIT_OPEN == 1 &&
                       INDEPENDENCE_HOST == 1 && INDEPENDENCE_ORGANISATION == 3,
                   "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, supply->hosts);
    bind_integer(&query, supply->organisations);
    bind_integer(&query, supply->volunteers);
    bind_integer(&query, batch);
    bind_integer(&query, most);
    if (query_next(&query)) {
        ret_standing->looked_at = get_integer(&query);
        ret_standing->tried = get_integer(&query);
        ret_standing->differing = get_integer(&query);
        ret_standing->most_copies = get_integer(&query);
    }
    return query_status(&query, err);
}

enum status view_signers(struct store *store, int64_t batch, int64_t most,
                         bool (*row)(void *context, const struct signer_group *group),
                         void *context, struct error *err)
{
    static const char sql[] =
        "SELECT g.signer, count(*), max(g.not_before_s) FROM"
        " (SELECT signer, not_before_s, copies_wanted FROM unit WHERE batch = ? AND state = 1"
        " ORDER BY position LIMIT ?) AS g WHERE g.copies_wanted > 0"
        " GROUP BY g.signer ORDER BY 2 DESC, 1";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(UNIT_OPEN == 1, "as in the statement above");
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, most);
    while (goes_on && query_next(&query)) {
        struct signer_group group = {.signer = get_integer(&query)};

        group.units = get_integer(&query);
        group.latest_not_before_s = get_integer(&query);
        goes_on = row(context, &group);
    }
    return query_status(&query, err);
}

enum status view_signer_sets(struct store *store,
                             bool (*row)(void *context, const struct signer_set *signers),
                             void *context, struct error *err)
{
    static const char sql[] = "SELECT number, signer FROM signer_set ORDER BY 1, 2";
    CLEANUP(query_end) struct query query = {0};
    struct signer_set set = {0};
    int64_t number = 0;
    bool goes_on = true;

    TRY(query_begin(&query, sql_of(store), sql, err));
    while (goes_on && query_next(&query)) {
        int64_t next = get_integer(&query);

        if (next != number && set.count > 0)
            goes_on = row(context, &set);
        if (next != number)
            set = (struct signer_set){0};
        number = next;
        if (set.count < ENVELOPE_SIGNATURES_MAX)
            signer_set_add(&set, get_integer(&query));
    }
    TRY(query_status(&query, err));
    if (goes_on && set.count > 0)
        (void)row(context, &set);
    return STATUS_OK;
}

enum status view_refused(struct store *store, int64_t app_version, int64_t since_s, size_t most,
                         bool (*row)(void *context, const struct refused_group *group),
                         void *context, struct error *err)
{
    static const char sql[] =
        "SELECT h.refused_what, h.refused_code, h.refused_digest, count(*) FROM host h"
        " WHERE h.refused_s >= ?1 AND h.withdrawn = 0 AND (h.refused_what <> 1"
        " OR h.refused_digest IN (SELECT digest FROM app_version WHERE id = ?2)"
        " OR h.refused_digest IN (SELECT digest FROM variant WHERE app_version = ?2))"
        " GROUP BY h.refused_what, h.refused_code, h.refused_digest"
        " ORDER BY 4 DESC, 1, 2, 3 LIMIT ?3";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(REFUSED_ENVELOPE == 1, "as in the statement above");
    assert(since_s > 0);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, since_s);
    bind_integer(&query, app_version);
    bind_integer(&query, (int64_t)most);
    while (goes_on && query_next(&query)) {
        struct refused_group group = {.thing.what = (enum refused_kind)get_integer(&query)};

        group.thing.refusal = (enum refusal)get_integer(&query);
        group.thing.digest = get_digest(&query);
        group.hosts = get_integer(&query);
        goes_on = row(context, &group);
    }
    return query_status(&query, err);
}
