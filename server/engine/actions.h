/* What operators do with a batch as a whole. */
#ifndef SERVER_ENGINE_ACTIONS_H
#define SERVER_ENGINE_ACTIONS_H

#include "server/engine/cycle.h"

/* Look the batch up: sets `row`, or the command's status. A failure of the store is returned. */
enum status action_find(struct cycle *cycle, struct command *command, struct error *err);

/* Sets the command's status and reply; the batch was loaded. */
void action_take(struct cycle *cycle, struct command *command);

/* After the commit: what concerns all units of the batch goes on tick by tick. */
void action_follow_up(struct engine *engine, const struct command *command);

/* At start: go on with what a batch was told before. */
void actions_resume(struct engine *engine, const struct batch *batch);

/* The next slice of what was begun, if anything was. */
enum status actions_go_on(struct engine *engine, struct error *err);

#endif
