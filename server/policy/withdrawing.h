/*
 * Taking copies back from a host that will not compute them: others get them at once.
 *
 * Such a copy is withdrawn, not ended: its host may be back, and what it reports counts while the
 * unit can use it. It has brought no evidence until then, so it uses up none of the unit's
 * max_tasks (unit_tasks_charged()), nor anybody's allowance; but it stands among the
 * UNIT_TASKS_MAX that a unit ever has.
 */
#ifndef SERVER_POLICY_WITHDRAWING_H
#define SERVER_POLICY_WITHDRAWING_H

#include "work-units/unit.h"

/* May the unit's tasks[i] be taken back from its host? Where no place is left for the copy in its
 * stead the unit would fail by it: then the old one may as well come until its deadline. */
bool withdrawing_is_allowed(const struct unit *unit, size_t i);

#endif
