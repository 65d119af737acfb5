/* What `dugnad-client status` shows, as JSON. Wall times in Unix seconds, waits in seconds. */
#include "client/daemon/status.h"

#include <string.h>

#include "client/agent/talk.h"
#include "client/daemon/conversation.h"
#include "client/daemon/own_clock.h"
#include "client/daemon/room.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "client/daemon/trouble.h"
#include "common/base/text.h"
#include "common/json/build.h"

static json_t *task_to_json(const struct daemon *daemon, const struct client_task *task)
{
    const struct task_record *record = &task->record;
    json_t *it = build(json_object());
    char why[WHY_MAX + 1];

    build_set(it, "task", json_integer(record->task));
    build_set(it, "phase", build_text(phase_name(record->phase)));
    build_set(it, "unit", build_text(digest_format(&record->unit).text));
    if (task->is_prepared)
        build_set(it, "name", build_text(task->prepared.unit.name.text));
    build_set(it, "deadline", json_integer(record->deadline_s));
    if (task->trouble != NULL)
        build_set(it, "trouble", build_text(task->trouble));
    if (task->running != NULL) {
        struct run_usage usage = daemon->parts.launcher->usage(task->running);

        build_set(it, "cpu_ms", json_integer(usage.cpu_ms));
        build_set(it, "wall_ms", json_integer(usage.wall_ms));
        build_set(it, "memory_bytes", json_integer(usage.memory_bytes));
        if (usage.progress_permille > 0)
            build_set(it, "progress_permille", json_integer(usage.progress_permille));
    }
    if (phase_is_unfinished(record->phase))
        return it;
    build_set(it, "outcome", build_text(visit_outcome_name(record->outcome)));
    task_why(record, why);
    if (why[0] != '\0')
        build_set(it, "why", build_text(why));
    if (record->verdict != 0)
        build_set(it, "verdict", build_text(verdict_name(record->verdict)));
    build_set(it, "credit", json_integer(record->credit));
    build_set(it, "uploads", json_integer((json_int_t)record->wanted.count));
    return it;
}

static json_t *tally_to_json(const struct tally *tally)
{
    json_t *it = build(json_object());

    build_set(it, "accepted", json_integer(tally->accepted));
    build_set(it, "outvoted", json_integer(tally->outvoted));
    build_set(it, "inconclusive", json_integer(tally->inconclusive));
    build_set(it, "errors", json_integer(tally->errors));
    build_set(it, "unit_failed", json_integer(tally->unit_failed));
    build_set(it, "credit", json_integer(tally->credit));
    return it;
}

/* The first reason that holds; what the server said counts once it was asked. */
static void why_idle(struct daemon *daemon, const struct attached *project,
                     char ret_words[WHY_MAX + 1])
{
    talk_why_not(daemon, project, ret_words);
    if (ret_words[0] == '\0' && project->trouble[0] != '\0')
        set_words(ret_words, project->trouble);
    else if (ret_words[0] == '\0' && project->host.host == 0)
        set_words(ret_words, "this machine is not enrolled yet");
    else if (ret_words[0] == '\0')
        set_words(ret_words, project->server_words);
}

static void add_talk(struct daemon *daemon, struct attached *project, json_t *it)
{
    char why[WHY_MAX + 1];
    int64_t wake = talk_wake(daemon, project);
    int64_t now = daemon_now(daemon);

    why_idle(daemon, project, why);
    build_set(it, "why_idle", build_text(why));
    own_clock_why(daemon, project, why);
    build_set(it, "clock_why", build_text(why));
    build_set(it, "trouble", build_text(project->trouble));
    build_set(it, "is_talking", json_boolean(project->talk.exchange != NULL));
    if (wake != TALK_NEVER)
        build_set(it, "asks_again_s", json_integer(wake > now ? (wake - now + 999) / 1000 : 0));
}

