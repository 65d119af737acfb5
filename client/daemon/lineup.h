/*
 * Which task is started next: the tasks of all projects as client/agent/choose.h sees them, and
 * what is remembered of those that ended.
 */
#ifndef CLIENT_DAEMON_LINEUP_H
#define CLIENT_DAEMON_LINEUP_H

#include "client/agent/choose.h"
#include "client/daemon/attached.h"

#define LINEUP_MAX (STATE_PROJECTS_MAX * 64) /* tasks that are looked at */

/* Before lineup_next(), of all projects: which batches have tasks here now. */
void lineup_meet(struct daemon *daemon);

/* Of the tasks of a project, in which order their files are fetched: as they would start. Good for
 * the step in which it was made. */
struct lineup_order {
    const struct attached *project;
    struct choose_order order;
    struct turns turns;
};

void lineup_order(struct daemon *daemon, struct attached *project, struct lineup_order *ret_order);
bool lineup_is_before(const struct lineup_order *order, const struct client_task *a,
                      const struct client_task *b);

/* The task to start now, borrowed; false: none, and the outputs are left alone. */
bool lineup_next(struct daemon *daemon, struct attached **ret_project,
                 struct client_task **ret_task);

/* It ran for so long; record.starts is as it was meanwhile. */
void lineup_ended(const struct daemon *daemon, struct attached *project,
                  const struct client_task *task, const struct run_outcome *outcome);

#endif
