/*
 * fork() for a process that has threads: straight to the kernel, without the C library's fork
 * handlers (which take locks), and with namespaces. Until exec or _exit the child calls nothing
 * but async-signal-safe functions.
 */
#ifndef SANDBOX_FORK_H
#define SANDBOX_FORK_H

#include <stdint.h>
#include <sys/types.h>

/*
 * As fork(). `namespaces` is a set of CLONE_NEW… flags; `exit_signal` goes to the parent at the
 * child's end (0: none, and then only a wait with __WALL sees the child). ret_pidfd may be NULL;
 * its descriptor is close-on-exec.
 */
pid_t fork_raw(uint64_t namespaces, int exit_signal, int *ret_pidfd);

#endif
