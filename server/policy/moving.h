/*
 * When nothing waits and hosts are idle, copies that wait in the store of another host are offered
 * anew: withdrawn there, and drawn at random by whoever asks. The holder hears of it only when
 * somebody has taken the copy; until then it may begin it after all, and keeps it. What it has
 * begun it ends, and its report counts. So nobody is worse off, and nobody can choose who shares a
 * unit with whom.
 */
#ifndef SERVER_POLICY_MOVING_H
#define SERVER_POLICY_MOVING_H

#include "work-units/unit.h"

#define MOVING_MOST     2     /* copies of a unit that are ever moved */
#define MOVING_LEAST_MS 10000 /* a visit takes as long to bring a copy to another host */
#define MOVING_MOST_MS  60000

/* A copy that its holder starts only after so long may be moved: half of what it takes it
 * (`task_ms`, 0: not known), within these bounds. */
int64_t moving_patience_ms(int64_t task_ms);

/* May the unit's tasks[i], which waits with its holder, be withdrawn for that? It leaves as many
 * tasks as the agreement takes from the start, should these fail. */
bool moving_is_allowed(const struct unit *unit, size_t i);

/* Its holder has begun tasks[i], which was withdrawn: does it go on, for nobody has taken the copy
 * yet? */
bool moving_is_undone(const struct unit *unit, size_t i);

/* Its holder has not begun tasks[i], which was withdrawn: is it to let go of it? */
bool moving_is_done(const struct unit *unit, size_t i);

#endif
