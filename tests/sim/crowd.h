/*
 * Hosts that take time: of mixed speed, often switched off, some liars, some that leave for ever.
 * What each asks for, and when, is decided by the client's own rules (client/agent/).
 *
 * Availability is as published for SETI@home's hosts (Anderson and Fedak, "The computational and
 * storage potential of volunteer computing", CCGrid 2006): on for 81 % of the time, and allowed to
 * compute for 84 % of that. How long each span is, and the spread of speeds, are our choice.
 */
#ifndef TESTS_SIM_CROWD_H
#define TESTS_SIM_CROWD_H

#include "client/agent/durations.h"
#include "client/agent/turns.h"
#include "protocol/bulletin.h"
#include "protocol/scheduler_reply.h"
#include "tests/sim/site.h"

#define CROWD_QUORUM     2
#define CROWD_BATCHES    4
#define CROWD_CORES_MOST 16

/* A unit as the simulation knows it; the site is told nothing of its length. */
struct crowd_unit {
    int64_t id;
    struct digest digest;
    int64_t length_ms; /* of a copy, on one core of speed 1 */
    int64_t declared_ops;
    int batch;        /* the simulation's number of it, 0..CROWD_BATCHES-1 */
    uint32_t started; /* bit i: copy i of it ran */
};

enum crowd_phase { CROWD_FETCHING = 1, CROWD_READY, CROWD_RUNNING, CROWD_FINISHED };

struct crowd_task {
    int64_t id;
    struct crowd_unit *unit;
    int64_t deadline_s;
    enum crowd_phase phase;
    int64_t fetch_ms;   /* yet to fetch */
    int64_t left_ms;    /* yet to run, on this host */
    int64_t ran_ms;     /* so far */
    int64_t unsaved_ms; /* since its last checkpoint: lost when the machine is switched off */
};

/* How a client asks. */
struct crowd_rule {
    int64_t buffer_s;
    int64_t visit_interval_ms;
    int64_t cores_most; /* use no more; 0: all */
    int64_t tasks_most; /* take no more in all; 0: no end */
    bool is_in_order;   /* tasks are computed as they came; else batches take turns */
    bool is_deaf;       /* no bulletin tells of work */
    bool is_silent;     /* apps do not say how far they are */
};

struct crowd_host {
    int64_t id;
    char prefix[32];
    struct fake_env chance; /* its own, so that what happens to it depends on nothing else */
    double speed;
    int64_t cores;
    int64_t fetch_ms; /* a task's files */
    bool is_liar;
    bool is_on, is_allowed;
    int64_t flips_on_ms, flips_allowed_ms; /* when that changes; TALK_NEVER */
    int64_t leaves_ms;                     /* for ever; TALK_NEVER */

    int64_t at_ms; /* what follows is as of then */
    int64_t wake_ms;
    int64_t visit; /* the last number used */
    int64_t return_ms, visited_ms;
    int64_t look_ms, hailed_ms;
    int64_t mark; /* of the bulletin, as last seen */
    int64_t mean_task_ms;
    struct turns turns;
    struct durations durations;
    int64_t taken;            /* tasks, in all */
    struct crowd_task *tasks; /* owned */
    size_t task_count, running;
};

struct crowd_kind {
    size_t hosts;
    uint64_t seed;
};

/* What is seen of a batch by one who stands beside all hosts. */
struct crowd_batch {
    int64_t waiting;           /* copies of its quorums that nobody has begun */
    int64_t first_ms, last_ms; /* when the first and the last of them began; 0: not yet */
};

struct crowd {
    struct crowd_kind kind;
    struct crowd_rule rule;
    struct crowd_host *hosts; /* owned */
    struct digest project;
    int64_t epoch_s; /* wall time at monotonic zero */
    struct crowd_batch batches[CROWD_BATCHES];

    /* Core-milliseconds from then until then: of cores that might compute, and of idle ones. */
    int64_t counted_from_ms, counted_until_ms;
    int64_t able_ms, idle_ms;
};

void crowd_open(struct crowd *crowd, struct sim_site *site, const struct crowd_kind *kind);
void crowd_clear(struct crowd *crowd);

/* From now on machines are switched off and on, some lie, and some leave within that time. */
void crowd_begin_churn(struct crowd *crowd, int64_t now_ms, int64_t within_ms);

/* Begin to count cores. */
void crowd_count_from(struct crowd *crowd, int64_t now_ms);

/* `units` units of this batch are out from now on. */
void crowd_expect(struct crowd *crowd, int batch, size_t units);

/* Cores times speed, of all hosts and of the host that has most; and the fastest core. */
double crowd_speed(const struct crowd *crowd);
double crowd_largest(const struct crowd *crowd);
double crowd_fastest(const struct crowd *crowd);

/* Bring a host up to `now_ms`: compute, fetch, switch on and off, start tasks. */
void crowd_pass(struct crowd *crowd, struct crowd_host *host, int64_t now_ms);

/* Does it look at the bulletin now? If so, what it says of work. */
bool crowd_looks(const struct crowd *crowd, const struct crowd_host *host);
void crowd_read(struct crowd_host *host, const struct bulletin_work *work);

/* Is a visit due; and when to look again, by what the host itself knows. TALK_NEVER: it left. */
bool crowd_visits(const struct crowd *crowd, const struct crowd_host *host);
int64_t crowd_next_ms(const struct crowd *crowd, const struct crowd_host *host);

/* The request of a visit; freed by scheduler_request_clear(). */
void crowd_ask(const struct crowd *crowd, struct crowd_host *host, int64_t now_s,
               struct scheduler_request *ret_request);

/* Gives the unit that a granted task is a copy of. */
struct crowd_finder {
    struct crowd_unit *(*find)(void *context, int64_t unit);
    void *context;
};

/* What was answered to it. */
void crowd_hear(struct crowd_host *host, const struct scheduler_reply *reply,
                const struct crowd_finder *finder);

/* The soonest change that needs nobody else: a task ends, the machine is switched off. */
int64_t crowd_change_ms(const struct crowd_host *host);

int64_t crowd_cores(const struct crowd *crowd, const struct crowd_host *host); /* that it uses */

#endif
