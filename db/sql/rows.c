#include "db/sql/rows.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/outputs.h"

enum unit_phase phase_of(const struct unit *unit)
{
    switch (unit->state) {
    case UNIT_OPEN:
        for (size_t i = 0; i < unit->task_count; i++)
            if (unit->tasks[i].state == TASK_SENT)
                return PHASE_RUNNING;
        return PHASE_WAITING;
    case UNIT_JUDGING:
        return PHASE_JUDGING;
    case UNIT_AGREED:
        return PHASE_AGREED;
    case UNIT_ACCEPTED:
        return PHASE_ACCEPTED;
    case UNIT_FAILED:
        break;
    }
    return unit->failure == FAILURE_CANCELLED ? PHASE_CANCELLED : PHASE_FAILED;
}

static bool lacks_a_body(const struct task *task)
{
    for (size_t i = 0; i < task->output_count; i++)
        if (!task->outputs[i].is_stored)
            return true;
    return false;
}

bool task_is_live(const struct unit *unit, const struct task *task)
{
    if (task->state == TASK_SENT || !task->is_told)
        return true;
    return task->state == TASK_AGREED && unit->state == UNIT_AGREED && task->is_asked &&
           lacks_a_body(task);
}

void read_unit(struct query *query, struct unit *ret_unit)
{
    /* Designated initialisers are evaluated in no order we could rely on. */
    *ret_unit = (struct unit){0};
    ret_unit->id = get_integer(query);
    ret_unit->version = get_integer(query);
    ret_unit->state = (enum unit_state)get_integer(query);
    ret_unit->failure = (enum unit_failure)get_integer(query);
    ret_unit->copies_wanted = (uint32_t)get_integer(query);
    ret_unit->extra = (uint32_t)get_integer(query);
    ret_unit->revision = (uint32_t)get_integer(query);
    ret_unit->batch = get_integer(query);
    ret_unit->app_version = get_integer(query);
    ret_unit->index = get_integer(query);
    ret_unit->rule.quorum = (uint32_t)get_integer(query);
    ret_unit->rule.copies = (uint32_t)get_integer(query);
    ret_unit->rule.max_failures = (uint32_t)get_integer(query);
    ret_unit->rule.max_tasks = (uint32_t)get_integer(query);
    ret_unit->rule.independence = (enum independence)get_integer(query);
    ret_unit->deadline_span_s = get_integer(query);
    ret_unit->declared_ops = get_integer(query);
    ret_unit->memory_bytes = get_integer(query);
    ret_unit->disk_bytes = get_integer(query);
    ret_unit->output_bytes = get_integer(query);
    ret_unit->not_before_s = get_integer(query);
    ret_unit->not_after_s = get_integer(query);
    ret_unit->signer = get_integer(query);
    ret_unit->classes = get_copy(query);
    ret_unit->platforms = get_copy(query);
    ret_unit->pinned_class = get_copy(query);
    ret_unit->digest = get_digest(query);
    ret_unit->row.state = ret_unit->state;
}

static void read_task_columns(struct query *query, struct task *task)
{
    task->id = get_integer(query);
    task->state = (enum task_state)get_integer(query);
    task->cause = (enum task_cause)get_integer(query);
    task->cause_detail = (int32_t)get_integer(query);
    task->at_dispatch.host = get_integer(query);
    task->at_dispatch.volunteer = get_integer(query);
    task->at_dispatch.organisation = get_integer(query);
    task->now.host = task->at_dispatch.host;
    task->now.volunteer = get_integer(query);
    task->now.organisation = get_integer(query);
    task->visit = get_integer(query);
    task->variant = get_digest(query);
    task->sent_s = get_integer(query);
    task->deadline_up_s = get_integer(query);
    task->deadline_s = get_integer(query);
    task->reported_s = get_integer(query);
    task->cpu_ms = get_integer(query);
    task->credit = get_integer(query);
    task->is_asked = get_bool(query);
    task->asked_up_s = get_integer(query);
    task->is_told = get_bool(query);
    task->row.is_live = get_bool(query);
    task->row.state = task->state;
    task->prefix = get_copy(query);
    task->result = get_digest(query);
}

enum status read_task(struct query *query, struct unit *unit, struct error *err)
{
    struct task *task = &unit->tasks[unit->task_count];
    struct span outputs;

    if (unit->task_count == UNIT_TASKS_MAX)
        return record_damaged("a unit with too many tasks", err);
    *task = (struct task){0};
    unit->task_count++;
    read_task_columns(query, task);
    if (task->id != TASK_ID(unit->id, unit->task_count - 1))
        return record_damaged("a gap among a unit's tasks", err);
    outputs = get_span(query);
    if (!outputs_decode(outputs.bytes, outputs.length, &task->outputs, &task->output_count))
        return record_damaged("a task's outputs", err);
    return STATUS_OK;
}