static json_t *project_to_json(struct daemon *daemon, struct attached *project)
{
    json_t *it = build(json_object()), *tasks = json_array();

    if (tasks == NULL)
        abort();
    build_set(it, "project", build_text(digest_format(&project->record.project).text));
    build_set(it, "name", build_text(project->record.name));
    build_set(it, "url", build_text(project->record.url));
    build_set(it, "place_why", build_text(project->record.place_why));
    build_set(it, "stopped", build_text(project->record.stopped));
    build_set(it, "leaving", build_text(leaving_name(project->record.leaving)));
    build_set(it, "native_allowed", json_boolean(project->record.native_allowed));
    build_set(it, "host", json_integer(project->host.host));
    build_set(it, "volunteer", json_integer(project->host.volunteer));
    build_set(it, "visits", json_integer(project->host.next_visit - 1));
    build_set(it, "keyring_version", json_integer(project->trust.keyring.version));
    build_set(it, "freshness_sequence", json_integer(project->trust.freshness.sequence));
    add_talk(daemon, project, it);
    build_set(it, "tally", tally_to_json(&project->host.tally));
    for (size_t i = 0; i < project->task_count; i++)
        build_append(tasks, task_to_json(daemon, project->tasks[i]));
    build_set(it, "tasks", tasks);
    return it;
}

/* The first that is wrong with this machine. */
static void trouble_of(const struct daemon *daemon, char ret_words[WHY_MAX + 1])
{
    if (daemon->unloaded_count > 0)
        set_words(ret_words, daemon->unloaded[0].why);
    else if (daemon_trouble(daemon)[0] != '\0')
        set_words(ret_words, daemon_trouble(daemon));
    else if (daemon->parts.runs_nothing)
        set_words(ret_words, "");
    else
        room_why(daemon, ret_words);
}

static json_t *unloaded_to_json(const struct daemon *daemon)
{
    json_t *list = build(json_array());

    for (size_t i = 0; i < daemon->unloaded_count; i++) {
        json_t *it = build(json_object());

        build_set(it, "project", build_text(digest_format(&daemon->unloaded[i].project).text));
        build_set(it, "why", build_text(daemon->unloaded[i].why));
        build_append(list, it);
    }
    return list;
}

static json_t *disk_to_json(const struct daemon *daemon)
{
    json_t *it = build(json_object());

    build_set(it, "free_bytes", json_integer(daemon->space.free));
    build_set(it, "finished_bytes", json_integer(daemon->space.owed));
    build_set(it, "kept_bytes", json_integer(daemon->space.kept));
    build_set(it, "running_bytes", json_integer(room_running(daemon)));
    build_set(it, "cache_bytes", json_integer(daemon->cache.used_bytes));
    build_set(it, "may_use_bytes", json_integer(daemon->space.owed + daemon->room.tasks));
    return it;
}

json_t *status_of_daemon(struct daemon *daemon)
{
    json_t *it = build(json_object()), *projects = json_array();
    char trouble[WHY_MAX + 1];

    if (projects == NULL)
        abort();
    build_set(it, "ok", json_true());
    build_set(it, "client", build_text(daemon->parts.client));
    build_set(it, "is_running", json_true());
    build_set(it, "is_paused", json_boolean(daemon->is_paused));
    trouble_of(daemon, trouble);
    build_set(it, "trouble", build_text(trouble));
    build_set(it, "disk", disk_to_json(daemon));
    build_set(it, "cores", json_integer(daemon->parts.config->cores));
    build_set(it, "time", json_integer(daemon_now_s(daemon)));
    for (size_t i = 0; i < daemon->project_count; i++)
        build_append(projects, project_to_json(daemon, daemon->projects[i]));
    build_set(it, "projects", projects);
    build_set(it, "not_loaded", unloaded_to_json(daemon));
    if (!digest_is_none(&daemon->left)) {
        build_set(it, "left", build_text(digest_format(&daemon->left).text));
        build_set(it, "left_bodies", json_integer(daemon->left_bodies));
    }
    return it;
}
