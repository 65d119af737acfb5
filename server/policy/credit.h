/*
 * What a task earns: the operations its signed manifest declares, the same for everybody whose
 * result was right, exactly once. Nothing that a host says of itself enters.
 */
#ifndef SERVER_POLICY_CREDIT_H
#define SERVER_POLICY_CREDIT_H

#include "work-units/unit.h"

/* Units that declare nothing still earn their helpers something. */
#define CREDIT_LEAST 1

/*
 * What the unit's tasks[i] is still owed: 0 unless the unit is accepted and the task right (agreed,
 * or inconclusive with the accepted result), and 0 once it was given.
 */
int64_t credit_owed(const struct unit *unit, size_t i);

#endif
