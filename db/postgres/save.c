/* Writing a working set: hosts, allowances and batches; the rest is in save_units.c, save_records.c
 * and save_ends.c. */
#include "db/postgres/save.h"

#include <assert.h>

#include "db/postgres/bulk.h"
#include "db/sql/saving.h"

/* What changes from visit to visit, and the token. */
#define HOST_CHANGES                                                                               \
    "volunteer, visit, incarnation, withdrawn, seen_s, seen_up_s, credit, agreed, outvoted, "      \
    "errors,"                                                                                      \
    " refused_what, refused_code, refused_s, refused_digest, visit_statement, prefix, platform,"   \
    " client, cores, memory_bytes, disk_bytes, layers, token"
#define HOST_TYPES "iiiiiiiiiiiiibbtttiiitb"

static void add_changes(struct bulk *bulk, const struct host *host)
{
    bulk_integer(bulk, host->volunteer);
    bulk_integer(bulk, host->visit);
    bulk_integer(bulk, host->incarnation);
    bulk_integer(bulk, host->is_withdrawn);
    bulk_integer(bulk, host->seen_s);
    bulk_integer(bulk, host->seen_up_s);
    bulk_integer(bulk, host->credit);
    bulk_integer(bulk, host->agreed);
    bulk_integer(bulk, host->outvoted);
    bulk_integer(bulk, host->errors);
    bulk_integer(bulk, host->refused.what);
    bulk_integer(bulk, host->refused.refusal);
    bulk_integer(bulk, host->refused_s);
    bulk_digest(bulk, &host->refused.digest);
    bulk_digest(bulk, &host->visit_request);
    bulk_text(bulk, host->prefix);
    bulk_text(bulk, host->platform);
    bulk_text(bulk, host->client);
    bulk_integer(bulk, host->offer.cores);
    bulk_integer(bulk, host->offer.memory_bytes);
    bulk_integer(bulk, host->offer.disk_bytes);
    bulk_text(bulk, host->offer.layers != NULL ? host->offer.layers : "");
    bulk_digest(bulk, &host->token);
}

static void add_new(struct bulk *bulk, const struct host *host, int64_t id)
{
    add_changes(bulk, host);
    bulk_integer(bulk, host->kind);
    bulk_integer(bulk, host->enrolled_s);
    bulk_bytes(bulk, host->key.bytes, PUBLIC_KEY_BYTES);
    bulk_integer(bulk, id);
}

static enum status insert_hosts(struct sql_store *self, struct work_set *set, struct error *err)
{
    static const char sql[] =
        "INSERT INTO host (" HOST_CHANGES ", kind, enrolled_s, key, id, version)"
        " SELECT r.*, 1 FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?,"
        " ?, ?, ?) r";
    CLEANUP(bulk_clear) struct bulk bulk;
    size_t first = set->host_count;
    int64_t id;

    while (first > 0 && set->hosts[first - 1].id == 0)
        first--;
    bulk_init(&bulk, self, HOST_TYPES "iibi");
    if (first == set->host_count)
        return STATUS_OK;
    TRY(ids_take(self, ID_HOST, set->host_count - first, &id, err));
    for (size_t i = first; i < set->host_count; i++)
        add_new(&bulk, &set->hosts[i], id + (int64_t)(i - first));
    TRY(bulk_run(&bulk, sql, err));
    for (size_t i = first; i < set->host_count; i++) {
        set->hosts[i].id = id + (int64_t)(i - first);
        set->hosts[i].version = 1;
        set->hosts[i].is_changed = false;
    }
    return STATUS_OK;
}

static enum status update_hosts(struct sql_store *self, struct work_set *set, struct error *err)
{
    static const char sql[] =
        "UPDATE host SET (" HOST_CHANGES ", version) = (r.volunteer, r.visit, r.incarnation,"
        " r.withdrawn, r.seen_s, r.seen_up_s, r.credit, r.agreed, r.outvoted, r.errors, "
        "r.refused_what,"
        " r.refused_code, r.refused_s, r.refused_digest, r.visit_statement, r.prefix,"
        " r.platform, r.client, r.cores, r.memory_bytes, r.disk_bytes, r.layers, r.token, "
        "host.version + 1)"
        " FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " AS r (" HOST_CHANGES ", id, version) WHERE host.id = r.id AND host.version = r.version";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, HOST_TYPES "ii");
    for (size_t i = 0; i < set->host_count; i++) {
        const struct host *host = &set->hosts[i];

        if (host->id == 0 || !host->is_changed)
            continue;
        add_changes(&bulk, host);
        bulk_integer(&bulk, host->id);
        bulk_integer(&bulk, host->version);
    }
    TRY(bulk_change(&bulk, sql, "host", err));
    for (size_t i = 0; i < set->host_count; i++) {
        if (set->hosts[i].id != 0 && set->hosts[i].is_changed)
            set->hosts[i].version++;
        set->hosts[i].is_changed = set->hosts[i].id == 0;
    }
    return STATUS_OK;
}

