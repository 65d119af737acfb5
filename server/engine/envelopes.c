/*
 * The answer to a visit after the commit: the envelopes of what it grants, which are stored once
 * and not with every answer, and what the engine remembers of the host.
 */
#include <stdlib.h>

#include "common/base/text.h"
#include "db/query.h"
#include "server/engine/visit.h"

#define ENVELOPES_MAX_BYTES (6 * 1024 * 1024) /* of SCHEDULER_REPLY_MAX; the rest is for lists */

struct filling {
    struct store *store;
    const struct scheduler_request *request;
    struct scheduler_reply *reply;
    size_t envelope_bytes;
};

static bool take_envelope(void *context, int64_t id, struct span envelope)
{
    struct filling *filling = context;

    if (filling->envelope_bytes + envelope.length > ENVELOPES_MAX_BYTES)
        return true; /* not answered: lost, so it comes with the next visit */
    for (size_t i = 0; i < filling->reply->grant_count; i++) {
        struct scheduler_grant *grant = &filling->reply->grants[i];

        if (TASK_UNIT(grant->task) != id)
            continue;
        grant->unit = text_copy_n(envelope.bytes, envelope.length);
        filling->envelope_bytes += envelope.length;
    }
    return true;
}

static void drop_unsent_grants(struct scheduler_reply *reply)
{
    size_t kept = 0;

    for (size_t i = 0; i < reply->grant_count; i++)
        if (reply->grants[i].unit != NULL)
            reply->grants[kept++] = reply->grants[i];
    reply->grant_count = kept;
}

static enum status add_units(struct filling *filling, struct error *err)
{
    int64_t units[SCHEDULER_WANT_MAX];

    for (size_t i = 0; i < filling->reply->grant_count; i++)
        units[i] = TASK_UNIT(filling->reply->grants[i].task);
    TRY(filling->store->query->unit_envelopes(filling->store, units, filling->reply->grant_count,
                                              take_envelope, filling, err));
    drop_unsent_grants(filling->reply);
    return STATUS_OK;
}

static bool is_among(const struct digest *digest, const struct digest *digests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (digest_equals(digest, &digests[i]))
            return true;
    return false;
}

static bool take_app_envelope(void *context, const struct digest *digest, struct span envelope)
{
    struct filling *filling = context;
    CLEANUP(freep) char *text = text_copy_n(envelope.bytes, envelope.length);

    (void)digest;
    texts_add(&filling->reply->envelopes, text);
    return true;
}

static enum status add_apps(struct filling *filling, struct error *err)
{
    const struct scheduler_request *request = filling->request;
    struct digest wanted[SCHEDULER_ENVELOPES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < filling->reply->grant_count; i++) {
        const struct scheduler_grant *grant = &filling->reply->grants[i];

        if (!is_among(&grant->app_version, request->have_app_versions.digests,
                      request->have_app_versions.count) &&
            !is_among(&grant->app_version, wanted, count))
            wanted[count++] = grant->app_version;
        if (!is_among(&grant->variant, request->have_variants.digests,
                      request->have_variants.count) &&
            !is_among(&grant->variant, wanted, count))
            wanted[count++] = grant->variant;
    }
    if (count == 0)
        return STATUS_OK;
    return filling->store->query->app_envelopes(filling->store, wanted, count, take_app_envelope,
                                                filling, err);
}

static enum status add_envelopes(struct filling *filling, struct error *err)
{
    if (filling->reply->grant_count == 0)
        return STATUS_OK;
    TRY(add_units(filling, err));
    return add_apps(filling, err);
}

/* To be marked as told when the host comes again with a higher number. */
static void remember_told(const struct scheduler_reply *reply, struct host_hint *hint)
{
    free(hint->told);
    hint->told = must_alloc(reply->verdict_count, sizeof *hint->told);
    hint->told_count = reply->verdict_count;
    hint->told_visit = reply->visit;
    for (size_t i = 0; i < reply->verdict_count; i++)
        hint->told[i] = reply->verdicts[i].task;
}

enum status visit_answer(struct cycle *cycle, const struct visit_state *state, struct error *err)
{
    struct filling filling = {.store = cycle->engine->store,
                              .request = state->visit->request,
                              .reply = state->visit->reply};
    struct host_hint *hint = host_hints_get(&cycle->engine->hosts, state->visit->host);
    enum status status;

    remember_told(filling.reply, hint);
    if (state->is_new)
        hint->empty_visits = visit_came_in_vain(state) ? hint->empty_visits + 1 : 0;
    status = add_envelopes(&filling, err);
    if (status != STATUS_OK)
        scheduler_reply_clear(filling.reply);
    return status;
}
