/* One visit within a cycle: what it reports, what it is granted, what it is answered. */
#ifndef SERVER_ENGINE_VISIT_H
#define SERVER_ENGINE_VISIT_H

#include "protocol/scheduler_reply.h"
#include "protocol/scheduler_request.h"
#include "server/engine/cycle.h"
#include "server/engine/gathering.h"
#include "server/policy/share.h"

#define VISIT_CANDIDATES_MAX (2 * QUEUE_DRAW_MAX)

/* Why a visit got less than it wanted, besides what the queue says. */
enum visit_stop {
    VISIT_FREE = 0,
    VISIT_STOPPED,   /* the site issues nothing: published_stops */
    VISIT_STALE,     /* no fresh freshness */
    VISIT_ALLOWANCE, /* its allowance is used up */
    VISIT_SHARE,     /* it has its share, or what it starts soon */
};

struct visit_state {
    struct command *command;
    struct visit_command *visit; /* of the command */
    uint32_t serial;             /* for queue_draw() */

    bool is_new;                 /* its first coming: else a repeat, or refused */
    enum rollback_sign rollback; /* that it shows, of a new one */
    bool is_answered;            /* with an error: nothing else is to be done */

    int64_t tasks_out; /* that it had before */
    int64_t speed;     /* timing_speed() */
    struct share share;
    bool has_share; /* else it is not counted: it wants nothing */
    size_t wanted;  /* new tasks it may get */
    size_t granted;
    size_t
        kept_count; /* units of which the host keeps a result, and where they are in the request */
    struct {
        int64_t unit;
        int64_t former_task;
    } kept[SCHEDULER_KEPT_MAX];
    enum visit_stop stop;
    struct queue_lack lack;
    int64_t candidates[VISIT_CANDIDATES_MAX];
    size_t candidate_count;
    char *packed; /* owned; what it is answered, as it is stored; NULL: not composed */
    size_t packed_length;
};

void visit_end(struct visit_state *state);

/* May the site issue anything at all, for whomever? VISIT_FREE, VISIT_STOPPED or VISIT_STALE. */
enum visit_stop visit_stop_of_site(const struct engine *engine, const struct engine_clock *clock);

/* How far the host's clock is ahead of ours; 0: near enough, or ours is in doubt itself. */
int64_t visit_clock_off_s(const struct cycle *cycle, const struct visit_state *state);

void visit_begin(struct cycle *cycle, struct visit_state *state, struct command *command);

/* Add what a visit concerns: the host (with its tasks), and the tasks it names. */
void visit_gather(const struct visit_state *state, struct gathering *gathering);

/* After the reports of all visits of the cycle were taken: what each host is for the grid's shares,
 * and, when all are counted, what it may have at most. */
void visit_count(struct cycle *cycle, struct visit_state *state);
void visit_share(struct cycle *cycle, struct visit_state *state);

/* Cores that are believed. */
int64_t visit_slots(const struct cycle *cycle, const struct visit_state *state);

/* After the commit, and the answer: it has what it was granted, and is expected. */
void visit_expect(struct cycle *cycle, const struct visit_state *state);

/* After visit_share(): draw candidates for what it still wants, in place of those before; true:
 * there are some, to be loaded. Those it has seen do not come again. */
bool visit_draw(struct cycle *cycle, struct visit_state *state, size_t spare);

/* Judge number and statement, take reports, mark what the last answer told as told. */
void visit_take(struct cycle *cycle, struct visit_state *state);

/* Was it granted in an answer that did not reach the host? It holds it not, and reports it not. */
bool visit_is_lost(const struct visit_state *state, const struct task *task);

/* Would a host take this task's unit, app and build as they are signed? Keys may have been revoked
 * since it was granted. */
bool visit_is_taken(const struct cycle *cycle, const struct unit *unit, const struct task *task);

/* Does the trust of now revoke the unit: itself, its batch, its app version, or the work key that
 * signed it (which is revoked, retired before, or no longer in the keyring)? Whatever it was that
 * ended the unit. Of a loaded unit. */
bool visit_unit_is_revoked(const struct cycle *cycle, const struct unit *unit);

/*
 * A site that was restored from a copy asks hosts for KEPT_WINDOW_S what they keep (I9), and drops
 * nothing only because it does not know it.
 */
#define KEPT_WINDOW_S (7 * INT64_C(86400))
bool visit_asks_for_kept(const struct cycle *cycle);

/* Look up the units of which the host keeps results; to be loaded then. */
enum status visit_find_kept(struct cycle *cycle, struct visit_state *state, struct error *err);

/*
 * Grant the host anew what it keeps of units that are still open, by all the rules but those of
 * fairness, for nothing is to be computed: whose identity and prefix it was granted to before
 * nobody knows any more, so those of now count (I3).
 */
void visit_grant_kept(struct cycle *cycle, struct visit_state *state);

/* Grant those of the loaded candidates that match. */
void visit_grant(struct cycle *cycle, struct visit_state *state);

/* Did it ask in vain? Who has its share has work. */
bool visit_came_in_vain(const struct visit_state *state);

/* At the end of the cycle's decisions, of a new visit: fill the reply but for its envelopes, and
 * have it stored. */
void visit_compose(struct cycle *cycle, struct visit_state *state);

/* After all are composed: fill the replies of those that repeat a visit with what that was
 * answered, but for the envelopes. One whose answer is damaged is answered with an error.
 * STATUS_CONFLICT: the host was answered at another server meanwhile. */
enum status visit_recall(struct cycle *cycle, struct visit_state *visits, size_t count,
                         struct error *err);

/* After the commit: add the envelopes. Failing leaves the reply cleared; it may be repeated. */
enum status visit_answer(struct cycle *cycle, const struct visit_state *state, struct error *err);

#endif
