/* Files that could not be had, and when they may be asked for again: struct held_file. */
#ifndef CLIENT_DAEMON_HELD_H
#define CLIENT_DAEMON_HELD_H

#include "client/agent/delay.h"
#include "client/daemon/attached.h"

/* How long to wait after failures of fetching. */
struct delay_rule held_rule(const struct daemon *daemon);

/* It failed; `told_s`: the server said when to come back. 0: it did not. */
void held_add(struct daemon *daemon, struct attached *project, const struct digest *digest,
              int64_t told_s);
void held_release(struct attached *project, const struct digest *digest);

/* Did it fail when it was last asked for? */
bool held_has(const struct attached *project, const struct digest *digest);

/* And is it too early to ask again? */
bool held_waits(const struct attached *project, const struct digest *digest, int64_t now);

/* When the next of them may be asked for; mono ms, TALK_NEVER: there is none. */
int64_t held_wake(const struct attached *project, int64_t now);

#endif
