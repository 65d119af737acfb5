/* How long tasks take, on the rows and hints of a cycle; reckoned in server/policy/estimate.h. */
#ifndef SERVER_ENGINE_TIMING_H
#define SERVER_ENGINE_TIMING_H

#include "server/engine/cycle.h"

/* A task was reported as done: its host's pace learns from it. `said_ms`: as the host says. */
void timing_learn(struct cycle *cycle, const struct unit *unit, const struct task *task,
                  int64_t said_ms);

/* After the commit: the hosts of the set tell what they take. Those whose results never agreed
 * have no voice. */
void timing_teach(struct cycle *cycle);

/* A host's speed over all app versions, in thousandths of the median host's; 0: not known. */
int64_t timing_speed(const struct cycle *cycle, int64_t host);

/* What a task of the unit takes the host, in ms; 0: not known. `speed`: timing_speed(). */
int64_t timing_task_ms(const struct cycle *cycle, int64_t host, int64_t speed,
                       const struct unit *unit);

#endif
