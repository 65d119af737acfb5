/* The real world behind struct env. Only a program's main.c includes this. */
#ifndef COMMON_ENV_REAL_H
#define COMMON_ENV_REAL_H

#include "common/base/disk.h"
#include "common/base/env.h"

/* One for the whole process; threads may share it. */
struct env *env_real(void);

/*
 * To be called first of all. A program that was started with its standard input, output or error
 * closed would get one of their numbers for the next file or socket that it opens, and print into
 * it. Each closed one is taken: reading that input, and writing that output, goes on failing; what
 * is said on that error is lost. False: it could not be; go no further.
 */
bool standard_files_hold(void);

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
