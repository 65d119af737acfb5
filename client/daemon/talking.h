/*
 * Talking with a server: what failures do to it, and how much work to ask for.
 * The rules are client/agent/talk.h's.
 */
#ifndef CLIENT_DAEMON_TALKING_H
#define CLIENT_DAEMON_TALKING_H

#include "client/daemon/attached.h"

/* How many tasks to ask for; 0: none, and talk_why_not() says why. */
int64_t talk_wanted(struct daemon *daemon, const struct attached *project);
void talk_why_not(struct daemon *daemon, const struct attached *project,
                  char ret_words[WHY_MAX + 1]);

/* What every kind of talk does about a failure, and about the contrary. */
void talk_failed(struct daemon *daemon, struct attached *project, enum status status,
                 const struct error *err);
void talk_worked(struct attached *project);

/*
 * Something else than talk failed: if the certificate did it, first contact is made anew; if nobody
 * answered and there are other places, talk finds out where the project is.
 */
void talk_doubt(struct attached *project, const struct error *err);

/*
 * A bulletin came or failed. While a site is not trusted the bulletin's connection tries what is
 * known of its authority, and what waits for its certificate need not outwait the back-off: the
 * project is asked for next, as on first contact or, since it is known again, not so.
 */
void talk_ask_anew(struct daemon *daemon, struct attached *project, bool on_first_contact);

#endif
