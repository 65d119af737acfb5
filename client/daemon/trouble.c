#include "client/daemon/trouble.h"

#include <stdlib.h>

#include "client/agent/delay.h"
#include "client/daemon/proof.h"
#include "client/daemon/tasks.h"
#include "common/base/text.h"

#define MACHINE_RETRY_MS      60000
#define MACHINE_RETRY_LAST_MS (30 * 60000)
#define FAILS_HERE_MAX        8 /* in a row: two hours or so */
#define TROUBLED_MANY         2 /* tasks whose trouble is their project's; projects, the machine's */

void task_trouble(struct daemon *daemon, struct client_task *task, const char *why)
{
    const struct delay_rule rule = {.first_ms = MACHINE_RETRY_MS, .last_ms = MACHINE_RETRY_LAST_MS};

    if (why == NULL && task->trouble == NULL)
        return;
    free(task->trouble);
    task->trouble = why != NULL ? text_copy(why) : NULL;
    if (why == NULL) {
        task->failures = 0;
        return;
    }
    task->failures++;
    task->not_before = daemon_now(daemon) + delay_ms(&rule, task->failures, 0, daemon_draw(daemon));
}

void task_fails_here(struct daemon *daemon, struct attached *project, struct client_task *task,
                     const char *why)
{
    task_trouble(daemon, task, why);
    if (task->failures >= FAILS_HERE_MAX && proof_is_good(daemon))
        task_abandon(daemon, project, task, why);
}

/* Of `enough` troubled tasks the last one's. NULL: there are fewer. */
static const char *trouble_of_tasks(const struct attached *project, size_t enough, size_t *troubled)
{
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->trouble != NULL && ++*troubled == enough)
            return project->tasks[i]->trouble;
    return NULL;
}

const char *daemon_trouble(const struct daemon *daemon)
{
    const char *words = NULL;
    size_t troubled = 0;

    if (daemon->proof.why[0] != '\0')
        return daemon->proof.why;
    for (size_t i = 0; i < daemon->project_count; i++)
        if (daemon->projects[i]->unsaved[0] != '\0')
            return daemon->projects[i]->unsaved;
    for (size_t i = 0; i < daemon->project_count && words == NULL; i++)
        words = trouble_of_tasks(daemon->projects[i], TROUBLED_MANY, &troubled);
    return words != NULL ? words : "";
}

static bool is_troubled(const struct attached *project, size_t enough)
{
    size_t troubled = 0;

    return project->unsaved[0] != '\0' || trouble_of_tasks(project, enough, &troubled) != NULL;
}

const char *project_trouble(const struct daemon *daemon, const struct attached *project)
{
    size_t troubled = 0, projects = 0;

    if (daemon->proof.why[0] != '\0')
        return daemon->proof.why;
    if (project->unsaved[0] != '\0')
        return project->unsaved;
    if (is_troubled(project, TROUBLED_MANY))
        return trouble_of_tasks(project, TROUBLED_MANY, &troubled);
    for (size_t i = 0; i < daemon->project_count; i++)
        projects += is_troubled(daemon->projects[i], 1) ? 1 : 0;
    return projects >= TROUBLED_MANY ? daemon_trouble(daemon) : "";
}
