/*
 * A small grid in one process, a village, for tests: the real engine on SQLite in memory, under the
 * test's clock, with the project of tests/support/sample.h published, and hosts that visit. In
 * front of the store stands one that fails, or is stale, when told to. What must work, ends the
 * test otherwise.
 */
#ifndef TESTS_SUPPORT_VILLAGE_H
#define TESTS_SUPPORT_VILLAGE_H

#include "db/publish.h"
#include "db/query.h"
#include "db/store.h"
#include "protocol/scheduler_reply.h"
#include "server/engine/engine.h"
#include "tests/support/database.h"
#include "tests/support/fake_env.h"
#include "tests/support/sample.h"

#define VILLAGE_HOSTS_MAX   256
#define VILLAGE_OUTPUTS_MAX 4

/* Stands in a store, in the place of some of its functions. Steps are begin, load, save, commit,
 * and writing the time or a file. Only one at a time in a process. */
struct village_store {
    struct store *store;   /* owned */
    struct store original; /* as it was */
    struct work_ops work;
    struct publish_ops publish;
    int steps_to_failure; /* 1: the next step fails; 0: none does */
    int steps;            /* so many were taken */
    int stale_loads;      /* so many loads bring rows that somebody changes before the save */
    int loads;
};

void village_store_wrap(struct village_store *ret_wrapped, struct store *store);

/* What a host is, between its visits. */
struct village_host {
    int64_t id;
    int64_t visit; /* number of its last one */
    struct private_key key;
    const char *prefix;
};

struct village {
    struct fake_env env;
    char path[DATABASE_NAME_MAX];
    struct database_view *db; /* the test's own view of what is stored */
    struct village_store store;
    struct engine_config config;
    struct engine *engine;
    struct sample sample;
    struct batch_id batch;
    size_t host_count;
    struct village_host hosts[VILLAGE_HOSTS_MAX];
    int64_t next_index;                 /* of a unit */
    const struct private_key *cosigner; /* signs units, too; NULL: nobody does. Borrowed */
};

/* `config` NULL: defaults that wait little. Publishes all of the sample and opens a batch. */
void village_open(struct village *village, const struct engine_config *config);
void village_close(struct village *village);

/* End the engine as a crash would, and open it anew on the same database. */
void village_restart(struct village *village);

/* Time goes on, and the engine ticks until nothing is due. */
void village_pass(struct village *village, int64_t seconds);

/* A new volunteer with an account and one host; returns the host's place. */
size_t village_join(struct village *village);

/* A host without an account that enrols, and visits, from this prefix (borrowed). */
size_t village_join_from(struct village *village, const char *prefix);

/* One more host of the volunteer of that host. */
size_t village_join_as(struct village *village, size_t host);

/* Add units of the sample, changed by `edit` (may be NULL) before they are signed. */
void village_add_units(struct village *village, size_t count, void (*edit)(struct work_unit *unit));

/* Another batch of the sample's app; later units go there. */
void village_open_batch(struct village *village, const char *name, int32_t priority);
enum status village_act(struct village *village, enum batch_action action);

/* Publish the sample's app version, as it stands, with its variant; later batches and units are
 * of it. */
void village_publish_app(struct village *village);

/* Publish the sample's freshness, as it stands, with the next sequence. */
void village_publish_freshness(struct village *village);

/* A visit in the making. Zeroed: wants nothing, says nothing. */
struct village_visit {
    struct scheduler_request request;
    struct visit_task finished[VISIT_FINISHED_MAX];
    struct scheduler_report reports[VISIT_FINISHED_MAX];
    struct held_task held[SCHEDULER_HELD_MAX];
    struct scheduler_reply reply; /* of the last time it was made */
    enum status status;
    struct error err;
};

/* The host's next visit: it has all the platform, memory and layers that the sample needs. */
void village_visit_begin(struct village *village, struct village_visit *visit, size_t host);
void village_visit_clear(struct village_visit *visit);
void village_visit_want(struct village_visit *visit, int64_t tasks);
void village_visit_hold(struct village_visit *visit, int64_t task);

/* Done, with one output "out" of this text, which comes along if `with_body`. */
void village_visit_done(struct village *village, struct village_visit *visit, int64_t task,
                        const char *text, bool with_body);
struct scheduler_report *village_visit_failed(struct village *village, struct village_visit *visit,
                                              int64_t task, enum visit_outcome outcome);

/* Make it; may be repeated. The reply is replaced each time. */
enum status village_visit_make(struct village *village, struct village_visit *visit, size_t host);

/* Short forms: a visit that wants tasks and holds none, returning the first granted (0: none) ...
 */
int64_t village_get(struct village *village, size_t host);
/* ... and one that reports a task with an inline body and wants nothing. */
void village_report(struct village *village, size_t host, int64_t task, const char *text);
void village_fail(struct village *village, size_t host, int64_t task);

/* Run any command to its end; returns its status. */
enum status village_run(struct village *village, struct command *command);

/* As stored: a number that an SQL expression gives, such as "count(*) FROM task". */
int64_t village_count(struct village *village, const char *sql);
void village_change(struct village *village, const char *sql);

#endif
