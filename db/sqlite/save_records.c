/* What a cycle adds: visits, answers, reports, bodies, acceptances, the journal. */
#include <assert.h>

#include "db/publish.h"
#include "db/sql/query.h"
#include "db/sql/saving.h"
#include "db/sqlite/save.h"

static enum status save_visit(struct sql_store *self, const struct visit_record *visit, int64_t id,
                              struct error *err)
{
    static const char sql[] =
        "INSERT INTO visit (id, host, number, time_s, statement) VALUES (?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, id);
    bind_integer(&query, visit->host);
    bind_integer(&query, visit->number);
    bind_integer(&query, visit->time_s);
    bind_bytes(&query, visit->statement, visit->statement_length);
    return query_run(&query, err);
}

static enum status save_report(struct sql_store *self, const struct report_record *report,
                               int64_t visit, struct error *err)
{
    static const char sql[] =
        "INSERT INTO report (task, visit, exit_status, wall_ms, peak_memory_bytes, why, stderr)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, report->task);
    bind_reference(&query, visit);
    bind_integer(&query, report->exit_status);
    bind_integer(&query, report->wall_ms);
    bind_integer(&query, report->peak_memory_bytes);
    bind_text(&query, report->why);
    bind_bytes(&query, report->stderr_tail, report->stderr_length);
    return query_run(&query, err);
}

/* In place of the one before. */
static enum status save_answer(struct sql_store *self, const struct answer_record *answer,
                               struct error *err)
{
    static const char sql[] = "INSERT INTO answer (host, visit, reply) VALUES (?, ?, ?)"
                              " ON CONFLICT DO UPDATE SET visit = excluded.visit,"
                              " reply = excluded.reply";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, answer->host);
    bind_integer(&query, answer->visit);
    bind_bytes(&query, answer->reply, answer->length);
    return query_run(&query, err);
}

static enum status save_visits(struct sql_store *self, const struct work_set *set,
                               struct error *err)
{
    int64_t first = 0;

    if (set->visit_count > 0)
        TRY(ids_take(self, ID_VISIT, set->visit_count, &first, err));
    for (size_t i = 0; i < set->visit_count; i++)
        TRY(save_visit(self, &set->visits[i], first + (int64_t)i, err));
    for (size_t i = 0; i < set->answer_count; i++)
        TRY(save_answer(self, &set->answers[i], err));
    for (size_t i = 0; i < set->report_count; i++)
        TRY(save_report(self, &set->reports[i], saving_visit_of(set, first, &set->reports[i]),
                        err));
    return STATUS_OK;
}

/* One that is there already stays, for longer. */
static enum status save_body(struct sql_store *self, const struct body_record *body, int64_t time_s,
                             struct error *err)
{
    static const char sql[] = "INSERT INTO body (digest, time_s, bytes) VALUES (?, ?, ?)"
                              " ON CONFLICT DO UPDATE SET time_s = excluded.time_s"
                              " WHERE excluded.time_s > time_s + 86400";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(BODY_TIME_SLACK_S == 86400, "as in the statement above");
    assert(body->length <= UNIT_INLINE_MAX_BYTES);
    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, &body->digest);
    bind_integer(&query, time_s);
    bind_bytes(&query, body->bytes, body->length);
    return query_run(&query, err);
}

static enum status refer(struct sql_store *self, const struct digest *file, enum file_kind kind,
                         int64_t subject, struct error *err)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO file_reference (file, kind, subject) VALUES (?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, file);
    bind_integer(&query, kind);
    bind_integer(&query, subject);
    return query_run(&query, err);
}

static enum status forget(struct sql_store *self, const struct digest *file, int64_t unit,
                          struct error *err)
{
    static const char sql[] =
        "DELETE FROM file_reference WHERE file = ? AND kind = ? AND subject = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, file);
    bind_integer(&query, FILE_OUTPUT);
    bind_integer(&query, unit);
    return query_run(&query, err);
}

/* What tasks of the unit delivered is kept by its acceptance from now on, or not at all. */
static enum status forget_reports(struct sql_store *self, const struct unit *unit,
                                  struct error *err)
{
    static const char sql[] = "DELETE FROM file_reference INDEXED BY file_reference_subject"
                              " WHERE kind = 4 AND kind <> 3 AND subject BETWEEN ? AND ?";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(FILE_OUTPUT == 3 && FILE_REPORT == 4, "as in the statement above");
    if (!saving_may_have_reports(unit))
        return STATUS_OK;
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, TASK_ID(unit->id, 0));
    bind_integer(&query, TASK_ID(unit->id, UNIT_TASKS_MAX - 1));
    return query_run(&query, err);
}

/* Its outputs are those of any of its tasks, for they agree. */
static enum status keep_outputs(struct sql_store *self, const struct work_set *set,
                                const struct acceptance *acceptance, struct error *err)
{
    struct task *task = NULL;
    const struct unit *unit = work_unit_of_task(set, acceptance->tasks[0], &task);

    assert(unit != NULL && unit->id == acceptance->unit);
    for (size_t i = 0; i < task->output_count; i++)
        TRY(refer(self, &task->outputs[i].digest, FILE_OUTPUT, unit->id, err));
    return forget_reports(self, unit, err);
}

