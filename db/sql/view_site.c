/* Hosts, keyrings, news and figures of the site. */
#include <assert.h>

#include "db/sql/rows.h"
#include "db/sql/view.h"

#define NEWS_MAX 16

static bool show_host(struct query *query, bool (*row)(void *context, const struct host_line *host),
                      void *context)
{
    struct host host;
    struct host_line line = {.host = &host};
    bool goes_on;

    read_host(query, &host);
    line.volunteer_name = get_text(query);
    line.running = get_integer(query);
    goes_on = row(context, &line);
    host_clear(&host);
    return goes_on;
}

enum status view_hosts(struct store *store, int64_t after, size_t limit,
                       bool (*row)(void *context, const struct host_line *host), void *context,
                       struct error *err)
{
    static const char sql[] =
        "SELECT " HOST_COLUMNS ", v.name, (SELECT count(*) FROM task t INDEXED BY task_live"
        " WHERE t.host = h.id AND t.live = 1 AND t.state = 1)"
        " FROM host h JOIN volunteer v ON v.id = h.volunteer WHERE h.id > ? ORDER BY h.id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    while (goes_on && query_next(&query))
        goes_on = show_host(&query, row, context);
    return query_status(&query, err);
}

static struct keyring_view read_keyring(struct query *query)
{
    struct keyring_view view = {0};

    view.version = get_integer(query);
    view.digest = get_digest(query);
    view.is_root_change = get_bool(query);
    view.expires_s = get_integer(query);
    view.envelope = get_span(query);
    return view;
}

enum status view_keyrings(struct store *store, int64_t version,
                          bool (*row)(void *context, const struct keyring_view *keyring),
                          void *context, struct error *err)
{
    static const char sql[] =
        "SELECT version, digest, root_change, expires_s, envelope FROM keyring"
        " WHERE CASE ?1 WHEN 0 THEN version = 1 OR root_change <> 0"
        " OR version = (SELECT max(version) FROM keyring) ELSE version = ?1 END ORDER BY version";
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, version);
    while (goes_on && query_next(&query)) {
        const struct keyring_view view = read_keyring(&query);

        goes_on = row(context, &view);
    }
    return query_status(&query, err);
}

static enum status show_freshness(struct sql_store *self,
                                  bool (*row)(void *context, const struct news_view *news),
                                  void *context, bool *ret_goes_on, struct error *err)
{
    static const char sql[] = "SELECT sequence, digest, expires_s, envelope FROM freshness"
                              " ORDER BY sequence DESC LIMIT 1";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    if (query_next(&query)) {
        struct news_view view = {.kind = NEWS_FRESHNESS};

        view.sequence = get_integer(&query);
        view.digest = get_digest(&query);
        view.expires_s = get_integer(&query);
        view.envelope = get_span(&query);
        *ret_goes_on = row(context, &view);
    }
    return query_status(&query, err);
}

enum status view_news(struct store *store, int64_t now_s,
                      bool (*row)(void *context, const struct news_view *news), void *context,
                      struct error *err)
{
    static const char sql[] = "SELECT digest, until_s, envelope FROM notice WHERE until_s > ?"
                              " ORDER BY time_s DESC, id DESC LIMIT ?";
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    TRY(snapshot_begin(&snapshot, sql_of(store), err));
    TRY(show_freshness(sql_of(store), row, context, &goes_on, err));
    if (!goes_on)
        return STATUS_OK;
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, now_s);
    bind_integer(&query, NEWS_MAX);
    while (goes_on && query_next(&query)) {
        struct news_view view = {.kind = NEWS_NOTICE};

        view.digest = get_digest(&query);
        view.expires_s = get_integer(&query);
        view.envelope = get_span(&query);
        goes_on = row(context, &view);
    }
    return query_status(&query, err);
}

static enum unit_state state_of(enum unit_phase phase)
{
    switch (phase) {
    case PHASE_NONE:
    case PHASE_WAITING:
    case PHASE_RUNNING:
        return UNIT_OPEN;
    case PHASE_JUDGING:
        return UNIT_JUDGING;
    case PHASE_AGREED:
        return UNIT_AGREED;
    case PHASE_ACCEPTED:
        return UNIT_ACCEPTED;
    case PHASE_FAILED:
    case PHASE_CANCELLED:
        break;
    }
    return UNIT_FAILED;
}

static void add_tally(struct metrics *metrics, int64_t kind, int64_t what, int64_t count)
{
    if (kind == TALLY_UNITS && what <= PHASE_CANCELLED)
        metrics->units[state_of((enum unit_phase)what)] += count;
    if (kind == TALLY_TASKS && what <= TASK_ABANDONED)
        metrics->tasks[what] += count;
    if (kind == TALLY_FILES && what == FILES_NUMBER)
        metrics->files = count;
    if (kind == TALLY_FILES && what == FILES_BYTES)
        metrics->file_bytes = count;
}

static enum status read_tallies(struct sql_store *self, struct metrics *metrics, struct error *err)
{
    static const char sql[] =
        "SELECT kind, what, CAST(sum(count) AS BIGINT) FROM tally GROUP BY kind, what";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    while (query_next(&query)) {
        int64_t kind = get_integer(&query), what = get_integer(&query);

        add_tally(metrics, kind, what, get_integer(&query));
    }
    return query_status(&query, err);
}

static enum status read_batches(struct sql_store *self, struct metrics *metrics, struct error *err)
{
    static const char sql[] = "SELECT state, count(*) FROM batch GROUP BY state";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    while (query_next(&query)) {
        int64_t state = get_integer(&query);

        if (state >= BATCH_OPEN && state <= BATCH_FINISHED)
            metrics->batches[state] = get_integer(&query);
    }
    return query_status(&query, err);
}

#define FIGURES                                                                                    \
    "SELECT (SELECT count(*) FROM host), (SELECT count(*) FROM volunteer),"                        \
    " (SELECT next - 1 FROM id_block WHERE server = ? AND kind = ?), "

static enum status read_rest(struct sql_store *self, struct metrics *metrics, struct error *err)
{
    static const char lite[] = FIGURES "(SELECT page_count FROM pragma_page_count) *"
                                       " (SELECT page_size FROM pragma_page_size)";
    static const char postgres[] = FIGURES "pg_database_size(current_database())";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, SPOKEN(self, lite, postgres), err));
    bind_integer(&query, 1); /* see ids_take() */
    bind_integer(&query, ID_JOURNAL);
    if (query_next(&query)) {
        metrics->hosts = get_integer(&query);
        metrics->volunteers = get_integer(&query);
        metrics->journal_seq = get_integer(&query);
        metrics->database_bytes = get_integer(&query);
    }
    return query_status(&query, err);
}

enum status view_metrics(struct store *store, struct metrics *ret_metrics, struct error *err)
{
    struct sql_store *self = sql_of(store);
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    struct metrics metrics = {0};

    TRY(snapshot_begin(&snapshot, self, err));
    TRY(read_tallies(self, &metrics, err));
    TRY(read_batches(self, &metrics, err));
    TRY(read_rest(self, &metrics, err));
    *ret_metrics = metrics;
    return STATUS_OK;
}
