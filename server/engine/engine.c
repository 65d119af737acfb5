#include "server/engine/engine.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/env.h"
#include "db/query.h"
#include "db/store.h"
#include "server/engine/actions.h"
#include "server/engine/hails.h"
#include "server/engine/oversized.h"
#include "server/engine/publications.h"
#include "server/engine/publishing.h"
#include "server/engine/state.h"
#include "server/engine/tails.h"

#define PAGE 500 /* rows of one scan */

/* ----------------------------------------------------------------------------------------- hints
 */

enum status engine_load_ready(struct engine *engine, int64_t after, int64_t last, struct error *err)
{
    struct ready_hint *page = must_alloc(PAGE, sizeof *page);
    size_t count = PAGE;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && count == PAGE && after < last) {
        status = engine->store->work->scan_ready(engine->store, after, page, PAGE, &count, err);
        for (size_t i = 0; status == STATUS_OK && i < count; i++) {
            after = page[i].unit;
            if (after > last)
                break;
            queue_put(engine->queue, &(struct queue_unit){.hint = page[i]});
            follow_saw(&engine->follow, after);
        }
    }
    free(page);
    return status;
}

static enum status load_sent(struct engine *engine, struct error *err)
{
    struct sent_hint page[PAGE];
    int64_t after = 0;
    size_t count = PAGE;

    while (count == PAGE) {
        TRY(engine->store->work->scan_sent(engine->store, after, page, PAGE, &count, err));
        for (size_t i = 0; i < count; i++) {
            deadlines_add(&engine->deadlines, (struct deadline_hint){.up_s = page[i].deadline_up_s,
                                                                     .task = page[i].task,
                                                                     .unit = page[i].unit});
            after = page[i].task;
        }
    }
    return STATUS_OK;
}

/* Batches one after the other, newest first. */
struct batch_walk {
    struct engine *engine;
    struct batch_filter filter;
    int64_t agreed_units; /* of the batch at hand: their bodies are awaited */
    struct batch row;     /* its texts are not kept */
    size_t rows;
};

static bool take_batch(void *context, const struct batch_view *view)
{
    struct batch_walk *walk = context;

    walk->row = view->row;
    walk->agreed_units = view->agreed;
    walk->rows++;
    queue_put_batch(walk->engine->queue, &view->row);
    return false;
}

struct unit_walk {
    struct engine *engine;
    int64_t after; /* unit */
    size_t rows;
};

/* Who was asked for a body before the restart gets its time anew. */
static bool await_body(void *context, const struct unit_line *unit)
{
    struct unit_walk *walk = context;
    struct engine *engine = walk->engine;
    int64_t up_s = clock_read(&engine->clock).up_s;

    deadlines_add(
        &engine->deadlines,
        (struct deadline_hint){.up_s = up_s + engine->config.body_wait_s, .unit = unit->id});
    walk->after = unit->id;
    walk->rows++;
    return true;
}

static enum status load_agreed(struct engine *engine, const struct batch_walk *batch,
                               struct error *err)
{
    struct unit_walk walk = {.engine = engine};

    if (batch->agreed_units == 0)
        return STATUS_OK;
    do {
        walk.rows = 0;
        TRY(engine->store->query->units(engine->store, batch->row.id, UNIT_AGREED, walk.after,
                                        QUERY_ROWS_MAX, await_body, &walk, err));
    } while (walk.rows == QUERY_ROWS_MAX);
    return STATUS_OK;
}

enum status engine_load_batches(struct engine *engine, struct error *err)
{
    struct batch_walk walk = {.engine = engine};

    do {
        walk.rows = 0;
        TRY(engine->store->query->batches(engine->store, &walk.filter, 1, take_batch, &walk, err));
        if (walk.rows == 0)
            break;
        walk.filter.after = walk.row.id;
        actions_resume(engine, &walk.row);
        TRY(load_agreed(engine, &walk, err));
    } while (walk.rows > 0);
    return STATUS_OK;
}

