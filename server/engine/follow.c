#include "server/engine/follow.h"

#include <stdlib.h>

#include "common/base/env.h"
#include "common/base/log.h"
#include "db/query.h"
#include "server/engine/hails.h"
#include "server/engine/publications.h"
#include "server/engine/publishing.h"
#include "server/engine/rollbacks.h"
#include "server/engine/state.h"

#define PAGE            500
#define SERVER_OF(unit) ((unit) >> 40) /* its ids are a block of 2^40 each; from 0 */

enum status follow_start(struct engine *engine, struct error *err)
{
    const struct query_ops *query = engine->store->query;

    engine->follow = (struct follow){0};
    return query->other_entries(engine->store, INT64_MAX, 1, NULL, NULL, &engine->follow.cursor,
                                err);
}

void follow_saw(struct follow *follow, int64_t unit)
{
    int64_t *last = &follow->last_unit[SERVER_OF(unit)];

    if (unit > *last)
        *last = unit;
}

/* --------------------------------------------------------------------------------------- servers
 */

struct others {
    struct engine *engine;
    size_t count;
    int64_t up_s;           /* the furthest of them */
    int64_t mark;           /* the highest */
    int64_t looks_restored; /* the newest incarnation */
    bool has_gone;          /* one that ran does no longer */
};

static bool take_server(void *context, const struct other_server *server)
{
    struct others *others = context;
    bool *ran = &others->engine->follow.ran[server->id];

    others->count++;
    if (server->runs && server->up_s > others->up_s)
        others->up_s = server->up_s;
    if (server->work_mark > others->mark)
        others->mark = server->work_mark;
    if (server->looks_restored > others->looks_restored)
        others->looks_restored = server->looks_restored;
    others->has_gone = others->has_gone || (*ran && !server->runs);
    if (*ran != server->runs)
        LOG(LOG_INFO, server->runs ? "server.joined" : "server.gone", LOG_N("server", server->id));
    *ran = server->runs;
    return true;
}

/* ---------------------------------------------------------------------------------------- entries
 */

/* What a page of entries means, each once. */
struct news {
    size_t rows;
    int64_t last; /* entry */
    bool is_published;
    bool has_units[STORE_SERVERS_MAX + 1]; /* by the server whose block they are of */
    bool has_all_batches;                  /* more than there is room for */
    int64_t batches[FOLLOW_BATCHES_MAX];
    size_t batch_count;
    int64_t opened[FOLLOW_UNITS_MAX];
    size_t opened_count;
};

static void add_batch(struct news *news, int64_t batch)
{
    for (size_t i = 0; i < news->batch_count; i++)
        if (news->batches[i] == batch)
            return;
    if (news->batch_count == FOLLOW_BATCHES_MAX)
        news->has_all_batches = true;
    else
        news->batches[news->batch_count++] = batch;
}

static bool take_entry(void *context, const struct other_entry *entry)
{
    struct news *news = context;

    if (entry->kind == JOURNAL_UNIT_REOPENED && news->opened_count == FOLLOW_UNITS_MAX)
        return false;
    news->rows++;
    news->last = entry->seq;
    switch (entry->kind) {
    case JOURNAL_UNIT_REOPENED:
        news->opened[news->opened_count++] = entry->subject;
        break;
    case JOURNAL_BATCH_UNITS:
        news->has_units[entry->server] = true;
        add_batch(news, entry->subject);
        break;
    case JOURNAL_BATCH_STATE:
    case JOURNAL_BATCH_PRIORITY:
        add_batch(news, entry->subject);
        break;
    default:
        news->is_published = true;
    }
    return true;
}

static bool show_batch(void *context, const struct batch_view *view)
{
    struct engine *engine = context;

    queue_put_batch(engine->queue, &view->row);
    return true;
}

static enum status learn_batches(struct engine *engine, const struct news *news, struct error *err)
{
    const struct query_ops *query = engine->store->query;

