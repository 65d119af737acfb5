/* Units with their tasks, and the tallies that follow them. */
#include <assert.h>
#include <stdlib.h>

#include "db/outputs.h"
#include "db/postgres/bulk.h"
#include "db/postgres/save.h"
#include "db/sql/rows.h"
#include "db/sql/saving.h"

/* Those of a set that change, each kind a statement. */
struct unit_changes {
    struct bulk units, old_tasks, new_tasks;
};

static void changes_clear(struct unit_changes *changes)
{
    bulk_clear(&changes->units);
    bulk_clear(&changes->old_tasks);
    bulk_clear(&changes->new_tasks);
}

static void free_deltas(struct unit_deltas **deltas)
{
    free(*deltas);
}

static void add_unit(struct bulk *bulk, const struct unit *unit)
{
    bulk_integer(bulk, unit->id);
    bulk_integer(bulk, unit->version);
    bulk_integer(bulk, unit->state);
    bulk_integer(bulk, unit->failure);
    bulk_integer(bulk, unit->copies_wanted);
    bulk_integer(bulk, unit->extra);
    bulk_integer(bulk, unit->revision);
    bulk_text(bulk, unit->pinned_class);
}

/* What an update of a task writes, too. */
#define TASK_CHANGES                                                                               \
    "id, state, cause, cause_detail, deadline_up_s, deadline_s, reported_s, cpu_ms, credit,"       \
    " asked, asked_up_s, told, live, result, outputs"
#define TASK_TYPES "iiiiiiiiiiiiibb"

static void add_task(struct bulk *bulk, const struct unit *unit, const struct task *task)
{
    size_t length;
    void *outputs = outputs_encode(task->outputs, task->output_count, &length);

    bulk_integer(bulk, task->id);
    bulk_integer(bulk, task->state);
    bulk_integer(bulk, task->cause);
    bulk_integer(bulk, task->cause_detail);
    bulk_integer(bulk, task->deadline_up_s);
    bulk_integer(bulk, task->deadline_s);
    bulk_integer(bulk, task->reported_s);
    bulk_integer(bulk, task->cpu_ms);
    bulk_integer(bulk, task->credit);
    bulk_integer(bulk, task->is_asked);
    bulk_integer(bulk, task->asked_up_s);
    bulk_integer(bulk, task->is_told);
    bulk_integer(bulk, task_is_live(unit, task));
    bulk_digest(bulk, &task->result);
    bulk_optional(bulk, outputs, length);
    free(outputs);
}

static void add_dispatch(struct bulk *bulk, const struct sql_store *self, const struct task *task)
{
    bulk_integer(bulk, task->at_dispatch.host);
    bulk_integer(bulk, task->at_dispatch.volunteer);
    bulk_integer(bulk, task->at_dispatch.organisation);
    bulk_integer(bulk, self->server);
    bulk_integer(bulk, task->visit);
    bulk_integer(bulk, task->sent_s);
    bulk_text(bulk, task->prefix);
    bulk_digest(bulk, &task->variant);
}

static void gather_unit(struct sql_store *self, struct unit *unit, struct unit_changes *changes,
                        struct unit_deltas *deltas)
{
    if (!saving_wants_unit(unit))
        return;
    add_unit(&changes->units, unit);
    for (size_t i = 0; i < unit->task_count; i++) {
        struct task *task = &unit->tasks[i];
        bool is_new = task->row.state == 0;

        if (!saving_wants_task(task))
            continue;
        saving_name_task(unit, task);
        add_task(is_new ? &changes->new_tasks : &changes->old_tasks, unit, task);
        if (is_new)
            add_dispatch(&changes->new_tasks, self, task);
        saving_count_task(unit, task, deltas);
    }
    saving_count_unit(unit, deltas);
    unit->version++;
    unit->row.state = unit->state;
    unit->is_changed = false;
}

/* The unit's version is looked at first: whoever lost the race wrote nothing. PostgreSQL looks by
 * itself which columns of an index changed. */
