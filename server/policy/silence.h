/*
 * When a host that has work is silent for so long that others get a copy of what it has, though its
 * deadlines are far. No host is blamed: it may be switched off, and what it reports counts.
 */
#ifndef SERVER_POLICY_SILENCE_H
#define SERVER_POLICY_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Every host with work is told to be back within an hour (RETURNING_MOST_S); its owner may have set
 * visit_interval to a day at most, and many a machine runs an hour each evening. */
#define SILENCE_AWAY_S (30 * 3600)

/* In so much of this a server ran that all could have come back: an outage is not their silence,
 * nor is the back-off that followed it. */
#define SILENCE_RUN_S (12 * 3600)

struct silence_facts {
    int64_t seen_s;     /* wall time of its last visit, at whichever server */
    int64_t now_s;      /* wall time, believed */
    int64_t up_since_s; /* of the up-time clock: when this server started ... */
    int64_t up_now_s;   /* ... and now */
};

/* May any host be called silent yet? Before, none has to be looked at. */
bool silence_is_judged(int64_t up_since_s, int64_t up_now_s);

bool silence_is_host_silent(const struct silence_facts *facts);

#endif
