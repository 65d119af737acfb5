#include "server/engine/cycle.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "server/engine/gathering.h"
#include "server/engine/merge.h"
#include "server/engine/tails.h"
#include "server/engine/timing.h"
#include "server/policy/quorum.h"

static void *grown(void *items, size_t count, size_t size)
{
    void *larger = reallocarray(items, count, size);

    if (larger == NULL)
        abort();
    return larger;
}

void cycle_deliver(struct cycle *cycle, struct cycle_delivery delivery)
{
    cycle->deliveries =
        grown(cycle->deliveries, cycle->delivery_count + 1, sizeof *cycle->deliveries);
    cycle->deliveries[cycle->delivery_count++] = delivery;
}

void cycle_hint(struct cycle *cycle, struct deadline_hint hint)
{
    cycle->hints = grown(cycle->hints, cycle->hint_count + 1, sizeof *cycle->hints);
    cycle->hints[cycle->hint_count++] = hint;
}

const char *cycle_keep_text(struct cycle *cycle, const char *text)
{
    texts_add(&cycle->texts, text);
    return cycle->texts.texts[cycle->texts.count - 1];
}

void cycle_note(struct cycle *cycle, enum journal_kind kind, int64_t subject, int64_t detail)
{
    work_add_journal(&cycle->set, (struct journal_entry){.time_s = cycle->clock.now_s,
                                                         .kind = kind,
                                                         .subject = subject,
                                                         .detail = detail});
}

static void cycle_clear(struct cycle *cycle)
{
    work_set_clear(&cycle->set);
    texts_clear(&cycle->texts);
    free(cycle->holdings);
    free(cycle->deliveries);
    free(cycle->hints);
}

static enum status need_apps(struct cycle *cycle, struct error *err)
{
    for (size_t i = 0; i < cycle->set.unit_count; i++)
        TRY(apps_need(&cycle->engine->apps, cycle->engine->store, cycle->set.units[i].app_version,
                      err));
    return STATUS_OK;
}

enum status cycle_load(struct cycle *cycle, const struct work_request *request, struct error *err)
{
    struct store *store = cycle->engine->store;
    CLEANUP(work_set_clear) struct work_set more = {0};

    TRY(store->work->load(store, request, &more, err));
    if (cycle->set.unit_count == 0 && cycle->set.host_count == 0 && cycle->set.batch_count == 0) {
        struct work_set empty = cycle->set;

        assert(cycle->set.journal_count == 0 && cycle->set.visit_count == 0);
        cycle->set = more;
        more = empty;
    } else {
        work_merge(&cycle->set, &more);
    }
    return need_apps(cycle, err);
}

enum status cycle_load_holders(struct cycle *cycle, const int64_t *units, size_t count,
                               struct error *err)
{
    CLEANUP(gathering_clear) struct gathering hosts = {0};
    struct work_request request;

    for (size_t i = 0; i < count; i++) {
        const struct unit *unit = work_unit(&cycle->set, units[i]);

        for (size_t j = 0; unit != NULL && j < unit->task_count; j++)
            if (work_host(&cycle->set, unit->tasks[j].at_dispatch.host) == NULL)
                id_list_add(&hosts.hosts, unit->tasks[j].at_dispatch.host);
    }
    request = gathering_request(&hosts);
    return request.host_count > 0 ? cycle_load(cycle, &request, err) : STATUS_OK;
}

static int compare_holdings(const void *a, const void *b)
{
    const struct cycle_holding *x = a, *y = b;

    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    return x->task < y->task ? -1 : x->task > y->task;
}

void cycle_index(struct cycle *cycle)
{
    size_t count = 0;

    for (size_t i = 0; i < cycle->set.unit_count; i++)
        count += cycle->set.units[i].task_count;
    free(cycle->holdings);
    cycle->holdings = must_alloc(count, sizeof *cycle->holdings);
    cycle->holding_count = 0;
    for (size_t i = 0; i < cycle->set.unit_count; i++) {
        const struct unit *unit = &cycle->set.units[i];

        for (size_t j = 0; j < unit->task_count; j++)
            cycle->holdings[cycle->holding_count++] = (struct cycle_holding){
                .host = unit->tasks[j].at_dispatch.host, .task = unit->tasks[j].id};
    }
    qsort(cycle->holdings, cycle->holding_count, sizeof *cycle->holdings, compare_holdings);
}

