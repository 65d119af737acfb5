/* Units with their tasks, and the tallies that follow them. */
#include <assert.h>
#include <stdlib.h>

#include "db/outputs.h"
#include "db/sql/query.h"
#include "db/sql/rows.h"
#include "db/sql/saving.h"
#include "db/sqlite/save.h"

static void free_bytes(void *slot)
{
    free(*(void **)slot);
}

/* What an update of a task writes, too. */
static void bind_task(struct query *query, const struct task *task, const void *outputs,
                      size_t outputs_length)
{
    bind_integer(query, task->state);
    bind_integer(query, task->cause);
    bind_integer(query, task->cause_detail);
    bind_integer(query, task->deadline_up_s);
    bind_integer(query, task->deadline_s);
    bind_integer(query, task->reported_s);
    bind_integer(query, task->cpu_ms);
    bind_integer(query, task->credit);
    bind_integer(query, task->is_asked);
    bind_integer(query, task->asked_up_s);
    bind_integer(query, task->is_told);
    bind_digest(query, &task->result);
    bind_optional(query, outputs, outputs_length);
}

static void bind_dispatch(struct query *query, const struct sql_store *self,
                          const struct task *task)
{
    bind_integer(query, task->at_dispatch.host);
    bind_integer(query, task->at_dispatch.volunteer);
    bind_integer(query, task->at_dispatch.organisation);
    bind_integer(query, self->server);
    bind_integer(query, task->visit);
    bind_integer(query, task->sent_s);
    bind_text(query, task->prefix);
    bind_integer(query, task->at_dispatch.host);
    bind_digest(query, &task->variant);
}

static enum status insert_task(struct sql_store *self, const struct unit *unit,
                               const struct task *task, struct error *err)
{
    static const char sql[] =
        "INSERT INTO task (state, cause, cause_detail, deadline_up_s, deadline_s, reported_s,"
        " cpu_ms, credit, asked, asked_up_s, told, result, outputs, host, volunteer, organisation,"
        " server, visit, sent_s, prefix, incarnation, variant, live, id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT incarnation FROM host WHERE id = ?), (SELECT id FROM variant WHERE digest = ?),"
        " ?, ?)";
    CLEANUP(query_end) struct query query = {0};
    size_t length;
    CLEANUP(free_bytes) void *outputs = outputs_encode(task->outputs, task->output_count, &length);

    TRY(query_begin(&query, self, sql, err));
    bind_task(&query, task, outputs, length);
    bind_dispatch(&query, self, task);
    bind_integer(&query, task_is_live(unit, task));
    bind_integer(&query, task->id);
    return query_run(&query, err);
}

#define UPDATE_TASK                                                                                \
    "UPDATE task SET state = ?, cause = ?, cause_detail = ?, deadline_up_s = ?, deadline_s = ?,"   \
    " reported_s = ?, cpu_ms = ?, credit = ?, asked = ?, asked_up_s = ?, told = ?, result = ?,"    \
    " outputs = ?"

/* Naming `live` writes to its index: only when it changes. */
static enum status update_task(struct sql_store *self, const struct unit *unit,
                               const struct task *task, struct error *err)
{
    static const char keep_live[] = UPDATE_TASK " WHERE id = ?";
    static const char set_live[] = UPDATE_TASK ", live = ? WHERE id = ?";
    bool is_live = task_is_live(unit, task), changes = is_live != task->row.is_live;
    CLEANUP(query_end) struct query query = {0};
    size_t length;
    CLEANUP(free_bytes) void *outputs = outputs_encode(task->outputs, task->output_count, &length);

    TRY(query_begin(&query, self, changes ? set_live : keep_live, err));
    bind_task(&query, task, outputs, length);
    if (changes)
        bind_integer(&query, is_live);
    bind_integer(&query, task->id);
    TRY(query_run(&query, err));
    return query_changes(&query) == 1 ? STATUS_OK : record_conflict("task", task->id, err);
}

static enum status save_task(struct sql_store *self, const struct unit *unit, struct task *task,
                             struct unit_deltas *deltas, struct error *err)
{
    saving_name_task(unit, task);
    TRY(task->row.state == 0 ? insert_task(self, unit, task, err)
                             : update_task(self, unit, task, err));
    saving_count_task(unit, task, deltas);
    return STATUS_OK;
}

/* The index of live units names `state`: it is written only when that changes. */
static enum status update_unit(struct sql_store *self, struct unit *unit, struct error *err)
{
    static const char keep_state[] =
        "UPDATE unit SET copies_wanted = ?, extra = ?, revision = ?, pinned_class = ?, failure = ?,"
        " version = version + 1 WHERE id = ? AND version = ?";
    static const char set_state[] = "UPDATE unit SET copies_wanted = ?, extra = ?, revision = ?, "
                                    "pinned_class = ?, failure = ?, state = ?,"
                                    " version = version + 1 WHERE id = ? AND version = ?";
    bool changes = unit->state != unit->row.state;
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, changes ? set_state : keep_state, err));
    bind_integer(&query, unit->copies_wanted);
    bind_integer(&query, unit->extra);
    bind_integer(&query, unit->revision);
    bind_text(&query, unit->pinned_class);
    bind_integer(&query, unit->failure);
    if (changes)
        bind_integer(&query, unit->state);
    bind_integer(&query, unit->id);
    bind_integer(&query, unit->version);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return record_conflict("unit", unit->id, err);
    unit->version++;
    unit->row.state = unit->state;
    unit->is_changed = false;
    return STATUS_OK;
}

/* The unit's version is looked at first: whoever lost the race wrote nothing. */
static enum status save_unit(struct sql_store *self, struct unit *unit, struct unit_deltas *deltas,
                             struct error *err)
{
    if (!saving_wants_unit(unit))
        return STATUS_OK;
    TRY(update_unit(self, unit, err));
    for (size_t i = 0; i < unit->task_count; i++)
        if (saving_wants_task(&unit->tasks[i]))
            TRY(save_task(self, unit, &unit->tasks[i], deltas, err));
    saving_count_unit(unit, deltas);
    return STATUS_OK;
}

static enum status save_deltas(struct sql_store *self, int64_t batch,
                               const struct unit_deltas *deltas, struct error *err)
{
    for (int i = PHASE_WAITING; i <= PHASE_CANCELLED; i++)
        TRY(tally_add(self, batch, TALLY_UNITS, i, deltas->phases[i], err));
    for (int i = TASK_SENT; i <= TASK_ABANDONED; i++)
        TRY(tally_add(self, batch, TALLY_TASKS, i, deltas->states[i], err));
    return STATUS_OK;
}

enum status save_units(struct sql_store *self, struct work_set *set, struct error *err)
{
    CLEANUP(free_bytes) struct unit_deltas *deltas = must_alloc(set->batch_count, sizeof *deltas);

    for (size_t i = 0; i < set->unit_count; i++) {
        const struct batch *batch = work_batch(set, set->units[i].batch);

        assert(batch != NULL); /* loaded with its unit */
        TRY(save_unit(self, &set->units[i], &deltas[batch - set->batches], err));
    }
    for (size_t i = 0; i < set->batch_count; i++)
        TRY(save_deltas(self, set->batches[i].id, &deltas[i], err));
    return STATUS_OK;
}
