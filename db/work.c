#include "db/work.h"

#include <assert.h>
#include <stdlib.h>

/* Room for one more in an array of `size`-byte items. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity > 0 ? *capacity * 2 : 16;
    void *larger;

    if (count < *capacity)
        return items;
    larger = reallocarray(items, wanted, size);
    if (larger == NULL)
        abort();
    *capacity = wanted;
    return larger;
}

#define APPEND(set, items, count, capacity, item)                                                  \
    do {                                                                                           \
        (set)->items = grown((set)->items, (set)->count, &(set)->capacity, sizeof *(set)->items);  \
        (set)->items[(set)->count++] = (item);                                                     \
    } while (0)

void host_clear(struct host *host)
{
    free(host->prefix);
    free(host->platform);
    free(host->client);
    free(host->offer.layers);
}

static void batch_clear(struct batch *batch)
{
    free(batch->name);
    free(batch->why);
}

void work_set_clear(struct work_set *set)
{
    for (size_t i = 0; i < set->host_count; i++)
        host_clear(&set->hosts[i]);
    for (size_t i = 0; i < set->unit_count; i++)
        unit_clear(&set->units[i]);
    for (size_t i = 0; i < set->batch_count; i++)
        batch_clear(&set->batches[i]);
    free(set->hosts);
    free(set->units);
    free(set->batches);
    free(set->allowances);
    free(set->acceptances);
    free(set->journal);
    free(set->visits);
    free(set->answers);
    free(set->reports);
    free(set->bodies);
    *set = (struct work_set){0};
}

/* Loaded ones are in order; those to be made come last. */
struct host *work_host(const struct work_set *set, int64_t id)
{
    size_t low = 0, high = set->host_count;

    while (high > 0 && set->hosts[high - 1].id == 0)
        high--;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->hosts[middle].id == id)
            return &set->hosts[middle];
        if (set->hosts[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct host *work_host_by_key(const struct work_set *set, const struct public_key *key)
{
    for (size_t i = 0; i < set->host_count; i++)
        if (public_key_equals(&set->hosts[i].key, key))
            return &set->hosts[i];
    return NULL;
}

struct host *work_host_by_token(const struct work_set *set, const struct digest *token)
{
    for (size_t i = 0; i < set->host_count; i++)
        if (digest_equals(&set->hosts[i].token, token))
            return &set->hosts[i];
    return NULL;
}

static int compare_to_unit(const void *id, const void *unit)
{
    int64_t a = *(const int64_t *)id, b = ((const struct unit *)unit)->id;

    return a < b ? -1 : a > b;
}

struct unit *work_unit(const struct work_set *set, int64_t id)
{
    if (set->unit_count == 0)
        return NULL;
    return bsearch(&id, set->units, set->unit_count, sizeof *set->units, compare_to_unit);
}

struct unit *work_unit_of_task(const struct work_set *set, int64_t task, struct task **ret_task)
{
    struct unit *unit = task > 0 ? work_unit(set, TASK_UNIT(task)) : NULL;
    size_t place = (size_t)TASK_PLACE(task);

    if (unit == NULL || place >= unit->task_count || unit->tasks[place].id != task)
        return NULL;
    *ret_task = &unit->tasks[place];
    return unit;
}

static int compare_to_batch(const void *id, const void *batch)
{
    int64_t a = *(const int64_t *)id, b = ((const struct batch *)batch)->id;

    return a < b ? -1 : a > b;
}

struct batch *work_batch(const struct work_set *set, int64_t id)
{
    if (set->batch_count == 0)
        return NULL;
    return bsearch(&id, set->batches, set->batch_count, sizeof *set->batches, compare_to_batch);
}

struct allowance *work_allowance(struct work_set *set, int64_t host, int64_t app_version)
{
    const struct allowance none = {.host = host, .app_version = app_version};

    assert(host > 0);
    for (size_t i = 0; i < set->allowance_count; i++)
        if (set->allowances[i].host == host && set->allowances[i].app_version == app_version)
            return &set->allowances[i];
    APPEND(set, allowances, allowance_count, allowance_capacity, none);
    return &set->allowances[set->allowance_count - 1];
}

struct host *work_add_host(struct work_set *set)
{
    APPEND(set, hosts, host_count, host_capacity, (struct host){.is_changed = true});
    return &set->hosts[set->host_count - 1];
}

void work_add_acceptance(struct work_set *set, struct acceptance acceptance)
{
    APPEND(set, acceptances, acceptance_count, acceptance_capacity, acceptance);
}

void work_add_journal(struct work_set *set, struct journal_entry entry)
{
    APPEND(set, journal, journal_count, journal_capacity, entry);
}

void work_add_visit(struct work_set *set, struct visit_record visit)
{
    APPEND(set, visits, visit_count, visit_capacity, visit);
}

void work_add_answer(struct work_set *set, struct answer_record answer)
{
    APPEND(set, answers, answer_count, answer_capacity, answer);
}

void work_add_report(struct work_set *set, struct report_record report)
{
    APPEND(set, reports, report_count, report_capacity, report);
}

void work_add_body(struct work_set *set, struct body_record body)
{
    APPEND(set, bodies, body_count, body_capacity, body);
}
