/* Writing a working set: hosts, allowances and batches; the rest is in save_units.c and
 * save_records.c. */
#include "db/sqlite/save.h"

#include <assert.h>

#include "db/sql/query.h"
#include "db/sql/saving.h"

/* What changes from visit to visit. */
static void bind_host(struct query *query, const struct host *host)
{
    bind_integer(query, host->volunteer);
    bind_integer(query, host->visit);
    bind_integer(query, host->incarnation);
    bind_integer(query, host->is_withdrawn);
    bind_integer(query, host->seen_s);
    bind_integer(query, host->seen_up_s);
    bind_integer(query, host->credit);
    bind_integer(query, host->agreed);
    bind_integer(query, host->outvoted);
    bind_integer(query, host->errors);
    bind_integer(query, host->refused.what);
    bind_integer(query, host->refused.refusal);
    bind_integer(query, host->refused_s);
    bind_digest(query, &host->refused.digest);
    bind_digest(query, &host->visit_request);
    bind_text(query, host->prefix);
    bind_text(query, host->platform);
    bind_text(query, host->client);
    bind_integer(query, host->offer.cores);
    bind_integer(query, host->offer.memory_bytes);
    bind_integer(query, host->offer.disk_bytes);
    bind_text(query, host->offer.layers != NULL ? host->offer.layers : "");
}

static enum status insert_host(struct sql_store *self, struct host *host, struct error *err)
{
    static const char sql[] =
        "INSERT INTO host (volunteer, visit, incarnation, withdrawn, seen_s, seen_up_s, credit,"
        " agreed, outvoted, errors, refused_what, refused_code, refused_s, refused_digest,"
        " visit_statement, prefix, platform, client, cores, memory_bytes, disk_bytes, layers, kind,"
        " enrolled_s, key, token, id, version)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "1)";
    CLEANUP(query_end) struct query query = {0};
    int64_t id;

    TRY(ids_take(self, ID_HOST, 1, &id, err));
    TRY(query_begin(&query, self, sql, err));
    bind_host(&query, host);
    bind_integer(&query, host->kind);
    bind_integer(&query, host->enrolled_s);
    bind_key(&query, &host->key);
    bind_digest(&query, &host->token);
    bind_integer(&query, id);
    TRY(query_run(&query, err));
    host->id = id;
    host->version = 1;
    return STATUS_OK;
}

/* Apart from the rest: naming its column would write to its index at every visit. */
static enum status save_token(struct sql_store *self, const struct host *host, struct error *err)
{
    static const char sql[] = "UPDATE host SET token = ?1 WHERE id = ?2 AND token IS NOT ?1";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, &host->token);
    bind_integer(&query, host->id);
    return query_run(&query, err);
}

static enum status update_host(struct sql_store *self, struct host *host, struct error *err)
{
    static const char sql[] =
        "UPDATE host SET volunteer = ?, visit = ?, incarnation = ?, withdrawn = ?, seen_s = ?,"
        " seen_up_s = ?, credit = ?, agreed = ?, outvoted = ?, errors = ?, refused_what = ?, "
        "refused_code = ?,"
        " refused_s = ?, refused_digest = ?, visit_statement = ?, prefix = ?, platform = ?, client "
        "= ?, cores = ?, memory_bytes = ?, disk_bytes = ?, layers = ?, version = version + 1 WHERE "
        "id = ? AND version = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_host(&query, host);
    bind_integer(&query, host->id);
    bind_integer(&query, host->version);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return record_conflict("host", host->id, err);
    host->version++;
    return save_token(self, host, err);
}

static enum status save_allowance(struct sql_store *self, const struct allowance *allowance,
                                  struct error *err)
{
    static const char sql[] =
        "INSERT INTO allowance (host, app_version, per_day, day, used, pace, usual_pace, timed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET per_day = excluded.per_day, day = excluded.day,"
        " used = excluded.used, pace = excluded.pace,"
        " usual_pace = excluded.usual_pace, timed = excluded.timed";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, allowance->host);
    bind_integer(&query, allowance->app_version);
    bind_integer(&query, allowance->per_day);
    bind_integer(&query, allowance->day);
    bind_integer(&query, allowance->used);
    bind_integer(&query, allowance->pace);
    bind_integer(&query, allowance->usual_pace);
    bind_integer(&query, allowance->timed);
    return query_run(&query, err);
}

enum status save_hosts(struct sql_store *self, struct work_set *set, struct error *err)
{
    saving_mark_hosts(set);
    for (size_t i = 0; i < set->host_count; i++) {
        struct host *host = &set->hosts[i];

        if (host->id == 0)
            TRY(insert_host(self, host, err));
        else if (host->is_changed)
            TRY(update_host(self, host, err));
        host->is_changed = false;
    }
    for (size_t i = 0; i < set->allowance_count; i++) {
        if (set->allowances[i].is_changed)
            TRY(save_allowance(self, &set->allowances[i], err));
        set->allowances[i].is_changed = false;
    }
    return STATUS_OK;
}

/* The name and the number of units are not the engine's to change. */
static enum status update_batch(struct sql_store *self, struct batch *batch, struct error *err)
{
    static const char sql[] =
        "UPDATE batch SET state = ?, closed = ?, why = ?, priority = ?, needed_by_s = ?,"
        " units_accepted = ?, units_failed = ?, ended_tasks = ?, failed_tasks = ?, ended_hosts = ?,"
        " begun = ?, retry_reopened = ?, retry_expired = ?, retry_revoked = ?,"
        " retry_spent = ?, version = version + 1 WHERE id = ? AND version = ?";
    const struct hosts_text hosts = saving_format_hosts(batch->ended_hosts);
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, batch->state);
    bind_integer(&query, batch->is_closed);
    bind_text(&query, batch->why);
    bind_integer(&query, batch->priority);
    bind_integer(&query, batch->needed_by_s);
    bind_integer(&query, batch->units_accepted);
    bind_integer(&query, batch->units_failed);
    bind_integer(&query, batch->ended_tasks);
    bind_integer(&query, batch->failed_tasks);
    bind_text(&query, hosts.text);
    bind_integer(&query, batch->begun);
    bind_integer(&query, batch->retry.reopened);
    bind_integer(&query, batch->retry.expired);
    bind_integer(&query, batch->retry.revoked);
    bind_integer(&query, batch->retry.spent);
    bind_integer(&query, batch->id);
    bind_integer(&query, batch->version);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return record_conflict("batch", batch->id, err);
    batch->version++;
    return STATUS_OK;
}

enum status save_batches(struct sql_store *self, struct work_set *set, struct error *err)
{
    for (size_t i = 0; i < set->batch_count; i++) {
        if (set->batches[i].is_changed)
            TRY(update_batch(self, &set->batches[i], err));
        set->batches[i].is_changed = false;
    }
    return STATUS_OK;
}

enum status sqlite_save(struct store *store, struct work_set *set, struct error *err)
{
    struct sql_store *self = sql_of(store);

    assert(self->driver->is_in_transaction(self)); /* the caller began a transaction */
    TRY(save_hosts(self, set, err));
    TRY(save_units(self, set, err));
    TRY(save_batches(self, set, err));
    return save_records(self, set, err);
}
