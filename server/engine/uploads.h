/* Bodies too large to travel with a report. */
#ifndef SERVER_ENGINE_UPLOADS_H
#define SERVER_ENGINE_UPLOADS_H

#include "server/engine/cycle.h"

/* Both set the command's status and, on STATUS_OK, its reply; the task's unit was loaded. */
void uploads_judge(struct cycle *cycle, struct command *command);
void uploads_take(struct cycle *cycle, struct command *command);

#endif
