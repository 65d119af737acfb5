/*
 * Where a task of this client is in its life. Stored by name; the order is that of life.
 *
 *   offered ─► fetching ─► ready ─► running ─► collecting ─► finished ─► reported ─► stored ─► gone
 *      └───────────┴─────────┴─────────┴───────────┴─────────────┘ refused, failed, abandoned
 *
 * A task that was running when its client died is verified and run again. One that the server drops
 * before it finished is gone at once; a finished one is kept as if stored (I9).
 */
#ifndef CLIENT_AGENT_PHASE_H
#define CLIENT_AGENT_PHASE_H

#include <stdbool.h>

/*  X(symbol, name)  */
#define PHASE_TABLE(X)                                                                             \
    X(OFFERED, "offered")       /* granted; nothing is verified or fetched */                      \
    X(FETCHING, "fetching")     /* verified; its files are on the way */                           \
    X(READY, "ready")           /* all its files are in the cache */                               \
    X(RUNNING, "running")       /* it has a slot */                                                \
    X(COLLECTING, "collecting") /* it ended; its outputs are on the way to the spool */            \
    X(FINISHED, "finished")     /* with an outcome, durably; not reported */                       \
    X(REPORTED, "reported")     /* the server knows the outcome, and may want bodies */            \
    X(STORED, "stored")         /* the server needs nothing more; kept for the grace */

enum phase {
#define X(symbol, name) PHASE_##symbol,
    PHASE_TABLE(X)
#undef X
        PHASE_COUNT,
};

const char *phase_name(enum phase phase);

/* The phase of this name; PHASE_COUNT: none. */
enum phase phase_from_name(const char *name);

/* May a task go from one phase to the other? Staying is no step. */
bool phase_may_follow(enum phase from, enum phase to);

/* It has yet to be computed. */
bool phase_is_unfinished(enum phase phase);

/* What a restart makes of it: whatever is unfinished is verified and looked up again. */
enum phase phase_after_restart(enum phase phase);

#endif
