#include "client/daemon/conversation.h"

#include "client/agent/talk.h"
#include "client/daemon/contact.h"
#include "client/daemon/enrol.h"
#include "client/daemon/lane.h"
#include "client/daemon/own_clock.h"
#include "client/daemon/places.h"
#include "client/daemon/refused.h"
#include "client/daemon/talking.h"
#include "client/daemon/visit.h"

static bool has_idle_core(const struct daemon *daemon)
{
    int64_t unfinished = 0;

    for (size_t i = 0; i < daemon->project_count; i++)
        unfinished += attached_unfinished(daemon->projects[i]);
    return unfinished < daemon->parts.config->cores;
}

static struct talk_view view_of(struct daemon *daemon, const struct attached *project)
{
    struct talk_view view = {
        .now = daemon_now(daemon),
        .hold_until = project->hold_until,
        .return_at = project->return_at,
        .visited_at = project->visited_at,
        .visit_interval = daemon->parts.config->visit_interval * 1000,
        .hailed_at = project->hailed_at,
        .bulletin_at = project->bulletin_at,
        .look_at = project->look_at,
        .has_idle_core = has_idle_core(daemon),
        .is_stopped = project->record.stopped[0] != '\0',
        .wants_contact = project->wants_contact || digest_is_none(&project->trust.project),
        .is_keyless = project->is_keyless && attached_may_have_token(project),
        .is_enrolled = project->host.host != 0,
        .has_to_tell = refused_is_to_be_told(project),
        .has_to_ask_time = own_clock_is_to_be_asked(daemon, project),
        .has_unanswered_visit = project->visit.body != NULL,
        .is_leaving = project->record.leaving != LEAVING_NOT,
        .open_tasks = attached_open(project),
        .tasks_wanted = talk_wanted(daemon, project),
    };

    for (size_t i = 0; i < project->task_count; i++) {
        const struct client_task *task = project->tasks[i];

        view.reports += task->record.phase == PHASE_FINISHED && !task->is_dirty ? 1 : 0;
    }
    return view;
}

void talk_step(struct daemon *daemon, struct attached *project)
{
    struct talk_view view;

    lane_poll(daemon, project, &project->talk);
    places_settle(daemon, project);
    if (project->talk.exchange != NULL)
        return;
    view = view_of(daemon, project);
    switch (talk_decide(&view).talk) {
    case TALK_PROJECT:
        contact_start(daemon, project);
        break;
    case TALK_ENROL:
        enrol_start(daemon, project);
        break;
    case TALK_VISIT:
        visit_start(daemon, project);
        break;
    case TALK_BULLETIN:
        bulletin_start(daemon, project);
        break;
    case TALK_NOTHING:
    default:
        break;
    }
}

int64_t talk_wake(struct daemon *daemon, struct attached *project)
{
    struct talk_view view = view_of(daemon, project);
    struct talk_decision decision = talk_decide(&view);

    if (project->talk.exchange != NULL)
        return TALK_NEVER; /* the network wakes us */
    return decision.talk == TALK_NOTHING ? decision.look_again : view.now;
}