void read_host(struct query *query, struct host *ret_host)
{
    *ret_host = (struct host){0};
    ret_host->id = get_integer(query);
    ret_host->version = get_integer(query);
    ret_host->kind = (enum host_kind)get_integer(query);
    ret_host->volunteer = get_integer(query);
    ret_host->organisation = get_integer(query);
    ret_host->visit = get_integer(query);
    ret_host->incarnation = get_integer(query);
    ret_host->is_withdrawn = get_bool(query);
    ret_host->enrolled_s = get_integer(query);
    ret_host->seen_s = get_integer(query);
    ret_host->seen_up_s = get_integer(query);
    ret_host->credit = get_integer(query);
    ret_host->agreed = get_integer(query);
    ret_host->outvoted = get_integer(query);
    ret_host->errors = get_integer(query);
    ret_host->refused.what = (enum refused_kind)get_integer(query);
    ret_host->refused.refusal = (enum refusal)get_integer(query);
    ret_host->refused_s = get_integer(query);
    ret_host->refused.digest = get_digest(query);
    ret_host->key = get_key(query);
    ret_host->token = get_digest(query);
    ret_host->visit_request = get_digest(query);
    ret_host->prefix = get_copy(query);
    ret_host->platform = get_copy(query);
    ret_host->client = get_copy(query);
    ret_host->offer.cores = get_integer(query);
    ret_host->offer.memory_bytes = get_integer(query);
    ret_host->offer.disk_bytes = get_integer(query);
    ret_host->offer.layers = get_copy(query);
    ret_host->is_without_account = get_integer(query) == VOLUNTEER_PREFIX;
}

/* Hosts come few and by number; text keeps the row readable to a person. */
static void read_ended_hosts(const char *text, int64_t *ret_hosts)
{
    json_t *hosts = json_loads(text, 0, NULL);

    for (size_t i = 0; i < BATCH_HOSTS_SEEN; i++)
        ret_hosts[i] = json_integer_value(json_array_get(hosts, i));
    json_decref(hosts);
}

void read_batch(struct query *query, struct batch *ret_batch)
{
    struct span id;

    *ret_batch = (struct batch){0};
    ret_batch->id = get_integer(query);
    ret_batch->version = get_integer(query);
    id = get_span(query);
    if (id.length == sizeof ret_batch->public_id)
        memcpy(&ret_batch->public_id, id.bytes, id.length);
    ret_batch->name = get_copy(query);
    ret_batch->app_version = get_integer(query);
    ret_batch->state = (enum batch_state)get_integer(query);
    ret_batch->is_closed = get_bool(query);
    ret_batch->why = get_copy(query);
    ret_batch->priority = (int32_t)get_integer(query);
    ret_batch->needed_by_s = get_integer(query);
    ret_batch->created_s = get_integer(query);
    ret_batch->units = get_integer(query);
    ret_batch->units_accepted = get_integer(query);
    ret_batch->units_failed = get_integer(query);
    ret_batch->ended_tasks = get_integer(query);
    ret_batch->failed_tasks = get_integer(query);
    read_ended_hosts(get_text(query), ret_batch->ended_hosts);
    ret_batch->begun = (uint32_t)get_integer(query);
    ret_batch->retry.reopened = get_integer(query);
    ret_batch->retry.expired = get_integer(query);
    ret_batch->retry.revoked = get_integer(query);
    ret_batch->retry.spent = get_integer(query);
}

static struct unit *find_unit(struct unit *units, size_t count, int64_t id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (units[middle].id == id)
            return &units[middle];
        if (units[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void free_ids(int64_t **ids)
{
    free(*ids);
}

/* The range over ids is the join: see the table. CROSS JOIN keeps the units outermost; PostgreSQL
 * has to be told the order, too. */
#define SELECT_TASKS                                                                               \
    "SELECT " TASK_COLUMNS " FROM json_each(?) j CROSS JOIN task t"                                \
    " ON t.id BETWEEN j.value * 16 AND j.value * 16 + 15" TASK_JOINS

enum status load_tasks(struct sql_store *self, struct unit *units, size_t count, struct error *err)
{
    static const char sql[] = SELECT_TASKS, sorted[] = SELECT_TASKS " ORDER BY t.id";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(free_ids) int64_t *ids = must_alloc(count, sizeof *ids);

    _Static_assert(UNIT_TASKS_MAX == 16, "as in the statement above");
    for (size_t i = 0; i < count; i++)
        ids[i] = units[i].id;
    TRY(query_begin(&query, self, SPOKEN(self, sql, sorted), err));
    bind_integers(&query, ids, count);
    while (query_next(&query)) {
        int64_t id = get_integer(&query);

        query.column = 0;
        TRY(read_task(&query, find_unit(units, count, TASK_UNIT(id)), err));
    }
    TRY(query_status(&query, err));
    for (size_t i = 0; i < count; i++)
        units[i].row.phase = (uint8_t)phase_of(&units[i]);
    return STATUS_OK;
}
