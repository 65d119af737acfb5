/* Visits that come again: each gets what its first coming was answered. */
#include "db/query.h"
#include "server/engine/packed_reply.h"
#include "server/engine/visit.h"

struct recalling {
    struct visit_state *visits;
    size_t count;
};

static bool is_repeat(const struct visit_state *state)
{
    return !state->is_new && !state->is_answered;
}

static bool is_recalled(const struct visit_state *state)
{
    return state->visit->reply->visit != 0;
}

/* Damaged: the reply stays empty. */
static void take_packed(const struct visit_state *state, struct span packed)
{
    (void)packed_reply_read(packed, state->visit->reply);
}

/* First and second coming may share a cycle: its answer is not stored yet. */
static void recall_from_cycle(const struct recalling *recalling, const struct visit_state *state)
{
    for (size_t i = 0; i < recalling->count; i++) {
        const struct visit_state *first = &recalling->visits[i];

        if (first->packed != NULL && first->visit->host == state->visit->host &&
            first->visit->request->visit.number == state->visit->request->visit.number)
            take_packed(state, (struct span){first->packed, first->packed_length});
    }
}

static bool take_stored(void *context, int64_t host, struct span packed)
{
    struct recalling *recalling = context;

    for (size_t i = 0; i < recalling->count; i++) {
        const struct visit_state *state = &recalling->visits[i];

        if (is_repeat(state) && !is_recalled(state) && state->visit->host == host)
            take_packed(state, packed);
    }
    return true;
}

/* Another number: another server answered the host's next visit since the host was loaded. */
static enum status judge(struct visit_state *state, struct error *err)
{
    const struct visit_command *visit = state->visit;

    if (!is_recalled(state)) {
        state->is_answered = true;
        state->command->status =
            error_set(&state->command->err, STATUS_STORAGE,
                      "what visit %lld of host %lld was answered is lost or damaged in the "
                      "database: see `dugnad-server check`",
                      (long long)visit->request->visit.number, (long long)visit->host);
        return STATUS_OK;
    }
    if (visit->reply->visit != visit->request->visit.number)
        return error_set(err, STATUS_CONFLICT, "the host visited again meanwhile");
    return STATUS_OK;
}

enum status visit_recall(struct cycle *cycle, struct visit_state *visits, size_t count,
                         struct error *err)
{
    struct recalling recalling = {.visits = visits, .count = count};
    struct store *store = cycle->engine->store;
    int64_t hosts[ENGINE_COMMANDS_MAX];
    size_t host_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_repeat(&visits[i]))
            continue;
        recall_from_cycle(&recalling, &visits[i]);
        if (!is_recalled(&visits[i]))
            hosts[host_count++] = visits[i].visit->host;
    }
    if (host_count > 0)
        TRY(store->query->answers(store, hosts, host_count, take_stored, &recalling, err));
    for (size_t i = 0; i < count; i++)
        if (is_repeat(&visits[i]))
            TRY(judge(&visits[i], err));
    return STATUS_OK;
}
