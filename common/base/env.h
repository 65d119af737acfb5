/*
 * The one seam to the world. main.c fills this table with the real functions (common/env/), tests
 * and the simulator with their own; nothing else reads a clock, draws a random number, sleeps or
 * touches a file. Network and processes have tables of their own: struct http_client
 * (common/http/), struct launcher (sandbox/), and the server's listening loop (server/http/).
 */
#ifndef COMMON_BASE_ENV_H
#define COMMON_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct disk; /* common/base/disk.h */

/* Implementations embed this as their first member. No function fails: each aborts rather. */
struct env {
    int64_t (*now_s)(struct env *env);       /* wall clock, Unix seconds; may jump either way */
    int64_t (*now_mono_ms)(struct env *env); /* never goes back; only differences mean anything */
    void (*random)(struct env *env, void *ret_bytes, size_t count); /* fit for keys */
    void (*sleep_ms)(struct env *env, int64_t ms);
    struct disk *disk; /* borrowed, never NULL */

    /*
     * The pipe or terminal behind this descriptor once more, so that writing to it never waits
     * (EAGAIN instead), whoever else writes to it; those others still wait as they did. -1: that
     * cannot be had, or there is no need (a file, a socket). NULL: never had.
     */
    int (*output_that_never_waits)(struct env *env, int descriptor);
};

#endif
