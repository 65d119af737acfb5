/*
 * A whole grid in one process: the real engine on a real store, a fake clock, and hosts that are
 * pure. Messages are lost, repeated and delivered late; the server crashes; hosts lie, vanish and
 * clone themselves. Everything follows from one seed.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>

#include "common/crypto/envelope.h"
#include "protocol/scheduler_reply.h"
#include "tests/sim/site.h"

#define SIM_HOSTS      100
#define SIM_VOLUNTEERS 60
#define SIM_UNITS      400
#define SIM_TASKS      (SIM_UNITS * 16)
#define SIM_HELD       16

enum sim_temper {
    SIM_HONEST,
    SIM_LIAR,  /* a wrong result, the same from all hosts of its volunteer */
    SIM_FAILS, /* its tasks end in an error */
    SIM_GHOST, /* takes tasks and never reports */
    SIM_MISER, /* agrees, and never uploads a body */
};

struct sim_task {
    int64_t id; /* 0: a free place */
    struct digest unit;
    bool is_big;      /* its output travels by upload */
    bool is_done;     /* computed, to be reported */
    bool is_reported; /* acknowledged; kept until it is stored or dropped */
};

/* A request as it was sent: it may be repeated, and come again much later. */
struct sim_message {
    int64_t number; /* of the visit; 0: none */
    char *request;  /* owned JSON */
    char *statement;
    struct digest digest; /* of the statement */
};

struct sim_host {
    int64_t id; /* 0: not enrolled */
    int volunteer;
    enum sim_temper temper;
    struct private_key key;
    int64_t visit; /* the last number used */
    int64_t return_mono_ms;
    int64_t away_until_mono_ms;
    struct sim_task tasks[SIM_HELD];
    struct sim_message pending; /* not answered yet, as far as the host knows */
    struct sim_message old;     /* answered long ago */
    char *old_acks;             /* what the answered visit was told, to compare a repeat with */
};

/* What hosts were told, by task: the shadow that the store is compared with. */
struct sim_shadow {
    int64_t task; /* 0: never granted */
    int64_t host;
    bool is_acked;
    int64_t credit;
    bool is_told;
};

struct sim {
    struct sim_site site;
    struct batch_id batch;
    size_t units_published;
    struct sim_host hosts[SIM_HOSTS];
    struct sim_shadow shadow[SIM_TASKS];
    size_t shadow_count;
    struct {
        int64_t visits, lost_replies, repeats, late, crashes, clones, acks, grants, uploads;
    } counts;
};

/* tests/sim/host.c */
void sim_hosts_enrol(struct sim *sim);
void sim_host_step(struct sim *sim, struct sim_host *host);
void sim_hosts_clear(struct sim *sim);
void sim_host_reform(struct sim_host *host); /* honest from now on, and here */

/* tests/sim/checks.c */
struct sim_shadow *sim_shadow_of(struct sim *sim, int64_t task); /* NULL: never granted */
void sim_check(struct sim *sim);
void sim_check_store(struct sim *sim);
int64_t sim_units_open(struct sim *sim);
struct digest sim_right_result(const struct digest *unit, bool is_big);

/* The one output of a unit, right or as this volunteer falsifies it. */
#define SIM_BIG_BYTES 70000
void sim_output(const struct digest *unit, bool is_big, int liar, struct buffer *ret_body);
bool sim_is_big(const struct digest *unit);

#endif
