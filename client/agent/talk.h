/* What to say to a project's server next, and when. */
#ifndef CLIENT_AGENT_TALK_H
#define CLIENT_AGENT_TALK_H

#include <stdbool.h>
#include <stdint.h>

#define TALK_NEVER   INT64_MAX
#define TALK_SOONEST 2000 /* between two visits, whatever the server says */

/* How often a client without work looks at the bulletin: as the server says, within what clients
 * heed (protocol/bulletin.h; 0: it said nothing) and no less often than `interval_ms`. */
int64_t talk_look_ms(int64_t look_s, int64_t interval_ms);

/* After how long one comes that was told of work, by 64 random bits; likewise. */
int64_t talk_hailed_ms(int64_t within_s, uint64_t random);

/* Times are monotonic milliseconds. */
struct talk_view {
    int64_t now;
    int64_t hold_until;     /* back-off or Retry-After: nothing but the bulletin before */
    int64_t return_at;      /* when the server wants us to ask for work again */
    int64_t visited_at;     /* when a visit was last answered; INT64_MIN: never */
    int64_t visit_interval; /* least time between two visits */
    int64_t hailed_at;      /* when to come because there is work, if still idle; TALK_NEVER */
    int64_t bulletin_at;    /* when the bulletin is due ... */
    int64_t look_at;        /* ... and when it is while a core is idle that tasks are wanted for */
    bool has_idle_core;     /* for want of tasks */
    bool is_stopped;        /* the project is not to be talked to at all */
    bool wants_contact;     /* GET /v1/project: news of keys, or an unknown certificate */
    bool is_keyless;        /* its keys were asked for in vain, at a site that may have the token,
                               and no visit was begun since */
    bool is_enrolled;
    bool has_to_tell; /* of something refused, to a site that may have the token: before its keys
                         are asked for again, or a site whose keys are refused would never know */
    bool has_to_ask_time; /* its own clock may be wrong: it makes something stale */
    bool has_unanswered_visit;
    bool is_leaving;      /* its owner leaves the project: nothing is collected any more */
    int64_t reports;      /* finished tasks not reported */
    int64_t open_tasks;   /* tasks that the server may have something to say about */
    int64_t tasks_wanted; /* new ones */
};

enum talk {
    TALK_NOTHING,
    TALK_PROJECT,
    TALK_ENROL,
    TALK_VISIT,
    TALK_BULLETIN,
};

struct talk_decision {
    enum talk talk;
    int64_t look_again; /* with TALK_NOTHING: when the answer may change by itself; TALK_NEVER */
};

struct talk_decision talk_decide(const struct talk_view *view);

/* When a visit is due by its own reasons; TALK_NEVER: there is none. */
int64_t talk_visit_at(const struct talk_view *view);

#endif
