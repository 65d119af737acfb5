/*
 * Can this machine run programs where tasks run? A data folder that is mounted noexec, or that the
 * task's user may not enter, a sandbox that the kernel forbids, a full process table: each would be
 * taken for a fault of every unit that comes. So a script of our own is run first, in a folder of
 * the data folder, with all that a task gets; and again after a failure that may be the machine's.
 * Until it has come to its end as it should no task is started, and once it has failed no work is
 * asked for.
 */
#ifndef CLIENT_DAEMON_PROOF_H
#define CLIENT_DAEMON_PROOF_H

#include "client/daemon/attached.h"

/* Start it when it is due, or see whether it has ended. Never waits. */
void proof_step(struct daemon *daemon);

/* Something went wrong that may be the machine's fault: prove it again before anything starts. */
void proof_doubt(struct daemon *daemon);

bool proof_is_good(const struct daemon *daemon);

/* How often it was found good. */
int64_t proof_goods(const struct daemon *daemon);

/* Why nothing can be run here, in words for the owner; "": it can, or that is not known yet. */
const char *proof_trouble(const struct daemon *daemon);

/* When proof_step() has something to do; TALK_NEVER: nothing. */
int64_t proof_wake(struct daemon *daemon, int64_t now);

/* Ends it where it runs. */
void proof_stop(struct daemon *daemon);

#endif
