#include "bench/server/timed_store.h"

#include "bench/world/clock.h"
#include "db/publish.h"
#include "db/query.h"
#include "db/store.h"
#include "db/work.h"

static struct store original; /* its functions, as they were */
static struct work_ops work;
static struct publish_ops publish;
static struct query_ops query;
static struct store_time so_far;

static struct store_time now(void)
{
    return (struct store_time){.wall_us = clock_mono_us(), .cpu_us = clock_thread_us()};
}

static enum status took(const struct store_time *began, enum status status)
{
    struct store_time ended = now();

    so_far.wall_us += ended.wall_us - began->wall_us;
    so_far.cpu_us += ended.cpu_us - began->cpu_us;
    return status;
}

static enum status begin(struct store *store, struct error *err)
{
    struct store_time began = now();

    return took(&began, original.begin(store, err));
}

static enum status commit(struct store *store, struct error *err)
{
    struct store_time began = now();

    return took(&began, original.commit(store, err));
}

static enum status load(struct store *store, const struct work_request *request,
                        struct work_set *ret_set, struct error *err)
{
    struct store_time began = now();

    return took(&began, original.work->load(store, request, ret_set, err));
}

static enum status save(struct store *store, struct work_set *set, struct error *err)
{
    struct store_time began = now();

    return took(&began, original.work->save(store, set, err));
}

static enum status granted_at(struct store *store, int64_t host, int64_t visit, int64_t *ret_tasks,
                              size_t capacity, size_t *ret_count, struct error *err)
{
    struct store_time began = now();

    return took(&began,
                original.work->granted_at(store, host, visit, ret_tasks, capacity, ret_count, err));
}

static enum status unit_envelopes(struct store *store, const int64_t *units, size_t count,
                                  bool (*row)(void *context, int64_t id, struct span envelope),
                                  void *context, struct error *err)
{
    struct store_time began = now();

    return took(&began, original.query->unit_envelopes(store, units, count, row, context, err));
}

static enum status site_save(struct store *store, const struct site *site, struct error *err)
{
    struct store_time began = now();

    return took(&began, original.publish->site_save(store, site, err));
}

void timed_store_watch(struct store *store)
{
    original = *store;
    work = *store->work;
    publish = *store->publish;
    query = *store->query;
    so_far = (struct store_time){0};
    work.load = load;
    work.save = save;
    work.granted_at = granted_at;
    publish.site_save = site_save;
    query.unit_envelopes = unit_envelopes;
    store->begin = begin;
    store->commit = commit;
    store->work = &work;
    store->publish = &publish;
    store->query = &query;
}

struct store_time timed_store_so_far(void)
{
    return so_far;
}
