/*
 * The file that a crew is kept in, so that a second run need not enrol again:
 *
 *   dugnad-crew 1
 *   project sha256:…
 *   secret <64 hex>           from which the hosts' keys follow
 *   <token of host 0>
 *   <token of host 1> …
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include "bench/actor.h"
#include "common/base/error.h"

struct disk;

#define CREW_FILE_MAX (256 * 1024 * 1024)

struct crew_file {
    struct digest project;
    struct digest secret;
    size_t count;
    struct token *tokens; /* owned; count of them */
};

void crew_file_clear(struct crew_file *file); /* for CLEANUP(), too */

/* STATUS_NOT_FOUND: there is none yet. STATUS_INVALID: it is another thing; the line is named. */
enum status crew_file_read(struct disk *disk, const char *path, struct crew_file *ret_file,
                           struct error *err) MUST_USE;

/* Mode 0600: who has it can speak for these hosts. */
enum status crew_file_write(struct disk *disk, const char *path, const struct crew_file *file,
                            struct error *err) MUST_USE;

#endif
