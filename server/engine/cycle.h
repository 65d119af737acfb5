/*
 * One transaction of the engine and everything that is decided in it. The form is always the same:
 *
 *   gather   load what the commands concern
 *   decide   change the loaded rows by pure policy
 *   save     write what changed, commit
 *   answer   read replies off what is stored now, correct the hints
 *
 * It is all or nothing; what another writer made void runs again from the start.
 */
#ifndef SERVER_ENGINE_CYCLE_H
#define SERVER_ENGINE_CYCLE_H

#include "db/publish.h"
#include "db/store.h"
#include "server/engine/state.h"

/* A file that a task's host delivered. */
struct cycle_delivery {
    struct file_record file;
    int64_t task;
};

/* Who holds which task of the set. */
struct cycle_holding {
    int64_t host;
    int64_t task;
};

struct cycle {
    struct engine *engine;
    struct engine_clock clock; /* read once: a cycle has one time */
    struct work_set set;

    struct cycle_holding *holdings; /* owned; by host, as of the last cycle_index() */
    size_t holding_count;

    /* Done with the save. Owned lists. */
    struct cycle_delivery *deliveries;
    size_t delivery_count;
    struct texts texts; /* words that records point to */

    /* After the commit. */
    struct deadline_hint *hints;
    size_t hint_count;
    struct engine_counts counts; /* to be added to the engine's */
};

/* What is done in a transaction: gather and decide. Called again after a conflict, with a new
 * cycle; what it keeps in `context` must start anew then. */
struct cycle_work {
    enum status (*run)(struct cycle *cycle, void *context, struct error *err);
    void *context;
};

/*
 * Begin, run the work, save, commit, correct the hints. STATUS_BUSY: voided too often. `finished`
 * (may be NULL) sees the cycle after the commit.
 */
enum status cycle_do(struct engine *engine, const struct cycle_work *work,
                     void (*finished)(struct cycle *cycle, void *context), struct error *err);

/* Load more into the cycle's set: what it has already stays as changed. */
enum status cycle_load(struct cycle *cycle, const struct work_request *request, struct error *err);

/* The hosts of all tasks of these units (of the set), so that what is decided counts for them. */
enum status cycle_load_holders(struct cycle *cycle, const int64_t *units, size_t count,
                               struct error *err);

/* Look up anew who holds what, and the tasks of one host: *ret_count of them, in order of id. */
void cycle_index(struct cycle *cycle);
const struct cycle_holding *cycle_holdings(const struct cycle *cycle, int64_t host,
                                           size_t *ret_count);

/* Before a row says that a file is here. STATUS_BUSY: it was collected on its way; it has to be
 * sent again. */
enum status cycle_check_file(const struct cycle *cycle, const struct digest *digest,
                             struct error *err);

/* Add to the lists. */
void cycle_deliver(struct cycle *cycle, struct cycle_delivery delivery);
void cycle_hint(struct cycle *cycle, struct deadline_hint hint);
const char *cycle_keep_text(struct cycle *cycle, const char *text); /* as long as the cycle */
void cycle_note(struct cycle *cycle, enum journal_kind kind, int64_t subject, int64_t detail);

/* 0 where no validity may be judged. */
static inline int64_t cycle_judged_s(const struct cycle *cycle)
{
    return cycle->clock.is_in_doubt ? 0 : cycle->clock.now_s;
}

#endif