const struct cycle_holding *cycle_holdings(const struct cycle *cycle, int64_t host,
                                           size_t *ret_count)
{
    size_t low = 0, high = cycle->holding_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cycle->holdings[middle].host < host)
            low = middle + 1;
        else
            high = middle;
    }
    while (high < cycle->holding_count && cycle->holdings[high].host == host)
        high++;
    *ret_count = high - low;
    return &cycle->holdings[low];
}

enum status cycle_check_file(const struct cycle *cycle, const struct digest *digest,
                             struct error *err)
{
    const struct engine_config *config = &cycle->engine->config;

    if (config->has_file == NULL || config->has_file(config->files, digest))
        return STATUS_OK;
    (void)error_set(err, STATUS_BUSY, "this file was just being removed; send it again");
    error_retry_after(err, 1);
    return STATUS_BUSY;
}

/* Before the save: an acceptance in it takes over what keeps the files. */
static enum status write_deliveries(struct cycle *cycle, struct error *err)
{
    struct store *store = cycle->engine->store;
    bool is_new;

    for (size_t i = 0; i < cycle->delivery_count; i++) {
        const struct cycle_delivery *delivery = &cycle->deliveries[i];

        TRY(store->publish->file_add(store, &delivery->file, &is_new, err));
        TRY(store->publish->file_refer(store, &delivery->file.digest, FILE_REPORT, delivery->task,
                                       err));
    }
    return STATUS_OK;
}

/* New hosts get their ids from the save; only then the journal can name them. */
static enum status save(struct cycle *cycle, struct error *err)
{
    const struct work_ops *work = cycle->engine->store->work;
    struct work_set *set = &cycle->set;
    size_t known = set->host_count;

    while (known > 0 && set->hosts[known - 1].id == 0)
        known--;
    TRY(work->save(cycle->engine->store, set, err));
    if (known == set->host_count)
        return STATUS_OK;
    for (size_t i = known; i < set->host_count; i++)
        cycle_note(cycle, JOURNAL_HOST_ENROLLED, set->hosts[i].id, set->hosts[i].volunteer);
    return work->save(cycle->engine->store, set, err);
}

/* With every commit the site remembers how late it is: after a crash, up-time goes on from there.
 */
static enum status write_time(struct cycle *cycle, struct site *ret_site, struct error *err)
{
    struct engine *engine = cycle->engine;

    *ret_site = engine->site;
    clock_write(&engine->clock, ret_site);
    return engine->store->publish->site_save(engine->store, ret_site, err);
}

/* The queue learns what a decision was made from: of every loaded unit, changed or not. */
static void teach_queue(struct cycle *cycle)
{
    struct queue *queue = cycle->engine->queue;

    for (size_t i = 0; i < cycle->set.batch_count; i++)
        queue_put_batch(queue, &cycle->set.batches[i]);
    for (size_t i = 0; i < cycle->set.unit_count; i++) {
        const struct unit *unit = &cycle->set.units[i];
        struct queue_unit facts = {.hint = {.unit = unit->id,
                                            .batch = unit->batch,
                                            .app_version = unit->app_version,
                                            .copies_wanted = unit->copies_wanted,
                                            .memory_bytes = unit->memory_bytes,
                                            .disk_bytes = unit_room_bytes(unit),
                                            .not_before_s = unit->not_before_s,
                                            .not_after_s = unit->not_after_s,
                                            .signer = unit->signer},
                                   .independence = unit->rule.independence};

        if (unit->state != UNIT_OPEN)
            facts.hint.copies_wanted = 0;
        (void)text_fit(facts.hint.class_name, sizeof facts.hint.class_name, unit->pinned_class);
        (void)text_fit(facts.hint.classes, sizeof facts.hint.classes, unit->classes);
        (void)text_fit(facts.hint.platforms, sizeof facts.hint.platforms, unit->platforms);
        for (size_t j = unit->task_count; j > 0 && facts.holder_count < QUEUE_HOLDERS_MAX; j--)
            if (!quorum_is_unstarted(unit, j - 1))
                facts.holders[facts.holder_count++] =
                    identity_named(&unit->tasks[j - 1].now, unit->rule.independence);
        queue_put(queue, &facts);
    }
}

