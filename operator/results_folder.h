/*
 * Where results are collected:
 *
 *   DIR/<unit>/<output>     each accepted output
 *   DIR/results.ndjson      a line per unit that ended; of a unit named twice the last line counts
 *   DIR/names.tsv           which files had to get other names, if any had to (operator/renames.h)
 *   DIR/.dugnad-fetch.names names.tsv while it is written
 *   DIR/.dugnad-fetch.lock  held by the one `fetch` that writes into DIR
 *   DIR/.dugnad-fetch       how far we got: the cursor, and how long results.ndjson was then
 *
 * What lies beyond the cursor, after a cut, is fetched and written again.
 */
#ifndef OPERATOR_RESULTS_FOLDER_H
#define OPERATOR_RESULTS_FOLDER_H

#include "common/base/disk.h"
#include "protocol/result_line.h"

struct results_folder {
    struct disk *disk; /* borrowed */
    struct disk_path path;
    struct batch_id batch;
    struct cursor cursor;    /* "": nothing yet */
    int64_t bytes;           /* of results.ndjson */
    struct disk_file *lines; /* owned; results.ndjson */
    struct disk_file *lock;  /* owned */
};

void results_folder_close(struct results_folder *folder); /* for CLEANUP(), too */

/* Made if it does not exist. STATUS_CONFLICT: it holds another batch's results.
 * STATUS_BUSY, code SESSION_HELD: another command writes into it; nothing was touched. */
enum status results_folder_open(struct results_folder *ret_folder, struct disk *disk,
                                const char *path, const struct batch_id *batch, struct error *err)
    MUST_USE;

/* Forget what was fetched, so that all of it is asked for again; the outputs stay. */
enum status results_folder_restart(struct results_folder *folder, struct error *err) MUST_USE;

/* The place of an output; its folder is made. STATUS_CONFLICT: a link or a file is in its place. */
enum status results_folder_place(struct results_folder *folder, const char *unit,
                                 const char *output, struct disk_path *ret_path, struct error *err)
    MUST_USE;

/* One more line for results.ndjson. Durable only after results_folder_save(). */
enum status results_folder_add(struct results_folder *folder, const struct result_line *line,
                               struct error *err) MUST_USE;

/* Put the first `bytes` of this file there as names.tsv, in one step and durably. */
enum status results_folder_names(struct results_folder *folder, const char *path, int64_t bytes,
                                 struct error *err) MUST_USE;

/* Everything up to this cursor is there. */
enum status results_folder_save(struct results_folder *folder, const struct cursor *cursor,
                                struct error *err) MUST_USE;

#endif
