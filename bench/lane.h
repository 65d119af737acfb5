/*
 * One connection at a time and the hosts that use it, one after the other. A thread has many lanes;
 * no host is in two, so no two visits of a host ever cross.
 */
#ifndef BENCH_LANE_H
#define BENCH_LANE_H

#include "bench/turn.h"
#include "bench/world/dial.h"

#define LANE_ATTEMPTS_MAX 50 /* of one request: then it is given up */

/* What the lanes of a thread share. */
struct lane_world {
    const struct dial_target *target;
    SSL_CTX *context;
    int epoll;
    bool is_fresh; /* a new connection for each turn */
    struct kit kit;
    struct error first_failure; /* STATUS_OK: none */
};

struct lane {
    struct lane_world *world;
    struct actor *hosts; /* borrowed */
    size_t host_count;
    size_t filled;   /* so many of them had their first turn */
    uint64_t chance; /* state of what is drawn */
    struct dial dial;
    struct turn turn;
    int64_t due_us;   /* when the turn that goes on was due */
    int64_t again_us; /* when to send again; 0: not waiting for that */
    int attempts;
    size_t sent;
    struct buffer out, in;
};

/* Buffers are as large as an output of that size may need. */
void lane_init(struct lane *lane, struct lane_world *world, struct actor *hosts, size_t count,
               int64_t output_bytes);
void lane_clear(struct lane *lane);

bool lane_is_busy(const struct lane *lane);
bool lane_is_filled(const struct lane *lane); /* each host had its first turn */

/*
 * Begin the turn of the next host, which was due at `due_us`: in order until each had one, then of
 * any by chance. False: there is none that has anything to do.
 */
bool lane_begin(struct lane *lane, int64_t due_us);

/* Get on, as far as it goes without waiting: call it when the descriptor or the time says so. */
void lane_move(struct lane *lane, int64_t now_us);

#endif
