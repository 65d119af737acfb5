/* Hosts that come to be known, or come again with the same key. */
#ifndef SERVER_ENGINE_ENROLMENTS_H
#define SERVER_ENGINE_ENROLMENTS_H

#include "server/engine/cycle.h"

/* Sets the command's status. The host of its key was loaded if there is one. A failure of the store
 * is returned, and fails the cycle. */
enum status enrolment_take(struct cycle *cycle, struct command *command, struct error *err);

/* After the commit: fill the reply, publish the token. */
void enrolment_answer(struct cycle *cycle, struct command *command);

#endif
