/* Which units a visit looks at, and which it gets. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "db/query.h"
#include "server/engine/horizons.h"
#include "server/engine/tails.h"
#include "server/engine/timing.h"
#include "server/engine/visit.h"
#include "server/policy/allowance.h"
#include "server/policy/deadline.h"

#define DAY_SECONDS 86400

struct seeker {
    struct cycle *cycle;
    struct match_host host;
};

static struct match_host describe(const struct visit_state *state, const struct host *host)
{
    const struct scheduler_host *facts = &state->visit->request->host;
    struct match_host described = {.prefix = host->is_without_account ? state->visit->prefix : "",
                                   .memory_bytes = facts->memory_bytes,
                                   .disk_bytes = facts->disk_bytes};

    described.identity = (struct identity){
        .host = host->id, .volunteer = host->volunteer, .organisation = host->organisation};
    for (size_t i = 0; i < facts->platforms.count && i < MATCH_PLATFORMS_MAX; i++)
        described.platforms[described.platform_count++] = facts->platforms.texts[i];
    for (size_t i = 0; i < facts->layers.count && i < MATCH_LAYERS_MAX; i++)
        described.layers[described.layer_count++] = facts->layers.texts[i];
    return described;
}

static bool is_app_revoked(const struct engine *engine, const struct app *app)
{
    return engine->trust.has_freshness &&
           freshness_revokes_app_version(&engine->trust.freshness, &app->digest);
}

static struct match_app app_as_it_stands(const struct cycle *cycle, int64_t id)
{
    struct engine *engine = cycle->engine;
    const struct app *app =
        app_judged(&engine->apps, id, &engine->trust, engine->trust_serial, cycle_judged_s(cycle));
    struct match_app match = app->match;

    match.is_revoked = is_app_revoked(engine, app);
    match.is_too_large = app_output_above(&app->version, engine->config.upload_max) != NULL;
    return match;
}

/* In doubt of the clock, what has merely run out counts for nothing. */
static bool is_signed(const struct cycle *cycle, int64_t signer, int64_t not_before_s)
{
    int64_t now_s = cycle_judged_s(cycle);
    const struct trust_moment moment = {.purpose = now_s != 0 ? TRUST_START : TRUST_FINISH,
                                        .now_s = now_s};

    return trust_check_signer(&cycle->engine->trust, signer, not_before_s, &moment) == REFUSAL_NONE;
}

static bool is_unit_revoked(const struct cycle *cycle, const struct unit *unit)
{
    const struct trust *trust = &cycle->engine->trust;
    const struct batch *batch = work_batch(&cycle->set, unit->batch);

    return trust->has_freshness &&
           (freshness_revokes_unit(&trust->freshness, &unit->digest) ||
            (batch != NULL && freshness_revokes_batch(&trust->freshness, &batch->public_id)));
}

/* By a moment at which things may still be finished: what merely ran out is not revoked. */
static bool is_signer_revoked(const struct cycle *cycle, const struct unit *unit)
{
    const struct trust_moment moment = {.purpose = TRUST_FINISH, .now_s = cycle_judged_s(cycle)};

    return trust_check_signer(&cycle->engine->trust, unit->signer, unit->not_before_s, &moment) !=
           REFUSAL_NONE;
}

bool visit_unit_is_revoked(const struct cycle *cycle, const struct unit *unit)
{
    return is_unit_revoked(cycle, unit) || is_signer_revoked(cycle, unit) ||
           app_as_it_stands(cycle, unit->app_version).is_revoked;
}

bool visit_is_taken(const struct cycle *cycle, const struct unit *unit, const struct task *task)
{
    struct match_app app = app_as_it_stands(cycle, unit->app_version);

    if (app.is_revoked || is_unit_revoked(cycle, unit) ||
        !is_signed(cycle, unit->signer, unit->not_before_s))
        return false;
    for (size_t i = 0; i < app.variant_count; i++)
        if (digest_equals(&app.variants[i].digest, &task->variant))
            return !app.is_untrusted && !app.variants[i].is_untrusted;
    return true;
}

/* The bucket as a unit that wants a copy and that nobody has: what would be said to it, holds for
 * all of them. */
static enum match_result judge_bucket(void *context, const struct queue_bucket *bucket)
{
    const struct seeker *seeker = context;
    struct engine *engine = seeker->cycle->engine;
    struct unit probe = {.state = UNIT_OPEN,
                         .copies_wanted = 1,
                         .rule = {.independence = INDEPENDENCE_HOST},
                         .memory_bytes = bucket->least_memory_bytes,
                         .disk_bytes = bucket->least_disk_bytes,
                         .classes = (char *)(uintptr_t)bucket->classes,
                         .platforms = (char *)(uintptr_t)bucket->platforms,
                         .pinned_class = (char *)(uintptr_t)bucket->class_name};
    const struct match_variant *variant = NULL;
    struct match_app match;