static enum status write_changes(struct unit_changes *changes, struct error *err)
{
    static const char units[] =
        "UPDATE unit SET state = r.state, failure = r.failure, copies_wanted = r.copies_wanted,"
        " extra = r.extra, revision = r.revision, pinned_class = r.pinned_class, version = "
        "unit.version + 1"
        " FROM unnest(?, ?, ?, ?, ?, ?, ?, ?) AS r (id, version, state, failure, copies_wanted,"
        " extra, revision, pinned_class) WHERE unit.id = r.id AND unit.version = r.version";
    static const char old_tasks[] =
        "UPDATE task SET state = r.state, cause = r.cause, cause_detail = r.cause_detail,"
        " deadline_up_s = r.deadline_up_s, deadline_s = r.deadline_s, reported_s = r.reported_s,"
        " cpu_ms = r.cpu_ms, credit = r.credit, asked = r.asked, asked_up_s = r.asked_up_s,"
        " told = r.told, live = r.live, result = r.result, outputs = r.outputs"
        " FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS r (" TASK_CHANGES
        ") WHERE task.id = r.id";
    static const char new_tasks[] =
        "INSERT INTO task (" TASK_CHANGES
        ", host, volunteer, organisation, server, visit, sent_s, prefix, variant, incarnation)"
        " SELECT r.id, r.state, r.cause, r.cause_detail, r.deadline_up_s, r.deadline_s,"
        " r.reported_s, r.cpu_ms, r.credit, r.asked, r.asked_up_s, r.told, r.live, r.result,"
        " r.outputs, r.host, r.volunteer, r.organisation, r.server, r.visit, r.sent_s, r.prefix,"
        " n.id, h.incarnation"
        " FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " AS r (" TASK_CHANGES
        ", host, volunteer, organisation, server, visit, sent_s, prefix, variant)"
        " JOIN host h ON h.id = r.host JOIN variant n ON n.digest = r.variant ORDER BY r.id";

    TRY(bulk_change(&changes->units, units, "unit", err));
    TRY(bulk_change(&changes->old_tasks, old_tasks, "task", err));
    return bulk_change(&changes->new_tasks, new_tasks, "host or variant of a task", err);
}

static void add_deltas(struct bulk *bulk, int64_t batch, enum tally_kind kind,
                       const int64_t *deltas, int first, int last)
{
    for (int i = first; i <= last; i++) {
        if (deltas[i] == 0)
            continue;
        bulk_integer(bulk, batch);
        bulk_integer(bulk, kind);
        bulk_integer(bulk, i);
        bulk_integer(bulk, deltas[i]);
    }
}

static enum status write_deltas(struct sql_store *self, const struct work_set *set,
                                const struct unit_deltas *deltas, struct error *err)
{
    static const char sql[] =
        "INSERT INTO tally (batch, kind, what, count) SELECT * FROM unnest(?, ?, ?, ?)"
        " ON CONFLICT (batch, kind, what) DO UPDATE SET count = tally.count + excluded.count";
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, self, "iiii");
    for (size_t i = 0; i < set->batch_count; i++) {
        add_deltas(&bulk, set->batches[i].id, TALLY_UNITS, deltas[i].phases, PHASE_WAITING,
                   PHASE_CANCELLED);
        add_deltas(&bulk, set->batches[i].id, TALLY_TASKS, deltas[i].states, TASK_SENT,
                   TASK_ABANDONED);
    }
    return bulk_run(&bulk, sql, err);
}

enum status postgres_save_units(struct sql_store *self, struct work_set *set, struct error *err)
{
    CLEANUP(free_deltas) struct unit_deltas *deltas = must_alloc(set->batch_count, sizeof *deltas);
    CLEANUP(changes_clear) struct unit_changes changes;

    bulk_init(&changes.units, self, "iiiiiiit");
    bulk_init(&changes.old_tasks, self, TASK_TYPES);
    bulk_init(&changes.new_tasks, self, TASK_TYPES "iiiiiitb");
    for (size_t i = 0; i < set->unit_count; i++) {
        const struct batch *batch = work_batch(set, set->units[i].batch);

        assert(batch != NULL); /* loaded with its unit */
        gather_unit(self, &set->units[i], &changes, &deltas[batch - set->batches]);
    }
    TRY(write_changes(&changes, err));
    return write_deltas(self, set, deltas, err);
}
