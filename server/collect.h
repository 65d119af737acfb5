/*
 * Files and inline outputs that nothing needs any more are forgotten and removed, some at a time.
 * Runs as a read of the engine's, so that nothing is stored or referred to meanwhile.
 */
#ifndef SERVER_COLLECT_H
#define SERVER_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct file_store;
struct store;

#define COLLECT_SLICE 256

struct collecting {
    struct file_store *files;
    int64_t files_before_s;  /* came before, and nothing refers to them */
    int64_t bodies_before_s; /* likewise */
    /* What it did. */
    int64_t removed; /* of both kinds */
    bool has_more;   /* ask again */
};

/* `context` is a struct collecting. One slice; a transaction of its own. */
enum status collect_slice(struct store *store, void *context, struct error *err);

#endif
