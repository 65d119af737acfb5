#include "server/engine/rollbacks.h"

#include "common/base/log.h"

/* All that its visits name was loaded, and no task is ever removed. */
static bool is_unknown(const struct work_set *set, int64_t task)
{
    struct task *ignored;

    return work_unit_of_task(set, task, &ignored) == NULL;
}

static bool names_unknown(const struct work_set *set, const struct scheduler_request *request)
{
    for (size_t i = 0; i < request->visit.finished_count; i++)
        if (is_unknown(set, request->visit.finished[i].task))
            return true;
    for (size_t i = 0; i < request->held_count; i++)
        if (is_unknown(set, request->held[i].task))
            return true;
    return false;
}

/* An older one, which somebody in between or another server showed, is not the site's newest. */
static bool is_newest(const struct trust *trust, const struct refused_thing *thing)
{
    if (thing->refusal == REFUSAL_KEYRING_ROLLBACK)
        return digest_equals(&thing->digest, &trust->keyring_envelope.digest);
    return thing->refusal == REFUSAL_FRESHNESS_ROLLBACK && trust->has_freshness &&
           digest_equals(&thing->digest, &trust->freshness_envelope.digest);
}

static bool refuses_newest(const struct trust *trust, const struct scheduler_request *request)
{
    for (size_t i = 0; i < request->refused_count; i++)
        if (is_newest(trust, &request->refused[i]))
            return true;
    return false;
}

enum rollback_sign rollbacks_sign(const struct cycle *cycle, const struct visit_state *state,
                                  const struct host *host)
{
    const struct scheduler_request *request = state->visit->request;
    const struct rollback_facts facts = {
        .now_s = cycle->clock.now_s,
        .restored_s = cycle->engine->site.restored_s,
        .visit = request->visit.number,
        .last_visit = host->visit,
        .last_s = host->seen_s,
        .names_unknown_task = names_unknown(&cycle->set, request),
        .refuses_newest = refuses_newest(&cycle->engine->trust, request),
    };

    return rollback_sign_of(&facts);
}

void rollbacks_note(struct cycle *cycle, const struct visit_state *state)
{
    struct engine *engine = cycle->engine;
    const struct host *host;

    if (!state->is_new || state->rollback == ROLLBACK_NONE)
        return;
    host = work_host(&cycle->set, state->visit->host);
    rollback_note(&engine->rollback, host->volunteer, cycle->clock.up_s);
    engine->rollback_sign = state->rollback;
    engine->rollback_host = host->id;
}

static bool is_kept(const struct engine *engine)
{
    return engine->site.looks_restored == engine->site.incarnation;
}

/* A cycle saves what the engine has of the site. */
static enum status keep(struct cycle *cycle, void *context, struct error *err)
{
    (void)context;
    (void)err;
    cycle->engine->site.looks_restored = cycle->engine->site.incarnation;
    return STATUS_OK;
}

/* At once: each host shows it once, for then this site knows its number. */
enum status rollbacks_keep(struct engine *engine, int64_t up_s, struct error *err)
{
    const struct cycle_work work = {.run = keep};

    if (is_kept(engine) || !rollback_is_likely(&engine->rollback, up_s))
        return STATUS_OK;
    return cycle_do(engine, &work, NULL, err);
}

void rollbacks_hear(struct engine *engine, int64_t looks_restored)
{
    if (looks_restored > engine->site.looks_restored)
        engine->site.looks_restored = looks_restored; /* stored with the next commit */
}

void rollbacks_say(struct engine *engine)
{
    int64_t up_s = clock_read(&engine->clock).up_s;

    engine->counts.looks_restored_now =
        is_kept(engine) || rollback_is_likely(&engine->rollback, up_s);
    if (rollback_say(&engine->rollback, is_kept(engine), up_s))
        LOG(LOG_ERROR, "site.looks-restored",
            LOG_S("why", "hosts of several volunteers know more than this site: it was put back "
                         "from an older copy. If so, stop it (each server), give 'dugnad-server "
                         "restore DIR' once, run it, then 'dugnad key publish'; see \"Back-up and "
                         "restore\" in docs/OPERATIONS.md"),
            LOG_S("last_sign", rollback_sign_name(engine->rollback_sign)),
            LOG_N("last_host", engine->rollback_host));
}
