#include "client/agent/phase.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const names[] = {
#define X(symbol, name) name,
    PHASE_TABLE(X)
#undef X
};

const char *phase_name(enum phase phase)
{
    assert(phase < PHASE_COUNT);
    return names[phase];
}

enum phase phase_from_name(const char *name)
{
    int phase = 0;

    while (phase < PHASE_COUNT && strcmp(names[phase], name) != 0)
        phase++;
    return (enum phase)phase;
}

bool phase_may_follow(enum phase from, enum phase to)
{
    static const unsigned char follows[PHASE_COUNT][PHASE_COUNT] = {
        [PHASE_OFFERED] = {[PHASE_FETCHING] = 1, [PHASE_FINISHED] = 1},
        [PHASE_FETCHING] = {[PHASE_READY] = 1, [PHASE_FINISHED] = 1},
        /* An evicted or damaged file is fetched again. */
        [PHASE_READY] = {[PHASE_FETCHING] = 1, [PHASE_RUNNING] = 1, [PHASE_FINISHED] = 1},
        [PHASE_RUNNING] = {[PHASE_READY] = 1, [PHASE_COLLECTING] = 1, [PHASE_FINISHED] = 1},
        [PHASE_COLLECTING] = {[PHASE_READY] = 1, [PHASE_FINISHED] = 1},
        [PHASE_FINISHED] = {[PHASE_REPORTED] = 1, [PHASE_STORED] = 1},
        /* A server restored from a backup asks again within the grace, for report or bodies. */
        [PHASE_REPORTED] = {[PHASE_STORED] = 1, [PHASE_FINISHED] = 1},
        [PHASE_STORED] = {[PHASE_REPORTED] = 1, [PHASE_FINISHED] = 1},
    };

    return follows[from][to] != 0;
}

bool phase_is_unfinished(enum phase phase)
{
    return phase < PHASE_FINISHED;
}

enum phase phase_after_restart(enum phase phase)
{
    switch (phase) {
    case PHASE_RUNNING:
    case PHASE_COLLECTING:
    case PHASE_READY:
    case PHASE_FETCHING:
        return PHASE_OFFERED;
    default:
        return phase;
    }
}
