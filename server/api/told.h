/*
 * What clients tell that they refused of what this site offers (protocol/refused.h): counted for
 * GET /metrics, and logged. One honest client that says so is worth a look; any host may lie, so
 * nothing else comes of it, and the log gets no more than a line in TOLD_LOG_MS.
 */
#ifndef SERVER_API_TOLD_H
#define SERVER_API_TOLD_H

#include <stdatomic.h>

#include "protocol/scheduler_request.h"

#define TOLD_LOG_MS 10000

/* Zeroed: nothing was told. From any thread. */
struct told {
    atomic_llong counts[REFUSED_KINDS][REFUSAL_COUNT];
    atomic_llong log_at_ms; /* monotonic; no line before */
    atomic_llong unlogged;  /* things told since the last line and not in it */
};

/* By a visit that was not there before. */
void told_take(struct told *told, int64_t host, const struct scheduler_request *request,
               int64_t now_mono_ms);

int64_t told_count(const struct told *told, enum refused_kind what, enum refusal refusal);

#endif
