/*
 * The site of a simulation: the real engine on a real store, a fake clock and one seed, with one
 * app that answers by one small output. Every function ends the program when something goes wrong
 * that no simulation may meet.
 */
#ifndef TESTS_SIM_SITE_H
#define TESTS_SIM_SITE_H

#include <sqlite3.h>

#include "common/crypto/keys.h"
#include "db/store.h"
#include "protocol/batch.h"
#include "server/engine/engine.h"
#include "tests/support/fake_env.h"

#define SIM_OUTPUT "result" /* the one output of a unit */

struct sim_site {
    const char *program; /* for "replay with" */
    uint64_t seed;
    int64_t step; /* the program's own count, for its complaints */
    struct fake_env env;
    struct engine_config config;
    struct store *store;
    struct engine *engine;
    sqlite3 *db; /* the simulation's own view */
    struct private_key root, app_key, work_key, fresh_key;
    struct digest project, app_version, variant;
    int64_t sequence;  /* of the freshness published last ... */
    int64_t renewed_s; /* ... and when */
};

/* Complain of what must not be, name seed and step, and end with 1. */
void sim_fail(const struct sim_site *site, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Set program, seed and env first. The engine's defaults, without heed of free space. `path` is a
 * file or an SQLite URI. Makes the site and publishes keyring, freshness and app. */
void sim_site_open(struct sim_site *site, const char *path);
void sim_site_close(struct sim_site *site);
void sim_site_crash(struct sim_site *site); /* loses the engine with all it had in memory */

void sim_run(struct sim_site *site, struct command *command); /* whatever its status */
void sim_must(struct sim_site *site, struct command *command, const char *what);
int64_t sim_value(struct sim_site *site, const char *sql); /* of a query with one row */
sqlite3_stmt *sim_prepare(struct sim_site *site, const char *sql);
void sim_finalize(sqlite3_stmt **statement); /* for CLEANUP() */

void sim_renew_freshness(struct sim_site *site);

/* A batch; its name tells it from others of the site. */
struct batch_id sim_publish_batch(struct sim_site *site, const char *name);
void sim_act(struct sim_site *site, const struct batch_id *batch, enum batch_action action);

/* Units first .. first + count - 1 of a batch, which differ in nothing else. */
struct sim_units {
    struct batch_id batch;
    int64_t first;
    size_t count;
    int64_t deadline_s; /* a copy's */
    int64_t declared_ops;
};
void sim_publish_units(struct sim_site *site, const struct sim_units *units);

/* A new host: `prefix` as the server notes a peer's, `volunteer` as sim_account() made it, or < 0
 * for a host without an account. */
struct sim_enrolment {
    struct private_key *key; /* generated anew */
    const char *prefix;
    int volunteer;
    /* what the site answered */
    int64_t host;
    int64_t next_visit;
};
void sim_account(struct sim_site *site, int volunteer);
void sim_enrol(struct sim_site *site, struct sim_enrolment *enrolment);

#endif
