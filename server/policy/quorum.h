/*
 * Do a unit's reports agree? The rule `exact`: the same result digest from a quorum of tasks no two
 * of which share the identity that the unit's signed independence names.
 *
 * Pure, like all of server/policy/: no SQL, clock, log or randomness; the same unit gives the same
 * decision. Nothing is changed: what becomes of the unit is in the answer.
 */
#ifndef SERVER_POLICY_QUORUM_H
#define SERVER_POLICY_QUORUM_H

#include "work-units/unit.h"

struct quorum_decision {
    enum unit_state state;                 /* what the unit becomes: OPEN, AGREED or FAILED */
    enum unit_failure failure;             /* why, if that is UNIT_FAILED */
    uint32_t copies_wanted;                /* if UNIT_OPEN: tasks to make; 0: await those out */
    enum task_state tasks[UNIT_TASKS_MAX]; /* what the unit's tasks[i] becomes */
};

/* The unit is UNIT_OPEN and its rule within bounds. */
struct quorum_decision quorum_decide(const struct unit *unit);

/*
 * What a good report becomes that came when its unit was agreed or accepted already: TASK_OUTVOTED,
 * or TASK_INCONCLUSIVE if it is right, which still earns credit. `i`: the task's place in the unit.
 */
enum task_state quorum_judge_late(const struct unit *unit, size_t i);

#define QUORUM_UNSTARTED_MOST 1 /* copies of a unit that who shares may have handed back so */

/*
 * Was tasks[i] given up by its volunteer before it was started? Then it says nothing of the unit,
 * and never will: no report of it is taken any more. Every other copy may have brought a result, or
 * may yet: one that was begun (its result is known to whoever computed it), failed, overdue (a late
 * report counts), and one that the server withdrew (its host may report it, too).
 */
bool quorum_is_unstarted(const struct unit *unit, size_t i);

/*
 * May a task of `who` be added to the unit: does it share, then or now, the signed identity with no
 * task that the unit has? `prefix` as in struct task: of a host without an account, else "".
 *
 * A copy that was handed back unstarted is none that it may not share, so that who left and comes
 * again finds work. That it was unstarted is the host's word: it buys one more draw, which an
 * allowance pays for, and no second result, for the agreement counts no copy that was handed back.
 * It holds for QUORUM_UNSTARTED_MOST of them, and only while others would still find as many places
 * among the UNIT_TASKS_MAX as the agreement takes from the start: nobody uses up a unit alone.
 */
bool quorum_is_independent(const struct unit *unit, const struct identity *who, const char *prefix);

#endif
