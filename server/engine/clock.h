/* Up-time, and whether the wall clock can be believed: policy's judgement with the site's memory.
 */
#ifndef SERVER_ENGINE_CLOCK_H
#define SERVER_ENGINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "server/engine/engine.h"
#include "server/policy/deadline.h"

struct site; /* db/publish.h */

struct clock {
    struct env *env;
    struct clock_facts facts; /* as of the last reading */
    int64_t base_up_s;        /* up-time when `facts.started_…` was */
    int64_t trusted_s; /* what time it was, as far as is believed, when `facts.started_…` was */
    bool was_refused;  /* the store says so, since before this start */
    enum clock_judgement judgement;
};

void clock_start(struct clock *ret_clock, struct env *env, const struct site *site);

/* Read the clocks and judge them. */
struct engine_clock clock_read(struct clock *clock);

/* Up-time is the site's: another server's that is further on is ours, too. */
void clock_catch_up(struct clock *clock, int64_t up_s);

/* An operator vouches for the wall clock as it is now. */
void clock_confirm(struct clock *clock);

/* What the site remembers of it: up-time, and the last commit unless the time is in doubt. */
void clock_write(struct clock *clock, struct site *site);

#endif
