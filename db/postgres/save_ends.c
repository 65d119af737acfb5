/* Acceptances, and what a unit's end or reopening means for what its tasks delivered. */
#include <assert.h>

#include "db/postgres/bulk.h"
#include "db/postgres/save.h"
#include "db/publish.h"
#include "db/sql/saving.h"

static enum status save_acceptances(struct sql_store *self, const struct work_set *set,
                                    struct error *err)
{
    static const char sql[] =
        "INSERT INTO acceptance (unit, revision, quorum, independence, time_s)"
        " SELECT * FROM unnest(?, ?, ?, ?, ?)";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiiii");
    for (size_t i = 0; i < set->acceptance_count; i++) {
        const struct acceptance *acceptance = &set->acceptances[i];

        assert(acceptance->task_count >= 1 && acceptance->task_count <= UNIT_TASKS_MAX);
        bulk_integer(&bulk, acceptance->unit);
        bulk_integer(&bulk, acceptance->revision);
        bulk_integer(&bulk, acceptance->quorum);
        bulk_integer(&bulk, acceptance->independence);
        bulk_integer(&bulk, acceptance->time_s);
    }
    return bulk_run(&bulk, sql, err);
}

static enum status save_tasks(struct sql_store *self, const struct work_set *set, struct error *err)
{
    static const char sql[] =
        "INSERT INTO acceptance_task (task, revision) SELECT * FROM unnest(?, ?)";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "ii");
    for (size_t i = 0; i < set->acceptance_count; i++) {
        const struct acceptance *acceptance = &set->acceptances[i];

        for (size_t j = 0; j < acceptance->task_count; j++) {
            assert(TASK_UNIT(acceptance->tasks[j]) == acceptance->unit);
            bulk_integer(&bulk, acceptance->tasks[j]);
            bulk_integer(&bulk, acceptance->revision);
        }
    }
    return bulk_run(&bulk, sql, err);
}

/* References that come and go, in this order. */
struct reference_changes {
    struct bulk taken_back; /* of accepted outputs, whose unit is open again */
    struct bulk added;
    struct bulk ended; /* units: all that their reports delivered */
};

static void changes_clear(struct reference_changes *changes)
{
    bulk_clear(&changes->taken_back);
    bulk_clear(&changes->added);
    bulk_clear(&changes->ended);
}

static void add_reference(struct bulk *bulk, const struct digest *file, enum file_kind kind,
                          int64_t subject)
{
    bulk_bytes(bulk, file->bytes, DIGEST_BYTES);
    bulk_integer(bulk, kind);
    bulk_integer(bulk, subject);
}

static void end_reports(struct reference_changes *changes, const struct unit *unit)
{
    if (saving_may_have_reports(unit))
        bulk_integer(&changes->ended, unit->id);
}

/* Nobody may have the outputs now, and yet they may be accepted anew. */
static void take_back(struct reference_changes *changes, const struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        const struct task *task = &unit->tasks[i];

        for (size_t j = 0; j < task->output_count; j++) {
            add_reference(&changes->taken_back, &task->outputs[j].digest, FILE_OUTPUT, unit->id);
            if (task->outputs[j].is_stored)
                add_reference(&changes->added, &task->outputs[j].digest, FILE_REPORT, task->id);
        }
    }
}

/* Its outputs are those of any of its tasks, for they agree. */
static void keep_outputs(struct reference_changes *changes, const struct work_set *set,
                         const struct acceptance *acceptance)
{
    struct task *task = NULL;
    const struct unit *unit = work_unit_of_task(set, acceptance->tasks[0], &task);

    assert(unit != NULL && unit->id == acceptance->unit);
    for (size_t i = 0; i < task->output_count; i++)
        add_reference(&changes->added, &task->outputs[i].digest, FILE_OUTPUT, unit->id);
    end_reports(changes, unit);
}

static void gather(const struct work_set *set, struct reference_changes *changes)
{
    for (size_t i = 0; i < set->journal_count; i++) {
        const struct journal_entry *entry = &set->journal[i];

        if (saving_ends_reports(entry))
            end_reports(changes, work_unit(set, entry->subject));
        if (entry->kind == JOURNAL_UNIT_REOPENED)
            take_back(changes, work_unit(set, entry->subject));
    }
    for (size_t i = 0; i < set->acceptance_count; i++)
        keep_outputs(changes, set, &set->acceptances[i]);
}

static enum status save_references(struct sql_store *self, const struct work_set *set,
                                   struct error *err)
{
    static const char taken_back[] =
        "DELETE FROM file_reference f USING unnest(?, ?, ?) AS r (file, kind, subject)"
        " WHERE f.file = r.file AND f.kind = r.kind AND f.subject = r.subject";
    static const char added[] =
        "INSERT INTO file_reference (file, kind, subject) SELECT * FROM unnest(?, ?, ?)"
        " ON CONFLICT DO NOTHING";
    static const char ended[] =
        "DELETE FROM file_reference f USING unnest(?) AS r (unit) WHERE f.kind = 4 AND f.kind <> 3"
        " AND f.subject BETWEEN r.unit * 16 AND r.unit * 16 + 15";
    CLEANUP(changes_clear) struct reference_changes changes;

    _Static_assert(FILE_OUTPUT == 3 && FILE_REPORT == 4 && UNIT_TASKS_MAX == 16,
                   "as in the statements above");
    bulk_init(&changes.taken_back, self, "bii");
    bulk_init(&changes.added, self, "bii");
    bulk_init(&changes.ended, self, "i");
    gather(set, &changes);
    TRY(bulk_run(&changes.taken_back, taken_back, err));
    TRY(bulk_run(&changes.added, added, err));
    return bulk_run(&changes.ended, ended, err);
}

enum status postgres_save_ends(struct sql_store *self, struct work_set *set, struct error *err)
{
    TRY(save_acceptances(self, set, err));
    TRY(save_tasks(self, set, err));
    return save_references(self, set, err);
}
