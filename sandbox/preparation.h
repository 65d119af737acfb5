/*
 * Everything a task's processes need, made ready before they exist: between fork and exec nothing
 * may allocate or take a lock, for another thread may have held it.
 */
#ifndef SANDBOX_PREPARATION_H
#define SANDBOX_PREPARATION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "sandbox/launcher.h"

#define PREPARED_LIMITS_MAX 16

struct prepared_limit {
    __rlimit_resource_t resource;
    rlim_t soft, hard; /* lowered to what this process may have itself */
};

struct preparation {
    uint32_t layers; /* those to use */
    char *executable;
    char **arguments;   /* owned, as each text is; NULL-terminated */
    char **environment; /* the same */
    struct prepared_limit limits[PREPARED_LIMITS_MAX];
    size_t limit_count;
    char user_map[64]; /* for /proc/self/uid_map: this user, and nobody else */
    char group_map[64];
    int slot; /* descriptors, owned; -1: none */
    int in, out;
    int err_read, err_write;
    int orders_read, orders_write; /* to the keeper, one byte each; its end is an order, too */
};

/* For the probe: no program, /dev/null for everything. Always leaves something to clear. */
enum status preparation_init_empty(struct preparation *preparation, uint32_t layers,
                                   struct error *err);

/* Errors as launcher->start. Always leaves something to clear. */
enum status preparation_init(struct preparation *preparation, uint32_t layers,
                             const struct run_spec *spec, struct error *err);

/* Closes and releases. For CLEANUP(), too; twice is fine. */
void preparation_clear(struct preparation *preparation);

/* Close what only the task's processes need. */
void preparation_close_theirs(struct preparation *preparation);

#endif
