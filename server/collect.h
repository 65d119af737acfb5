/*
 * Files and inline outputs that nothing needs any more are forgotten and removed, and what old
 * tasks tell of a machine is, in passes, a little at a time. A step runs as a read of the engine's,
 * between its cycles, so that nothing is stored or referred to meanwhile.
 *
 * Rows go first, in a transaction, and files after its commit. Whatever ends the server in between
 * leaves a file that no row knows: a later pass removes it. What comes meanwhile is safe: the
 * engine takes no file into its rows that is not on the disk (engine_config.has_file), and a file
 * that came again is younger than what is collected. Of several servers on one database each may
 * collect: a file is removed while the store is held, and only if it is no row by then.
 */
#ifndef SERVER_COLLECT_H
#define SERVER_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"

struct file_store;
struct store;

#define COLLECT_SLICE 256 /* rows that one step looks at */

/* In this order: what the first lets go of, the later find. */
enum collect_phase {
    COLLECT_INPUTS,  /* batches that are over let go of their inputs */
    COLLECT_FILES,   /* files nothing refers to */
    COLLECT_ORPHANS, /* files on the disk that no row knows; one part of the store in a step */
    COLLECT_MARKING, /* bodies that undecided units need */
    COLLECT_BODIES,  /* the other ones */
    COLLECT_DETAILS, /* stderr and addresses of old tasks */
    COLLECT_DONE,
};

/* One pass. Zeroed but for the first members, and left alone until it is done or failed. */
struct collecting {
    struct file_store *files; /* borrowed */
    int64_t now_s;
    int64_t files_before_s; /* came before, and nothing refers to them */
    /* Outputs, inline or uploaded, likewise; BODY_TIME_SLACK_S before now_s, or more. */
    int64_t outputs_before_s;
    int64_t details_before_s;

    enum collect_phase phase;
    int64_t released, files_removed, orphans_removed, bodies_removed; /* what it did */
    int64_t details_forgotten;

    struct digest last; /* that a phase looked at */
    int64_t last_id;
    unsigned part;
};

/* `context` is a struct collecting. One step; a transaction of its own. After a failure the pass
 * can go on where it was, or be given up. */
enum status collect_step(struct store *store, void *context, struct error *err);

#endif
