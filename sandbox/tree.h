/*
 * The processes below one, from /proc. What it says is over when it is read: processes may have
 * come and gone. Async-signal-safe.
 */
#ifndef SANDBOX_TREE_H
#define SANDBOX_TREE_H

#include <stddef.h>
#include <sys/types.h>

#define TREE_MAX 4096 /* processes listed; a tree of more is over every limit anyway */

/* Children of all threads of `parent`; how many were written, at most `max`. */
size_t tree_children(pid_t parent, pid_t *ret_pids, size_t max);

/* Children, their children and so on, parents first. */
size_t tree_descendants(pid_t root, pid_t *ret_pids, size_t max);

#endif
