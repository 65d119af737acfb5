/*
 * A project answers at up to KEYRING_URLS_MAX places, which its keyring lists. Which of them is
 * asked: the one that answered last, until it fails; each has a back-off of its own.
 */
#ifndef CLIENT_AGENT_PLACE_H
#define CLIENT_AGENT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct place {
    int64_t failures;   /* in a row */
    int64_t hold_until; /* mono ms: not asked before; 0: at any time */
};

/*
 * `current` while it may be asked at `now`; else the next one after it that may be; else the one
 * whose time comes first. `count` >= 1.
 */
size_t place_choose(const struct place *places, size_t count, size_t current, int64_t now);

/*
 * May another place do better? Nobody answered, somebody else did, or there is no such site there.
 * What the project's own server says of a request would be said everywhere.
 */
bool place_is_at_fault(enum status status);

/* Is there no other place that may be asked at `now`? */
bool place_is_last_resort(const struct place *places, size_t count, size_t current, int64_t now);

#endif
