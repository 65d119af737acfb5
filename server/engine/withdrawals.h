/* Copies are taken back from hosts that will not compute them. */
#ifndef SERVER_ENGINE_WITHDRAWALS_H
#define SERVER_ENGINE_WITHDRAWALS_H

#include "server/engine/cycle.h"

/* Take back a loaded unit's task that is TASK_SENT, and say how many copies the unit wants now. Of
 * a host that is loaded the day's allowance gets it back. */
void withdraw_task(struct cycle *cycle, struct unit *unit, struct task *task);

/* Its host, which is loaded, had begun it, and nobody has taken it yet: it goes on. */
void withdraw_not(struct cycle *cycle, struct unit *unit, struct task *task);

/* COMMAND_WITHDRAW_HOST, of a host that was loaded with its tasks and is indexed: sets its status
 * and reply. */
void withdrawal_take(struct cycle *cycle, struct command *command);

/* After the commit: the host is counted and expected no more, until it visits. */
void withdrawal_follow_up(struct engine *engine, const struct command *command);

#endif