static void add_counts(struct engine *engine, const struct engine_counts *counts)
{
    engine->counts.cycles++;
    engine->counts.visits_repeated += counts->visits_repeated;
    engine->counts.clones += counts->clones;
    engine->counts.tasks_sent += counts->tasks_sent;
    engine->counts.tasks_reported += counts->tasks_reported;
    engine->counts.tasks_failed += counts->tasks_failed;
    engine->counts.tasks_overdue += counts->tasks_overdue;
    engine->counts.tasks_resent += counts->tasks_resent;
    engine->counts.tasks_moved += counts->tasks_moved;
    engine->counts.tasks_moved_back += counts->tasks_moved_back;
    engine->counts.last_copies += counts->last_copies;
    engine->counts.units_accepted += counts->units_accepted;
    engine->counts.units_failed += counts->units_failed;
    engine->counts.credit += counts->credit;
    engine->counts.candidates_examined += counts->candidates_examined;
}

static void learn(struct cycle *cycle)
{
    teach_queue(cycle);
    timing_teach(cycle);
    tails_learn(cycle);
    for (size_t i = 0; i < cycle->hint_count; i++)
        deadlines_add(&cycle->engine->deadlines, cycle->hints[i]);
    add_counts(cycle->engine, &cycle->counts);
}

static enum status try_once(struct engine *engine, const struct cycle_work *work,
                            void (*finished)(struct cycle *cycle, void *context), struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    CLEANUP(cycle_clear)
    struct cycle cycle = {.engine = engine, .clock = clock_read(&engine->clock)};
    struct site site;

    engine->cycle_serial++;
    TRY(txn_begin(&txn, engine->store, err));
    TRY(work->run(&cycle, work->context, err));
    TRY(write_deliveries(&cycle, err));
    TRY(save(&cycle, err));
    TRY(write_time(&cycle, &site, err));
    TRY(txn_commit(&txn, err));
    engine->site = site;
    learn(&cycle);
    if (finished != NULL)
        finished(&cycle, work->context);
    return STATUS_OK;
}

/* Other failures are the commands' own, or go away by themselves. */
static void note_outcome(struct engine *engine, enum status status)
{
    int64_t now_mono_ms = engine->env->now_mono_ms(engine->env);

    (void)pthread_mutex_lock(&engine->lock);
    if (status == STATUS_OK)
        engine->fitness.committed_mono_ms = now_mono_ms;
    if (status == STATUS_OK || status == STATUS_STORAGE || status == STATUS_FULL)
        engine->fitness.is_failing = status != STATUS_OK;
    if (status == STATUS_FULL)
        engine->fitness.full_mono_ms = now_mono_ms;
    (void)pthread_mutex_unlock(&engine->lock);
}

enum status cycle_do(struct engine *engine, const struct cycle_work *work,
                     void (*finished)(struct cycle *cycle, void *context), struct error *err)
{
    enum status status = STATUS_CONFLICT;

    for (int i = 0; i < ENGINE_ATTEMPTS_MAX && status == STATUS_CONFLICT; i++) {
        engine->counts.cycle_conflicts += i > 0;
        status = try_once(engine, work, finished, err);
    }
    if (status == STATUS_CONFLICT) {
        status = error_set(err, STATUS_BUSY, "others change the same work; try again");
        error_retry_after(err, 1);
    }
    engine->counts.cycle_failures += status != STATUS_OK;
    note_outcome(engine, status);
    return status;
}
