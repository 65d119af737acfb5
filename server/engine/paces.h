/*
 * What hosts take for tasks of each app version, as far as this server remembers: hints, taught by
 * the rows of hosts that visit, one voice per volunteer. After a restart they come back with the
 * visits.
 */
#ifndef SERVER_ENGINE_PACES_H
#define SERVER_ENGINE_PACES_H

#include <stdint.h>

#include "server/engine/map.h"

#define PACES_APPS_MAX 4096 /* app versions; then all are forgotten */

/* Zeroed: empty. */
struct paces {
    struct map map; /* by app version; owned */
};

void paces_clear(struct paces *paces);

/* What a host of the volunteer takes (server/policy/estimate.h), in place of what another took. */
void paces_teach(struct paces *paces, int64_t app_version, int64_t volunteer, int64_t pace);

/* The median; 0: nothing is known. */
int64_t paces_median(const struct paces *paces, int64_t app_version);

#endif
