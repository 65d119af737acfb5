/* What a cycle adds: visits, answers, reports, bodies, the journal. */
#include <assert.h>

#include "db/postgres/bulk.h"
#include "db/postgres/save.h"
#include "db/publish.h"
#include "db/sql/saving.h"

static enum status save_visits(struct sql_store *self, const struct work_set *set, int64_t first,
                               struct error *err)
{
    static const char sql[] = "INSERT INTO visit (id, host, number, time_s, statement)"
                              " SELECT * FROM unnest(?, ?, ?, ?, ?)";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiib");
    for (size_t i = 0; i < set->visit_count; i++) {
        const struct visit_record *visit = &set->visits[i];

        bulk_integer(&bulk, first + (int64_t)i);
        bulk_integer(&bulk, visit->host);
        bulk_integer(&bulk, visit->number);
        bulk_integer(&bulk, visit->time_s);
        bulk_bytes(&bulk, visit->statement, visit->statement_length);
    }
    return bulk_run(&bulk, sql, err);
}

/* In place of those before. Two visits of one host may share a cycle: the later one's stays. */
static enum status save_answers(struct sql_store *self, const struct work_set *set,
                                struct error *err)
{
    static const char sql[] =
        "INSERT INTO answer (host, visit, reply) SELECT DISTINCT ON (r.host) r.*"
        " FROM unnest(?, ?, ?) AS r (host, visit, reply) ORDER BY r.host, r.visit DESC"
        " ON CONFLICT (host) DO UPDATE SET visit = excluded.visit, reply = excluded.reply";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iib");
    for (size_t i = 0; i < set->answer_count; i++) {
        bulk_integer(&bulk, set->answers[i].host);
        bulk_integer(&bulk, set->answers[i].visit);
        bulk_bytes(&bulk, set->answers[i].reply, set->answers[i].length);
    }
    return bulk_run(&bulk, sql, err);
}

static enum status save_reports(struct sql_store *self, const struct work_set *set, int64_t first,
                                struct error *err)
{
    static const char sql[] =
        "INSERT INTO report (task, visit, exit_status, wall_ms, peak_memory_bytes, why, stderr)"
        " SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiiitb");
    for (size_t i = 0; i < set->report_count; i++) {
        const struct report_record *report = &set->reports[i];

        bulk_integer(&bulk, report->task);
        bulk_reference(&bulk, saving_visit_of(set, first, report));
        bulk_integer(&bulk, report->exit_status);
        bulk_integer(&bulk, report->wall_ms);
        bulk_integer(&bulk, report->peak_memory_bytes);
        bulk_text(&bulk, report->why);
        bulk_bytes(&bulk, report->stderr_tail, report->stderr_length);
    }
    return bulk_run(&bulk, sql, err);
}

/* One that is there already stays, for longer. A set may hold one twice. */
static enum status save_bodies(struct sql_store *self, const struct work_set *set,
                               struct error *err)
{
    static const char sql[] =
        "INSERT INTO body (digest, time_s, bytes) SELECT DISTINCT ON (r.digest) r.*"
        " FROM unnest(?, ?, ?) AS r (digest, time_s, bytes) ORDER BY r.digest"
        " ON CONFLICT (digest) DO UPDATE SET time_s = excluded.time_s"
        " WHERE excluded.time_s > body.time_s + 86400";
    CLEANUP(bulk_clear) struct bulk bulk;
    int64_t time_s = saving_time_of(set);

    _Static_assert(BODY_TIME_SLACK_S == 86400, "as in the statement above");
    bulk_init(&bulk, self, "bib");
    for (size_t i = 0; i < set->body_count; i++) {
        const struct body_record *body = &set->bodies[i];

        assert(body->length <= UNIT_INLINE_MAX_BYTES);
        bulk_bytes(&bulk, body->digest.bytes, DIGEST_BYTES);
        bulk_integer(&bulk, time_s);
        bulk_bytes(&bulk, body->bytes, body->length);
    }
    return bulk_run(&bulk, sql, err);
}

static enum status save_entries(struct sql_store *self, const struct work_set *set,
                                struct error *err)
{
    static const char sql[] = "INSERT INTO journal (server, seq, time_s, kind, subject, detail)"
                              " SELECT * FROM unnest(?, ?, ?, ?, ?, ?)";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiiii");
    for (size_t i = 0; i < set->journal_count; i++) {
        const struct journal_entry *entry = &set->journal[i];

        assert(entry->kind != 0 && entry->subject != 0);
        bulk_integer(&bulk, self->server);
        bulk_integer(&bulk, entry->seq);
        bulk_integer(&bulk, entry->time_s);
        bulk_integer(&bulk, entry->kind);
        bulk_integer(&bulk, entry->subject);
        bulk_integer(&bulk, entry->detail);
    }
    return bulk_run(&bulk, sql, err);
}

static enum status save_results(struct sql_store *self, const struct work_set *set,
                                struct error *err)
{
    static const char sql[] =
        "INSERT INTO batch_result (batch, server, seq, kind, unit, detail, time_s)"
        " SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?)";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiiiii");
    for (size_t i = 0; i < set->journal_count; i++) {
        const struct journal_entry *entry = &set->journal[i];
        const struct unit *unit;

        if (!saving_is_result(entry->kind))
            continue;
        unit = work_unit(set, entry->subject);
        assert(unit != NULL); /* what is told of a unit is told with its change */
        bulk_integer(&bulk, unit->batch);
        bulk_integer(&bulk, self->server);
        bulk_integer(&bulk, entry->seq);
        bulk_integer(&bulk, entry->kind);
        bulk_integer(&bulk, unit->id);
        bulk_integer(&bulk, entry->detail);
        bulk_integer(&bulk, entry->time_s);
    }
    return bulk_run(&bulk, sql, err);
}

static enum status save_journal(struct sql_store *self, struct work_set *set, struct error *err)
{
    int64_t first = 0;

    if (set->journal_count == 0)
        return STATUS_OK;
    TRY(ids_take(self, ID_JOURNAL, set->journal_count, &first, err));
    for (size_t i = 0; i < set->journal_count; i++)
        set->journal[i].seq = first + (int64_t)i;
    TRY(save_entries(self, set, err));
    return save_results(self, set, err);
}

enum status postgres_save_records(struct sql_store *self, struct work_set *set, struct error *err)
{
    int64_t first = 0;

    if (set->visit_count > 0)
        TRY(ids_take(self, ID_VISIT, set->visit_count, &first, err));
    TRY(save_visits(self, set, first, err));
    TRY(save_answers(self, set, err));
    TRY(save_reports(self, set, first, err));
    TRY(save_bodies(self, set, err));
    return save_journal(self, set, err);
}