    if (apps_need(&engine->apps, engine->store, bucket->app_version, NULL) != STATUS_OK)
        return MATCH_PLATFORM;
    if (!is_signed(seeker->cycle, bucket->signer, INT64_MIN))
        return MATCH_UNSIGNED;
    match = app_as_it_stands(seeker->cycle, bucket->app_version);
    return match_unit(&probe, &seeker->host, &match, 0, &variant);
}

bool visit_draw(struct cycle *cycle, struct visit_state *state, size_t spare)
{
    const struct host *host = work_host(&cycle->set, state->visit->host);
    struct seeker seeker = {.cycle = cycle};
    struct queue_seek seek = {.visit = state->serial,
                              .cycle = cycle->engine->cycle_serial,
                              .spare = spare,
                              .judge = judge_bucket,
                              .context = &seeker};
    enum match_result nearest = state->lack.nearest;
    size_t room = (size_t)share_room(&state->share);

    state->candidate_count = 0;
    if (!state->is_new || state->stop != VISIT_FREE || state->granted >= state->wanted)
        return false;
    seeker.host = describe(state, host);
    seek.identity = seeker.host.identity;
    seek.memory_bytes = seeker.host.memory_bytes;
    seek.disk_bytes = seeker.host.disk_bytes;
    seek.want = state->wanted - state->granted;
    if (seek.want > room && queue_copies(cycle->engine->queue) > 0)
        seek.want = room; /* where nothing waits, the queue says why */
    if (seek.want == 0) {
        state->stop = VISIT_SHARE;
        return false;
    }
    state->candidate_count =
        queue_draw(cycle->engine->queue, &seek, state->candidates, &state->lack);
    if (nearest > state->lack.nearest)
        state->lack.nearest = nearest;
    return state->candidate_count > 0;
}

static bool is_issued(const struct engine *engine, const struct batch *batch)
{
    if (batch == NULL || (batch->state != BATCH_OPEN && batch->state != BATCH_CLOSED))
        return false;
    return !engine->trust.has_freshness ||
           !freshness_revokes_batch(&engine->trust.freshness, &batch->public_id);
}

static enum match_result judge_unit(const struct cycle *cycle, const struct unit *unit,
                                    const struct match_host *host,
                                    const struct match_variant **ret_variant)
{
    const struct engine *engine = cycle->engine;
    struct match_app match;

    if (!is_issued(engine, work_batch(&cycle->set, unit->batch)) || unit_room(unit) == 0)
        return MATCH_NOT_WANTED;
    if (engine->trust.has_freshness &&
        freshness_revokes_unit(&engine->trust.freshness, &unit->digest))
        return MATCH_REVOKED;
    if (!is_signed(cycle, unit->signer, unit->not_before_s))
        return MATCH_UNSIGNED;
    match = app_as_it_stands(cycle, unit->app_version);
    return match_unit(unit, host, &match, cycle_judged_s(cycle), ret_variant);
}

/* The most that the host may have of any app a day. */
static int64_t best_allowance(const struct cycle *cycle, int64_t host)
{
    int64_t best = 0;

    for (size_t i = 0; i < cycle->set.allowance_count; i++)
        if (cycle->set.allowances[i].host == host && cycle->set.allowances[i].per_day > best)
            best = cycle->set.allowances[i].per_day;
    return best;
}

/* Take one task off the host's allowance for the app; false: there is none left. A host without an
 * agreed result of the app, and not proven with another, has one task per slot; tasks of other apps
 * take slots, too. */
static bool use_allowance(struct cycle *cycle, const struct visit_state *state,
                          const struct unit *unit)
{
    int64_t host = state->visit->host, today = cycle->clock.now_s / DAY_SECONDS;
    int64_t slots = visit_slots(cycle, state);
    int64_t out = state->tasks_out + (int64_t)state->granted;
    int64_t first = allowance_first(best_allowance(cycle, host));
    struct allowance *allowance = work_allowance(&cycle->set, host, unit->app_version);
    struct allowance_facts facts = {
        .per_day = allowance->per_day, .day = allowance->day, .used = allowance->used};

    if (facts.per_day == 0)
        facts.per_day = first;
    if (allowance_left(&facts, today, slots, out) < 1)
        return false;
    facts = allowance_after_grant(&facts, today, 1);
    allowance->per_day = facts.per_day;
    allowance->day = facts.day;
    allowance->used = facts.used;
    allowance->is_changed = true;
    return true;
}

/* Is it of the host's share and allowance? Then both have it less; else the visit knows why. */
static bool may_have(struct cycle *cycle, struct visit_state *state, const struct unit *unit)
{
    int64_t task_ms = timing_task_ms(cycle, state->visit->host, state->speed, unit);
    struct share share = state->share;

    if (!tails_let_have(cycle, state, unit, task_ms))
        return false;
    if (horizons_leave(cycle, state, task_ms) || !share_take(&share, task_ms)) {
        state->stop = VISIT_SHARE;
        return false;
    }
    if (!use_allowance(cycle, state, unit)) {
        state->stop = VISIT_ALLOWANCE;
        return false;
    }
    state->share = share;
    return true;
}