static enum status save_allowances(struct sql_store *self, struct work_set *set, struct error *err)
{
    static const char sql[] =
        "INSERT INTO allowance (host, app_version, per_day, day, used, pace, usual_pace, timed)"
        " SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?)"
        " AS r (host, app_version, per_day, day, used, pace, usual_pace, timed)"
        " ORDER BY r.host, r.app_version ON CONFLICT (host, app_version) DO UPDATE"
        " SET per_day = excluded.per_day, day = excluded.day, used = excluded.used,"
        " pace = excluded.pace,"
        " usual_pace = excluded.usual_pace, timed = excluded.timed";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiiiiii");
    for (size_t i = 0; i < set->allowance_count; i++) {
        struct allowance *allowance = &set->allowances[i];

        if (!allowance->is_changed)
            continue;
        bulk_integer(&bulk, allowance->host);
        bulk_integer(&bulk, allowance->app_version);
        bulk_integer(&bulk, allowance->per_day);
        bulk_integer(&bulk, allowance->day);
        bulk_integer(&bulk, allowance->used);
        bulk_integer(&bulk, allowance->pace);
        bulk_integer(&bulk, allowance->usual_pace);
        bulk_integer(&bulk, allowance->timed);
        allowance->is_changed = false;
    }
    return bulk_run(&bulk, sql, err);
}

enum status postgres_save_hosts(struct sql_store *self, struct work_set *set, struct error *err)
{
    saving_mark_hosts(set);
    TRY(update_hosts(self, set, err));
    TRY(insert_hosts(self, set, err));
    return save_allowances(self, set, err);
}

/* The name and the number of units are not the engine's to change. */
static void add_batch(struct bulk *bulk, const struct batch *batch)
{
    const struct hosts_text hosts = saving_format_hosts(batch->ended_hosts);

    bulk_integer(bulk, batch->id);
    bulk_integer(bulk, batch->version);
    bulk_integer(bulk, batch->state);
    bulk_integer(bulk, batch->is_closed);
    bulk_text(bulk, batch->why);
    bulk_integer(bulk, batch->priority);
    bulk_integer(bulk, batch->needed_by_s);
    bulk_integer(bulk, batch->units_accepted);
    bulk_integer(bulk, batch->units_failed);
    bulk_integer(bulk, batch->ended_tasks);
    bulk_integer(bulk, batch->failed_tasks);
    bulk_text(bulk, hosts.text);
    bulk_integer(bulk, batch->begun);
    bulk_integer(bulk, batch->retry.reopened);
    bulk_integer(bulk, batch->retry.expired);
    bulk_integer(bulk, batch->retry.revoked);
    bulk_integer(bulk, batch->retry.spent);
}

enum status postgres_save_batches(struct sql_store *self, struct work_set *set, struct error *err)
{
    static const char sql[] =
        "UPDATE batch SET state = r.state, closed = r.closed, why = r.why, priority = r.priority,"
        " needed_by_s = r.needed_by_s, units_accepted = r.units_accepted,"
        " units_failed = r.units_failed, ended_tasks = r.ended_tasks,"
        " failed_tasks = r.failed_tasks, ended_hosts = r.ended_hosts, begun = r.begun,"
        " retry_reopened = r.retry_reopened, retry_expired = r.retry_expired,"
        " retry_revoked = r.retry_revoked, retry_spent = r.retry_spent,"
        " version = batch.version + 1"
        " FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " AS r (id, version, state, closed, why, priority, needed_by_s, units_accepted, "
        "units_failed, ended_tasks, failed_tasks,"
        " ended_hosts, begun, retry_reopened, retry_expired, retry_revoked, retry_spent)"
        " WHERE batch.id = r.id AND batch.version = r.version";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiitiiiiiitiiiii");
    for (size_t i = 0; i < set->batch_count; i++)
        if (set->batches[i].is_changed)
            add_batch(&bulk, &set->batches[i]);
    TRY(bulk_change(&bulk, sql, "batch", err));
    for (size_t i = 0; i < set->batch_count; i++) {
        set->batches[i].version += set->batches[i].is_changed;
        set->batches[i].is_changed = false;
    }
    return STATUS_OK;
}

enum status postgres_save(struct store *store, struct work_set *set, struct error *err)
{
    struct sql_store *self = sql_of(store);

    assert(self->driver->is_in_transaction(self)); /* the caller began a transaction */
    TRY(postgres_save_hosts(self, set, err));
    TRY(postgres_save_units(self, set, err));
    TRY(postgres_save_batches(self, set, err));
    TRY(postgres_save_records(self, set, err));
    TRY(postgres_save_ends(self, set, err));
    set->visit_count = set->answer_count = set->report_count = set->body_count = 0;
    set->journal_count = set->acceptance_count = 0;
    return STATUS_OK;
}
