/* Programs that the bench starts: they end with it, and at the latest when it does. */
#ifndef BENCH_WORLD_CHILD_H
#define BENCH_WORLD_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"

/* Where a program of this name lies beside our own; else the name, to be found in PATH. */
enum status child_path(const char *name, char *ret_path, size_t size, struct error *err) MUST_USE;

/*
 * Start argv[0] (NULL-terminated list) with what it says going to the file `log`, appended; stdout
 * to `out` if that is not NULL. Start children before threads.
 */
enum status child_start(const char *const *argv, const char *log, const char *out, pid_t *ret_pid,
                        struct error *err) MUST_USE;

/* Has it ended? Then *ret_code is its exit code, or 128 and its signal. */
bool child_has_ended(pid_t pid, int *ret_code);

/* Wait for its end: STATUS_INVALID with words unless its exit code is 0. */
enum status child_wait(pid_t pid, const char *name, struct error *err) MUST_USE;

/* SIGTERM, then SIGKILL when the patience is over. */
void child_stop(pid_t pid, int64_t patience_ms);

/* A port of 127.0.0.1 that was free a moment ago. */
enum status child_free_port(int *ret_port, struct error *err) MUST_USE;

#endif
