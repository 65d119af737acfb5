/* The real world behind struct env. Only a program's main.c includes this. */
#ifndef COMMON_ENV_REAL_H
#define COMMON_ENV_REAL_H

#include "common/base/disk.h"
#include "common/base/env.h"

/* One for the whole process; threads may share it. */
struct env *env_real(void);

/* The disk that env_real() carries. */
struct disk *disk_real(void);

/*
 * All that is written to a pipe (a FIFO, or what a shell makes of <(command)), up to the buffer's
 * maximum, else STATUS_TOO_LARGE; waits for its writers without end, but for a signal. *ret_is_pipe
 * false, and nothing read: there is something else, or nothing.
 */
enum status pipe_read(const char *path, struct buffer *ret_content, bool *ret_is_pipe,
                      struct error *err) MUST_USE;

#endif
