#include "client/daemon/talking.h"

#include <string.h>

#include "client/agent/choose.h"
#include "client/agent/delay.h"
#include "client/daemon/own_clock.h"
#include "client/daemon/places.h"
#include "client/daemon/room.h"
#include "client/daemon/tasks.h"
#include "client/daemon/trouble.h"
#include "common/base/log.h"
#include "common/base/text.h"

/* The site's authority may be another one than it was: the keyring says which it may be. */
static bool is_of_another_authority(const struct error *err)
{
    return err->code != NULL && (strcmp(err->code, "certificate-unknown-ca") == 0 ||
                                 strcmp(err->code, "certificate-refused") == 0);
}

void talk_doubt(struct attached *project, const struct error *err)
{
    if (err->status == STATUS_UNREACHABLE && places_are_several(project))
        project->wants_contact = true;
    if (is_of_another_authority(err) && !project->wants_contact)
        project->wants_contact = project->is_first_contact = true;
}

void talk_ask_anew(struct daemon *daemon, struct attached *project, bool on_first_contact)
{
    if (!project->is_distrusted)
        return;
    project->wants_contact = true;
    project->is_first_contact = on_first_contact;
    if (project->hold_until > daemon_now(daemon))
        project->hold_until = daemon_now(daemon);
}

/* Each place may have an authority of its own: first contact decides before the next is tried. */
static void try_elsewhere(struct daemon *daemon, struct attached *project, const struct error *err)
{
    if (!project->is_distrusted || project->is_first_contact) {
        places_failed(daemon, project, err);
        return;
    }
    project->wants_contact = project->is_first_contact = true;
    project->hold_until = daemon_now(daemon);
}

void talk_failed(struct daemon *daemon, struct attached *project, enum status status,
                 const struct error *err)
{
    const struct delay_rule rule = {.first_ms = daemon->parts.config->retry_first * 1000,
                                    .last_ms = daemon->parts.config->retry_last * 1000};

    log_failure(LOG_WARN, "server.failed", err);
    set_words(project->trouble, err->text);
    project->failures++;
    project->hold_until = daemon_now(daemon) + delay_ms(&rule, project->failures,
                                                        err->retry_after_s, daemon_draw(daemon));
    project->is_distrusted = status == STATUS_UNTRUSTED && is_of_another_authority(err);
    if (places_are_several(project) && place_is_at_fault(status)) {
        try_elsewhere(daemon, project, err);
        return;
    }
    if (!project->is_distrusted)
        return;
    /* By turns: the site may come back with a certificate that the system knows. */
    project->wants_contact = true;
    project->is_first_contact = !project->is_first_contact;
}

void talk_worked(struct attached *project)
{
    project->failures = 0;
    project->is_distrusted = false;
    project->trouble[0] = '\0';
    places_worked(project);
}

void talk_why_not(struct daemon *daemon, const struct attached *project,
                  char ret_words[WHY_MAX + 1])
{
    struct error err = {0};

    if (project->record.stopped[0] != '\0')
        set_words(ret_words, project->record.stopped);
    else if (project->record.leaving != LEAVING_NOT)
        set_words(ret_words, "its owner leaves this project");
    else if (daemon->is_paused)
        set_words(ret_words, "paused by its owner");
    else if (!project->record.native_allowed)
        set_words(ret_words, "its owner has not allowed this project's programs to run");
    else if (trust_may_start(&project->trust, daemon_now_s(daemon), &err) != REFUSAL_NONE)
        own_clock_why_stale(daemon, project, &err, ret_words);
    else if (project->wants_contact)
        set_words(ret_words, "the project's keys are asked for first");
    else if (project_trouble(daemon, project)[0] != '\0')
        set_words(ret_words, project_trouble(daemon, project));
    else if (project->task_count >= STATE_TASKS_MAX - SCHEDULER_WANT_MAX)
        set_words(ret_words, "too many finished tasks wait for the server");
    else if (attached_open(project) >= SCHEDULER_HELD_MAX)
        set_words(ret_words, "it has as many tasks as one visit can tell of");
    else
        room_why(daemon, ret_words);
}

int64_t talk_wanted(struct daemon *daemon, const struct attached *project)
{
    char why[WHY_MAX + 1];
    struct want_view view = {
        .cores = daemon->parts.config->cores,
        .buffer_s = daemon->parts.config->work_buffer,
        .mean_task_ms = project->mean_task_ms,
        .of_project = attached_unfinished(project),
        .listed = attached_open(project),
        .most_listed = SCHEDULER_HELD_MAX,
        .project_count = (int64_t)daemon->project_count,
        .most_of_server = SCHEDULER_WANT_MAX,
        .disk_bytes = daemon->room.more,
    };

    talk_why_not(daemon, project, why);
    if (why[0] != '\0')
        return 0;
    for (size_t i = 0; i < daemon->project_count; i++)
        view.unfinished += attached_unfinished(daemon->projects[i]);
    if (view.unfinished > 0)
        view.task_bytes = daemon->space.to_come / view.unfinished;
    return choose_want(&view);
}