enum status engine_load_hints(struct engine *engine, struct error *err)
{
    engine->has_revoked = true;
    engine->revoked_after = 0;
    TRY(engine_load_batches(engine, err));
    TRY(engine_load_ready(engine, 0, INT64_MAX, err));
    return load_sent(engine, err);
}

static enum status load_all(struct engine *engine, struct error *err)
{
    TRY(engine->store->publish->site_load(engine->store, &engine->site, err));
    clock_start(&engine->clock, engine->env, &engine->site);
    queue_let_in(engine->queue, clock_read(&engine->clock).now_s);
    TRY(follow_start(engine, err));
    TRY(publications_load(engine, err));
    TRY(oversized_warn(engine, err));
    return engine_load_hints(engine, err);
}

/* ------------------------------------------------------------------------------------- life cycle
 */

enum status engine_open(struct store *store, struct env *env, const struct engine_config *config,
                        struct engine **ret_engine, struct error *err)
{
    CLEANUP(engine_closep) struct engine *engine = must_alloc(1, sizeof *engine);

    assert(config->window >= 1 && config->min_return_s >= 1 && config->soon_return_s >= 1);
    engine->store = store;
    engine->env = env;
    engine->config = *config;
    if (pthread_mutex_init(&engine->lock, NULL) != 0)
        abort();
    engine->fitness = (struct fitness_facts){.committed_mono_ms = env->now_mono_ms(env),
                                             .full_mono_ms = INT64_MIN};
    chance_init(&engine->chance, env);
    engine->trust_serial = 1;
    engine->queue = queue_new(config->window, &engine->chance);
    engine->published = published_new();
    engine->enrolments = must_alloc(ENROLMENT_COUNTS_MAX, sizeof *engine->enrolments);
    TRY(load_all(engine, err));
    hails_start(engine);
    engine_show(engine);
    *ret_engine = TAKE(engine);
    return STATUS_OK;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    queue_free(engine->queue);
    deadlines_clear(&engine->deadlines);
    host_hints_clear(&engine->hosts);
    tails_clear(&engine->tails);
    paces_clear(&engine->paces);
    paces_clear(&engine->usual_paces);
    apps_forget_all(&engine->apps);
    trust_clear(&engine->trust);
    published_free(engine->published);
    free(engine->acts);
    free(engine->enrolments);
    (void)pthread_mutex_destroy(&engine->lock);
    free(engine);
}

struct published_facts *engine_published(struct engine *engine)
{
    return engine->published;
}

/* ------------------------------------------------------------------------- seen by other threads
 */

void engine_show(struct engine *engine)
{
    struct engine_clock clock = clock_read(&engine->clock);

    engine->counts.ready_now = (int64_t)queue_count(engine->queue);
    engine->counts.deadlines_now = (int64_t)engine->deadlines.count;
    engine->counts.up_s_now = clock.up_s;
    (void)pthread_mutex_lock(&engine->lock);
    engine->seen_counts = engine->counts;
    engine->seen_clock = clock;
    (void)pthread_mutex_unlock(&engine->lock);
}

struct engine_counts engine_counts(struct engine *engine)
{
    struct engine_counts counts;

    (void)pthread_mutex_lock(&engine->lock);
    counts = engine->seen_counts;
    (void)pthread_mutex_unlock(&engine->lock);
    return counts;
}

struct engine_clock engine_clock(struct engine *engine)
{
    struct engine_clock clock;

    (void)pthread_mutex_lock(&engine->lock);
    clock = engine->seen_clock;
    (void)pthread_mutex_unlock(&engine->lock);
    return clock;
}

struct engine_fitness engine_fitness(struct engine *engine)
{
    int64_t now_mono_ms = engine->env->now_mono_ms(engine->env);
    struct fitness_facts facts;

    (void)pthread_mutex_lock(&engine->lock);
    facts = engine->fitness;
    (void)pthread_mutex_unlock(&engine->lock);
    return (struct engine_fitness){.lack = fitness_lack(&facts, now_mono_ms),
                                   .commit_age_s = (now_mono_ms - facts.committed_mono_ms) / 1000};
}
