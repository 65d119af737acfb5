/* Taking what a host says of its tasks. */
#ifndef SERVER_ENGINE_REPORTS_H
#define SERVER_ENGINE_REPORTS_H

#include "protocol/scheduler_request.h"
#include "server/engine/cycle.h"

/*
 * The task of that id if the host holds it, else NULL: to a host, another's task and none look
 * alike.
 */
struct task *reports_own_task(const struct work_set *set, int64_t host, int64_t task,
                              struct unit **ret_unit);

/* A body is here: it serves all tasks of the unit that reported it. */
void reports_mark_stored(struct unit *unit, const struct digest *digest);

/*
 * Take the reports of a visit into the loaded units. The first report of a task stands, and only
 * the host that holds a task reports it. Bodies and texts of the request are borrowed until the
 * save.
 */
void reports_take(struct cycle *cycle, int64_t host, const struct scheduler_request *request);

#endif