/* In doubt only the span counts: when the unit's validity ends cannot be told, and a host that got
 * it is not to be late by a wrong clock. Once the clock is right, validity ends units by itself. */
static struct deadline deadline_for(const struct cycle *cycle, const struct unit *unit)
{
    int64_t not_after_s = cycle->clock.is_in_doubt ? INT64_MAX : unit->not_after_s;

    return deadline_of_task(unit->deadline_span_s, not_after_s, cycle->clock.up_s,
                            cycle->clock.now_s);
}

static void add_task(struct cycle *cycle, const struct visit_state *state, struct unit *unit,
                     const struct match_host *host, const struct match_variant *variant)
{
    struct deadline deadline = deadline_for(cycle, unit);
    size_t place = unit->task_count++;
    struct task *task = &unit->tasks[place];

    *task = (struct task){.id = TASK_ID(unit->id, place),
                          .state = TASK_SENT,
                          .at_dispatch = host->identity,
                          .now = host->identity,
                          .prefix = text_copy(host->prefix),
                          .visit = state->visit->request->visit.number,
                          .variant = variant->digest,
                          .sent_s = cycle->clock.now_s,
                          .deadline_up_s = deadline.up_s,
                          .deadline_s = deadline.wall_s,
                          .is_changed = true};
    unit->is_changed = true;
    if (unit->copies_wanted > 0) { /* none may be: what is kept is welcome all the same */
        unit->extra -=
            unit->extra > 0 && unit->copies_wanted <= unit->extra; /* the needed ones first */
        unit->copies_wanted--;
    }
    if (unit->pinned_class == NULL || *unit->pinned_class == '\0') {
        free(unit->pinned_class);
        unit->pinned_class = text_copy(variant->class_name);
    }
    cycle_note(cycle, JOURNAL_TASK_SENT, task->id, host->identity.host);
    cycle_hint(cycle, (struct deadline_hint){
                          .up_s = task->deadline_up_s, .task = task->id, .unit = unit->id});
    cycle->counts.tasks_sent++;
}

void visit_grant(struct cycle *cycle, struct visit_state *state)
{
    const struct host *host = work_host(&cycle->set, state->visit->host);
    struct match_host described;

    described = describe(state, host);
    tails_sort(cycle, state->candidates, state->candidate_count);
    for (size_t i = 0; i < state->candidate_count && state->granted < state->wanted; i++) {
        struct unit *unit = work_unit(&cycle->set, state->candidates[i]);
        const struct match_variant *variant = NULL;
        enum match_result result;

        cycle->counts.candidates_examined++;
        if (unit == NULL)
            continue;
        result = judge_unit(cycle, unit, &described, &variant);
        if (result > state->lack.nearest)
            state->lack.nearest = result;
        if (result != MATCH_YES)
            continue;
        if (!may_have(cycle, state, unit))
            continue;
        add_task(cycle, state, unit, &described, variant);
        state->granted++;
    }
}

/* ------------------------------------------------------------------- what hosts keep after a
 * restore
 */

bool visit_asks_for_kept(const struct cycle *cycle)
{
    int64_t restored_s = cycle->engine->site.restored_s;

    return restored_s != 0 && cycle->clock.now_s - restored_s < KEPT_WINDOW_S;
}

enum status visit_find_kept(struct cycle *cycle, struct visit_state *state, struct error *err)
{
    const struct scheduler_request *request = state->visit->request;
    struct store *store = cycle->engine->store;
    struct digest digests[SCHEDULER_KEPT_MAX];
    int64_t rows[SCHEDULER_KEPT_MAX];

    state->kept_count = 0;
    if (request->kept_count == 0 || !visit_asks_for_kept(cycle))
        return STATUS_OK;
    for (size_t i = 0; i < request->kept_count; i++)
        digests[i] = request->kept[i].unit;
    TRY(store->query->unit_rows(store, digests, request->kept_count, rows, err));
    for (size_t i = 0; i < request->kept_count; i++) {
        if (rows[i] == 0)
            continue;
        state->kept[state->kept_count].unit = rows[i];
        state->kept[state->kept_count++].former_task = request->kept[i].task;
    }
    return STATUS_OK;
}

void visit_grant_kept(struct cycle *cycle, struct visit_state *state)
{
    const struct host *host = work_host(&cycle->set, state->visit->host);
    struct match_host described;

    if (!state->is_new || state->kept_count == 0)
        return;
    described = describe(state, host);
    for (size_t i = 0; i < state->kept_count; i++) {
        struct unit *unit = work_unit(&cycle->set, state->kept[i].unit);
        const struct match_variant *variant = NULL;
        struct unit probe;

        if (unit == NULL)
            continue;
        probe = *unit; /* shallow: another copy is welcome, for it is there already */
        probe.copies_wanted = 1;
        if (judge_unit(cycle, &probe, &described, &variant) != MATCH_YES)
            continue;
        add_task(cycle, state, unit, &described, variant);
        cycle_note(cycle, JOURNAL_TASK_KEPT, unit->tasks[unit->task_count - 1].id,
                   state->kept[i].former_task);
    }
}