/* Of a unit that is open again: nobody may have its outputs, and yet they may be accepted anew. */
static enum status take_back_outputs(struct sql_store *self, const struct unit *unit,
                                     const struct task *task, struct error *err)
{
    for (size_t i = 0; i < task->output_count; i++) {
        TRY(forget(self, &task->outputs[i].digest, unit->id, err));
        if (task->outputs[i].is_stored)
            TRY(refer(self, &task->outputs[i].digest, FILE_REPORT, task->id, err));
    }
    return STATUS_OK;
}

/* What a unit's end, or its reopening, means for what its tasks delivered. */
static enum status keep_or_forget(struct sql_store *self, const struct journal_entry *entry,
                                  const struct unit *unit, struct error *err)
{
    if (saving_ends_reports(entry))
        return forget_reports(self, unit, err);
    for (size_t i = 0; i < unit->task_count && entry->kind == JOURNAL_UNIT_REOPENED; i++)
        TRY(take_back_outputs(self, unit, &unit->tasks[i], err));
    return STATUS_OK;
}

static enum status save_acceptance_task(struct sql_store *self, const struct acceptance *acceptance,
                                        size_t i, struct error *err)
{
    static const char sql[] = "INSERT INTO acceptance_task (task, revision) VALUES (?, ?)";
    CLEANUP(query_end) struct query query = {0};

    assert(TASK_UNIT(acceptance->tasks[i]) == acceptance->unit);
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, acceptance->tasks[i]);
    bind_integer(&query, acceptance->revision);
    return query_run(&query, err);
}

static enum status save_acceptance(struct sql_store *self, const struct work_set *set,
                                   const struct acceptance *acceptance, struct error *err)
{
    static const char sql[] =
        "INSERT INTO acceptance (unit, revision, quorum, independence, time_s)"
        " VALUES (?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    assert(acceptance->task_count >= 1 && acceptance->task_count <= UNIT_TASKS_MAX);
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, acceptance->unit);
    bind_integer(&query, acceptance->revision);
    bind_integer(&query, acceptance->quorum);
    bind_integer(&query, acceptance->independence);
    bind_integer(&query, acceptance->time_s);
    TRY(query_run(&query, err));
    for (size_t i = 0; i < acceptance->task_count; i++)
        TRY(save_acceptance_task(self, acceptance, i, err));
    return keep_outputs(self, set, acceptance, err);
}

static enum status save_entry(struct sql_store *self, const struct journal_entry *entry,
                              struct error *err)
{
    static const char sql[] = "INSERT INTO journal (server, seq, time_s, kind, subject, detail)"
                              " VALUES (?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    assert(entry->kind != 0 && entry->subject != 0);
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, self->server);
    bind_integer(&query, entry->seq);
    bind_integer(&query, entry->time_s);
    bind_integer(&query, entry->kind);
    bind_integer(&query, entry->subject);
    bind_integer(&query, entry->detail);
    return query_run(&query, err);
}

static enum status save_result(struct sql_store *self, const struct journal_entry *entry,
                               const struct unit *unit, struct error *err)
{
    static const char sql[] =
        "INSERT INTO batch_result (batch, server, seq, kind, unit, detail, time_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)";
    CLEANUP(query_end) struct query query = {0};

    assert(unit != NULL); /* what is told of a unit is told with its change */
    TRY(keep_or_forget(self, entry, unit, err));
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, unit->batch);
    bind_integer(&query, self->server);
    bind_integer(&query, entry->seq);
    bind_integer(&query, entry->kind);
    bind_integer(&query, unit->id);
    bind_integer(&query, entry->detail);
    bind_integer(&query, entry->time_s);
    return query_run(&query, err);
}

static enum status save_journal(struct sql_store *self, struct work_set *set, struct error *err)
{
    int64_t first = 0;

    if (set->journal_count > 0)
        TRY(ids_take(self, ID_JOURNAL, set->journal_count, &first, err));
    for (size_t i = 0; i < set->journal_count; i++) {
        struct journal_entry *entry = &set->journal[i];

        entry->seq = first + (int64_t)i;
        TRY(save_entry(self, entry, err));
        if (saving_is_result(entry->kind))
            TRY(save_result(self, entry, work_unit(set, entry->subject), err));
    }
    return STATUS_OK;
}

enum status save_records(struct sql_store *self, struct work_set *set, struct error *err)
{
    int64_t time_s = saving_time_of(set);

    TRY(save_visits(self, set, err));
    for (size_t i = 0; i < set->body_count; i++)
        TRY(save_body(self, &set->bodies[i], time_s, err));
    TRY(save_journal(self, set, err));
    for (size_t i = 0; i < set->acceptance_count; i++)
        TRY(save_acceptance(self, set, &set->acceptances[i], err));

    set->visit_count = set->answer_count = set->report_count = set->body_count = 0;
    set->journal_count = set->acceptance_count = 0;
    return STATUS_OK;
}
