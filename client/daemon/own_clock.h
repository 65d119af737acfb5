/* This computer's clock, as a project's server sees it: the rule is client/agent/clock.h's. */
#ifndef CLIENT_DAEMON_OWN_CLOCK_H
#define CLIENT_DAEMON_OWN_CLOCK_H

#include "client/daemon/attached.h"
#include "protocol/scheduler_reply.h"

/* An answer came, and its time was noted. Logged when the clock is found to be off. */
void own_clock_answered(struct daemon *daemon, struct attached *project,
                        const struct scheduler_reply *reply);

/* In words that blame it; "": it is not known to be off. */
void own_clock_why(const struct daemon *daemon, const struct attached *project,
                   char ret_words[WHY_MAX + 1]);

/* Why nothing may start by our clock; the clock itself where something might by a right one. */
void own_clock_why_stale(const struct daemon *daemon, const struct attached *project,
                         const struct error *stale, char ret_words[WHY_MAX + 1]);

/* Add that our clock is off to why something was refused, where time had a say in it. */
void own_clock_blame(const struct daemon *daemon, const struct attached *project,
                     enum refusal refusal, char why[WHY_MAX + 1]);

/* Is something stale by our clock that no visit was answered since? The server may know better what
 * time it is. */
bool own_clock_is_to_be_asked(const struct daemon *daemon, const struct attached *project);

#endif
