#include "server/api/told.h"

#include "common/base/log.h"

/* One of several threads, and none before it is time. */
static bool may_log(struct told *told, int64_t now_mono_ms)
{
    long long at = atomic_load(&told->log_at_ms);

    return now_mono_ms >= at &&
           atomic_compare_exchange_strong(&told->log_at_ms, &at, now_mono_ms + TOLD_LOG_MS);
}

void told_take(struct told *told, int64_t host, const struct scheduler_request *request,
               int64_t now_mono_ms)
{
    const struct refused_thing *first = &request->refused[0];
    int64_t count = (int64_t)request->refused_count;

    if (count == 0)
        return;
    for (int64_t i = 0; i < count; i++)
        atomic_fetch_add(&told->counts[request->refused[i].what - 1][request->refused[i].refusal],
                         1);
    if (!may_log(told, now_mono_ms)) {
        atomic_fetch_add(&told->unlogged, count);
        return;
    }
    LOG(LOG_WARN, "offer.refused", LOG_N("host", host),
        LOG_S("what", refused_kind_name(first->what)),
        LOG_S("refusal", refusal_code(first->refusal)),
        LOG_S("digest", digest_format(&first->digest).text), LOG_N("more", count - 1),
        LOG_N("unlogged", atomic_exchange(&told->unlogged, 0)));
}

int64_t told_count(const struct told *told, enum refused_kind what, enum refusal refusal)
{
    return atomic_load(&told->counts[what - 1][refusal]);
}
