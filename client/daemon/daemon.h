/*
 * The volunteer's daemon: a loop around pure decisions (client/agent/) and durable files
 * (client/state/). It never blocks on the network or on a task: daemon_step() does what can be done
 * now and says when to call it again.
 *
 * Everything it touches is a table of functions, so that a whole daemon runs in one process with
 * others under a fake clock, network and sandbox. One thread.
 */
#ifndef CLIENT_DAEMON_DAEMON_H
#define CLIENT_DAEMON_DAEMON_H

#include <jansson.h>
#include <poll.h>

#include "client/daemon/parts.h"
#include "common/base/error.h"

struct daemon;

/*
 * Load what is there; unreadable files are put aside. Fails only if the folder itself cannot be
 * read.
 */
enum status daemon_open(const struct daemon_parts *parts, struct daemon **ret_daemon,
                        struct error *err) MUST_USE;

/* Do what can be done now, without waiting. Returns when to be called again, monotonic ms. */
int64_t daemon_step(struct daemon *daemon);

/* Does it still take leave of some project? */
bool daemon_is_leaving(const struct daemon *daemon);

/* Wait for the network, tasks, or these others (poll(2)), until then at the latest; then step. */
void daemon_wait(struct daemon *daemon, struct pollfd *others, unsigned other_count,
                 int64_t until_mono_ms);

/*
 * One request of a control verb: {"verb": …}; the answer is {"ok": true, …} or {"ok": false,
 * "why"}. See client/control/verbs.h. A new reference, never NULL.
 */
json_t *daemon_answer(struct daemon *daemon, json_t *request);

/* Ends running tasks (they run again next time) and exchanges. NULL is fine. */
void daemon_close(struct daemon *daemon);
DEFINE_CLEANUP(struct daemon *, daemon_close)

#endif