    if (news->has_all_batches)
        return engine_load_batches(engine, err);
    for (size_t i = 0; i < news->batch_count; i++)
        TRY(query->batch(engine->store, news->batches[i], show_batch, engine, err));
    return STATUS_OK;
}

static bool has_any_units(const struct news *news)
{
    for (int64_t i = 1; i <= STORE_SERVERS_MAX; i++)
        if (news->has_units[i])
            return true;
    return false;
}

/* The cycle changes nothing; the queue learns what it loaded. */
static enum status load_opened(struct cycle *cycle, void *context, struct error *err)
{
    const struct news *news = context;
    const struct work_request request = {.units = news->opened, .unit_count = news->opened_count};

    return cycle_load(cycle, &request, err);
}

static enum status learn(struct engine *engine, struct news *news, struct error *err)
{
    if (news->is_published)
        TRY(publications_reload(engine, err));
    TRY(learn_batches(engine, news, err));
    if (has_any_units(news))
        TRY(publications_learn_signers(engine, err));
    for (int64_t i = 1; i <= STORE_SERVERS_MAX; i++)
        if (news->has_units[i])
            TRY(engine_load_ready(engine,
                                  engine->follow.last_unit[i - 1] > 0
                                      ? engine->follow.last_unit[i - 1]
                                      : (i - 1) << 40,
                                  (i << 40) - 1, err));
    return STATUS_OK;
}

static enum status read_page(struct engine *engine, bool *ret_is_last, struct error *err)
{
    const struct query_ops *query = engine->store->query;
    struct news news = {0};
    const struct cycle_work work = {.run = load_opened, .context = &news};
    int64_t newest = 0;

    TRY(query->other_entries(engine->store, engine->follow.cursor, PAGE, take_entry, &news, &newest,
                             err));
    TRY(learn(engine, &news, err));
    if (news.opened_count > 0)
        TRY(cycle_do(engine, &work, NULL, err));
    *ret_is_last = news.rows < PAGE && news.opened_count < FOLLOW_UNITS_MAX;
    engine->follow.cursor = *ret_is_last ? newest : news.last;
    return STATUS_OK;
}

static enum status change_nothing(struct cycle *cycle, void *context, struct error *err)
{
    (void)cycle;
    (void)context;
    (void)err;
    return STATUS_OK;
}

/* Whoever is blocked is found out when its token is looked up anew. And every cycle says how far
 * this server's up-time is: with others about, one has to be now and then. */
static enum status now_and_then(struct engine *engine, int64_t now_mono_ms, struct error *err)
{
    const struct cycle_work work = {.run = change_nothing};

    if (now_mono_ms < engine->follow.forget_at_mono_ms)
        return STATUS_OK;
    published_forget_credentials(engine->published);
    TRY(cycle_do(engine, &work, NULL, err));
    engine->follow.forget_at_mono_ms = now_mono_ms + FOLLOW_FORGET_MS;
    return STATUS_OK;
}

enum status follow_others(struct engine *engine, struct error *err)
{
    struct others others = {.engine = engine};
    int64_t now_mono_ms = engine->env->now_mono_ms(engine->env);
    bool is_last = true;

    if (now_mono_ms < engine->follow.at_mono_ms)
        return STATUS_OK;
    TRY(engine->store->query->other_servers(engine->store, take_server, &others, err));
    if (others.count > 0) {
        clock_catch_up(&engine->clock, others.up_s);
        TRY(now_and_then(engine, now_mono_ms, err));
        TRY(read_page(engine, &is_last, err));
        hails_note_others(engine);
        hails_hear(engine, others.mark);
        rollbacks_hear(engine, others.looks_restored);
    }
    if (others.has_gone)
        TRY(engine_load_hints(engine, err));
    engine->follow.at_mono_ms = is_last ? now_mono_ms + FOLLOW_EVERY_MS : now_mono_ms;
    return STATUS_OK;
}
