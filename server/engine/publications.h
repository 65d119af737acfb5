/* Commands that run by themselves: what operators publish, accounts, reads, the clock. */
#ifndef SERVER_ENGINE_PUBLICATIONS_H
#define SERVER_ENGINE_PUBLICATIONS_H

#include "server/engine/cycle.h"

/* Carry the command out, in a transaction of its own if it needs one; sets its status and reply. */
void publication_run(struct engine *engine, struct command *command);

/* A command that runs in a cycle of its own. */
struct solo {
    struct command *command;
    bool is_refused;    /* `err` of the command is for the asker; nothing is saved */
    struct trust trust; /* what the engine's trust becomes, if `has_trust` */
    bool has_trust;
    int64_t app_version; /* row, of a variant */
    struct digest subject;

    struct queue_unit *units; /* owned: hints of units that are new */
    size_t unit_count;
};

/*
 * Refuse for the asker's sake: whatever the status, the cycle is not run again and nothing of it is
 * saved. Returns what run functions return then.
 */
enum status solo_refuse(struct solo *solo, const struct error *err);

/* Not OK, and the asker's fault rather than the store's? Then refuse. */
enum status solo_check(struct solo *solo, enum status status, struct error *err);

/* By kind: run in the cycle; after the commit. */
enum status signed_run(struct cycle *cycle, struct solo *solo, struct error *err);
void signed_finish(struct cycle *cycle, struct solo *solo);
enum status batch_run(struct cycle *cycle, struct solo *solo, struct error *err);
enum status units_run(struct cycle *cycle, struct solo *solo, struct error *err);

/* Read keyrings, freshness, notices and apps from the store and publish them. At start and after
 * changes. */
enum status publications_load(struct engine *engine, struct error *err);
/* The same again, for what other servers published. */
enum status publications_reload(struct engine *engine, struct error *err) MUST_USE;
/* What others have put, too. */
enum status publications_learn_signers(struct engine *engine, struct error *err) MUST_USE;
enum status publications_show_project(struct engine *engine, struct error *err);

#endif
