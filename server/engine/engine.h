/*
 * The engine: the only writer of a site's store. It takes commands, decides with the pure functions
 * of server/policy/ on rows loaded in the transaction that saves them, commits once for all of
 * them, and then answers.
 *
 * What it keeps in memory are hints (which units wait, which deadlines come) and what it publishes;
 * both are rebuilt from the store at any time, and no decision rests on them.
 *
 * One thread owns it: every function here belongs to that thread unless it says otherwise. The
 * server runs it on a thread of its own (server/engine/thread.h); the simulator and tests call it
 * directly.
 */
#ifndef SERVER_ENGINE_ENGINE_H
#define SERVER_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "server/engine/command.h"
#include "server/engine/published.h"

struct env;
struct store;
struct engine;

#define ENGINE_COMMANDS_MAX 256 /* of one cycle */

/* Where free space on the site's disk stops what: below either figure. */
struct engine_floor {
    int64_t percent;
    int64_t bytes;
};

/* Borrowed texts must outlive the engine. */
struct engine_config {
    const char *site;            /* a folder on the disk whose free space counts */
    int64_t server;              /* this server's number in the store, 1.. */
    int64_t min_return_s;        /* hosts that got no work are never asked back sooner; 1.. */
    int64_t soon_return_s;       /* hosts that got some; 1.. */
    int64_t look_s;              /* hosts without work look at the bulletin so often */
    int64_t max_return_s;        /* nor later: the last step of 1, 2, 4 … min */
    int64_t enrolments_per_hour; /* new hosts of one address prefix, or of one account */
    int64_t body_wait_s;         /* for one agreeing host's body, before the next is asked too */
    int64_t gather_ms;           /* visits that keep coming wait so long for company; 0: never */
    int64_t upload_max;          /* bytes of the largest output that the site takes */
    size_t window;               /* ready units that one is drawn from, 100.. */
    struct engine_floor issue;   /* below: no new tasks */
    struct engine_floor uploads; /* below: no bodies either */
    bool ignores_free_space;     /* for tests on odd disks */
    bool sends_as_asked;         /* no shares: for simulations of other schedulers' rules */

    /* Is this file on the disk? Asked on the engine's thread before a row says so: between the
     * store of a file and its command the file may have been collected. NULL: it always is. */
    bool (*has_file)(void *context, const struct digest *digest);
    void *files; /* its context */
};

/* Its defaults; `site` is left for the caller. */
#define ENGINE_CONFIG_DEFAULT                                                                      \
    {                                                                                              \
        .site = ".", .server = 1, .min_return_s = 60, .soon_return_s = 5, .max_return_s = 3600,    \
        .look_s = 60, .enrolments_per_hour = 20, .body_wait_s = 600, .gather_ms = 25,              \
        .window = 100, .issue = {.percent = 10, .bytes = INT64_C(5) << 30},                        \
        .upload_max = INT64_C(4) << 30, .uploads = {.percent = 5, .bytes = INT64_C(2) << 30},      \
        .ignores_free_space = false, .sends_as_asked = false                                       \
    }

/*
 * Reads hints and what is published from the store, and judges the clock. Store, env and what the
 * configuration points to are borrowed and outlive the engine.
 */
enum status engine_open(struct store *store, struct env *env, const struct engine_config *config,
                        struct engine **ret_engine, struct error *err) MUST_USE;
void engine_close(struct engine *engine); /* NULL is fine; closes no store */
DEFINE_CLEANUP(struct engine *, engine_close)

/*
 * Carry out 1..ENGINE_COMMANDS_MAX commands in one transaction (reads before it, each by itself)
 * and call done() of each. If the transaction fails, each command is tried alone, so that one that
 * cannot be saved fails by itself.
 */
void engine_run(struct engine *engine, struct command **commands, size_t count);

/*
 * What time brings: deadlines, ended validity, free space, hosts that do not deliver bodies.
 * Bounded work; call it at least once a second of the server's time. Failures are logged; the next
 * tick tries again.
 */
void engine_tick(struct engine *engine);

/*
 * One more slice of what takes many: a cancel or retry of a large batch, units whose validity ended
 * or that were revoked. To be called between commands, so that neither waits long for the other.
 * False: nothing is left, or the next tick tries again, for it failed, or the clock is in doubt.
 */
bool engine_go_on(struct engine *engine);

/* The same as tick by tick until nothing more is due, for tests. At most `ticks`. */
void engine_settle(struct engine *engine, int ticks);

struct published_facts *engine_published(struct engine *engine); /* as old as the engine */

/*
 * What the engine makes of the clock. In doubt (wall and monotonic time parted by more than an
 * hour, or the last commit lies in the future) nothing expires and no validity is judged, until an
 * operator confirms with COMMAND_CLOCK.
 */
struct engine_clock {
    int64_t up_s;  /* the server's up-time since the site was made: what deadlines count */
    int64_t now_s; /* wall time; in doubt: as it was when last believed, and what ran since */
    bool is_in_doubt;
    int64_t off_s; /* how far it jumped; > 0: forwards */
    char why[160]; /* "" without a doubt */
};

struct engine_clock engine_clock(struct engine *engine); /* from any thread */

/*
 * Can what visits report be committed? Answered from what the engine's thread noted last, without
 * asking it: it may hang. From any thread. An idle engine commits by itself on its ticks
 * (server/policy/fitness.h), so polls write nothing.
 */
struct engine_fitness {
    const char *lack;     /* static words; NULL: it is fit */
    int64_t commit_age_s; /* of the last commit, or since the engine was opened */
};

struct engine_fitness engine_fitness(struct engine *engine);

/* Since the engine was opened, but those that end in _now. For GET /metrics. */
struct engine_counts {
    int64_t cycles;
    int64_t cycle_conflicts; /* runs of a cycle that another writer made void */
    int64_t cycle_failures;
    int64_t commands[COMMAND_KINDS];
    int64_t visits_repeated;
    int64_t clones;
    int64_t tasks_sent;
    int64_t tasks_reported;
    int64_t tasks_failed;
    int64_t tasks_overdue;
    int64_t tasks_resent;
    int64_t tasks_moved;      /* withdrawn so that another host begins sooner ... */
    int64_t tasks_moved_back; /* ... and of these, begun before that host had them: they went on */
    int64_t last_copies;      /* wanted beyond the rule, of units that are late */
    int64_t units_accepted;
    int64_t units_failed;
    int64_t credit;
    int64_t candidates_examined;
    int64_t ready_now;     /* units that want copies, as far as the queue knows */
    int64_t deadlines_now; /* tasks that are out, likewise */
    int64_t up_s_now;
    int64_t free_bytes_now;
    int64_t looks_restored_now; /* 1: hosts say so, see server/policy/rollback.h; 0 */
};

struct engine_counts engine_counts(struct engine *engine); /* from any thread */

#endif
