/* What an engine consists of, for the files of this folder. */
#ifndef SERVER_ENGINE_STATE_H
#define SERVER_ENGINE_STATE_H

#include <pthread.h>

#include "db/publish.h"
#include "db/work.h"
#include "server/engine/apps.h"
#include "server/engine/chance.h"
#include "server/engine/clock.h"
#include "server/engine/deadlines.h"
#include "server/engine/engine.h"
#include "server/engine/follow.h"
#include "server/engine/host_hints.h"
#include "server/engine/map.h"
#include "server/engine/paces.h"
#include "server/engine/queue.h"
#include "server/policy/fitness.h"
#include "server/policy/hailing.h"
#include "server/policy/rollback.h"
#include "work-units/trust.h"

#define ENGINE_ATTEMPTS_MAX 5   /* runs of a cycle that other writers make void */
#define ENGINE_SLICE        256 /* units that one step changes of what takes many */

/* What was begun with a batch and goes on slice by slice. */
struct act {
    int64_t batch;
    enum batch_action action; /* ACTION_CANCEL, ACTION_RETRY or ACTION_AGAIN */
    int64_t after;            /* unit */
};

/* New hosts of an address prefix, or of an account, in this hour. */
struct enrolment_count {
    char who[PREFIX_MAX + 1];
    int64_t count;
};
#define ENROLMENT_COUNTS_MAX 4096

/* A unit that has copies for the sake of its batch's end, as far as this server remembers. */
struct tail {
    int64_t unit, batch;
    int64_t alive; /* such copies */
    int64_t begins_up_ms,
        ends_up_ms;             /* of the task that it waited for when the last was made ... */
    int64_t spared_until_up_ms; /* ... which is left to the fastest hosts so long */
    int64_t length_ms;          /* of it on a host of speed one, as told; 0: not known */
    int64_t due_up_ms;          /* its batch would be done then, by tail_end_ms() */
    bool is_lost;               /* ... and is in place of one that will not be reported */
};

/* The same by batch. */
struct tail_count {
    int64_t alive, made, lost; /* as in struct tail_batch */
};

/* When all that waits could be done, were it all as long: as found then, of the up-time clock. */
#define HORIZONS_MAX 4 /* lengths */
struct horizon {
    int64_t found_up_s, until_up_s; /* then it is found anew; 0: not found */
    int64_t copies, length_ms;
    int64_t in_ms; /* from found_up_s; HORIZON_NEVER */
};

#define TAILS_MAX 65536 /* units, or batches; then all are forgotten */
struct tails {
    struct map units;   /* owned struct tails */
    struct map batches; /* owned struct tail_counts */
    int64_t alive;      /* of all of them */
    int64_t slow;       /* hosts of less speed get none of these copies */
};

struct engine {
    struct store *store; /* borrowed, as are env and what the configuration points to */
    struct env *env;
    struct engine_config config;

    struct chance chance;
    struct queue *queue;
    struct deadlines deadlines;
    struct host_hints hosts;
    struct paces paces, usual_paces;
    struct apps apps;

    struct site site;
    struct clock clock;
    struct trust trust;    /* zeroed before the first keyring */
    uint32_t trust_serial; /* 1..; another one whenever it changes */
    struct published_stops stops;
    struct published_facts *published;
    size_t signer_sets_shown; /* of the trust's, there */

    struct act *acts;
    size_t act_count;
    bool has_revoked;      /* units may be left that a freshness revoked ... */
    int64_t revoked_after; /* ... from after this one on */
    bool has_expired;      /* units may be left whose validity ended */
    struct follow follow;
    struct tails tails;
    struct horizon horizons[HORIZONS_MAX];
    struct hailing hailing;
    struct rollback rollback;
    enum rollback_sign rollback_sign; /* the last that was shown ... */
    int64_t rollback_host;            /* ... and by which host */
    uint64_t seen_news;               /* of the queue's */
    int64_t up_since_s;               /* when this engine was opened, by the up-time clock */
    int64_t moves_up_s; /* when copies to be moved were looked for, of the up-time clock ... */
    int64_t movable;    /* ... and how many there were */
    size_t silences_at; /* of the deadlines' hints: where the next look for silent hosts begins */
    bool has_looked_for_silent; /* since it was opened */
    int64_t silences_up_s;      /* when the last one was, of the up-time clock */
    bool has_failed;            /* to do any of that; waits for the next tick */
    int64_t notices_until_s;    /* when the first of the published notices ends; 0: none is there */

    struct enrolment_count *enrolments; /* ENROLMENT_COUNTS_MAX */
    size_t enrolment_count;
    int64_t enrolment_hour; /* that they count */

    uint32_t cycle_serial;
    uint32_t visit_serial;

    pthread_mutex_t lock; /* over what other threads read: */
    struct engine_counts seen_counts;
    struct engine_clock seen_clock;
    struct fitness_facts fitness;

    struct engine_counts counts; /* the engine's own copy of them */
};

/* Read hints from the store: all there are; all batches; ready units of ids from after `after` to
 * `last`. What is known already is known better. */
enum status engine_load_hints(struct engine *engine, struct error *err) MUST_USE;
enum status engine_load_batches(struct engine *engine, struct error *err) MUST_USE;
enum status engine_load_ready(struct engine *engine, int64_t after, int64_t last, struct error *err)
    MUST_USE;

/* Let other threads see the counts and the clock as they are now. */
void engine_show(struct engine *engine);

#endif
