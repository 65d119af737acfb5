/*
 * When a host that has work is silent for so long that others get a copy of what it has, though its
 * deadlines are far. No host is blamed: it may be switched off, and what it reports counts.
 */
#ifndef SERVER_POLICY_SILENCE_H
#define SERVER_POLICY_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Of the site's up-time: only while it runs may a host be missed, so neither a server that is down
 * nor a jump of the wall clock makes one silent, and a restart does not begin the count anew. A
 * server that runs and cannot be reached for so long misses everybody. Every host with work is told
 * to be back within an hour (RETURNING_MOST_S); its owner may have set visit_interval to a day at
 * most, and many a machine runs an hour each evening. What is above a day is more than a client's
 * back-off after an outage.
 */
#define SILENCE_AWAY_S (30 * 3600)

/* Both of the up-time clock: the host's last visit, at whichever server, and now. */
bool silence_is_host_silent(int64_t seen_up_s, int64_t up_now_s);

#endif
