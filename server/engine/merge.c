#include "server/engine/merge.h"

#include <stdlib.h>

static void *grown(void *items, size_t count, size_t size)
{
    void *larger = reallocarray(items, count > 0 ? count : 1, size);

    if (larger == NULL)
        abort();
    return larger;
}

/* New hosts have no id yet and come last. */
static int compare_hosts(const void *a, const void *b)
{
    uint64_t x = (uint64_t)((const struct host *)a)->id - 1;
    uint64_t y = (uint64_t)((const struct host *)b)->id - 1;

    return x < y ? -1 : x > y;
}

static int compare_units(const void *a, const void *b)
{
    int64_t x = ((const struct unit *)a)->id, y = ((const struct unit *)b)->id;

    return x < y ? -1 : x > y;
}

static int compare_batches(const void *a, const void *b)
{
    int64_t x = ((const struct batch *)a)->id, y = ((const struct batch *)b)->id;

    return x < y ? -1 : x > y;
}

/* Allowances come along with their host, so they are taken exactly if it is. */
static void merge_allowances(struct work_set *into, const struct work_set *from, int64_t host)
{
    for (size_t i = 0; i < from->allowance_count; i++)
        if (from->allowances[i].host == host)
            *work_allowance(into, host, from->allowances[i].app_version) = from->allowances[i];
}

static void merge_hosts(struct work_set *into, struct work_set *from)
{
    size_t known = into->host_count;
    size_t capacity = into->host_count + from->host_count;

    if (from->host_count == 0)
        return;
    if (capacity > into->host_capacity) {
        into->hosts = grown(into->hosts, capacity, sizeof *into->hosts);
        into->host_capacity = capacity;
    }
    for (size_t i = 0; i < from->host_count; i++) {
        struct work_set before = {.hosts = into->hosts, .host_count = known};

        if (work_host(&before, from->hosts[i].id) != NULL)
            continue;
        merge_allowances(into, from, from->hosts[i].id);
        into->hosts[into->host_count++] = from->hosts[i];
        from->hosts[i] = (struct host){.id = from->hosts[i].id};
    }
    qsort(into->hosts, into->host_count, sizeof *into->hosts, compare_hosts);
}

static void merge_units(struct work_set *into, struct work_set *from)
{
    size_t known = into->unit_count;

    if (from->unit_count == 0)
        return;
    into->units = grown(into->units, known + from->unit_count, sizeof *into->units);
    for (size_t i = 0; i < from->unit_count; i++) {
        struct work_set before = {.units = into->units, .unit_count = known};

        if (work_unit(&before, from->units[i].id) != NULL)
            continue;
        into->units[into->unit_count++] = from->units[i];
        from->units[i] = (struct unit){.id = from->units[i].id};
    }
    qsort(into->units, into->unit_count, sizeof *into->units, compare_units);
}

static void merge_batches(struct work_set *into, struct work_set *from)
{
    size_t known = into->batch_count;

    if (from->batch_count == 0)
        return;
    into->batches = grown(into->batches, known + from->batch_count, sizeof *into->batches);
    for (size_t i = 0; i < from->batch_count; i++) {
        struct work_set before = {.batches = into->batches, .batch_count = known};

        if (work_batch(&before, from->batches[i].id) != NULL)
            continue;
        into->batches[into->batch_count++] = from->batches[i];
        from->batches[i] = (struct batch){.id = from->batches[i].id};
    }
    qsort(into->batches, into->batch_count, sizeof *into->batches, compare_batches);
}

void work_merge(struct work_set *into, struct work_set *from)
{
    merge_hosts(into, from);
    merge_units(into, from);
    merge_batches(into, from);
    work_set_clear(from);
}
