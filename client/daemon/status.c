/* What `dugnad-client status` shows, as JSON. Wall times in Unix seconds, waits in seconds. */
#include "client/daemon/status.h"

#include <string.h>

#include "client/agent/talk.h"
#include "client/daemon/conversation.h"
#include "client/daemon/room.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "common/base/text.h"

static void set(json_t *root, const char *name, json_t *value)
{
    if (value == NULL || json_object_set_new(root, name, value) != 0)
        abort();
}

static json_t *object(void)
{
    json_t *it = json_object();

    if (it == NULL)
        abort();
    return it;
}

static json_t *text(const char *value)
{
    return json_string(value);
}

static json_t *task_to_json(const struct daemon *daemon, const struct client_task *task)
{
    const struct task_record *record = &task->record;
    json_t *it = object();
    char why[WHY_MAX + 1];

    set(it, "task", json_integer(record->task));
    set(it, "phase", text(phase_name(record->phase)));
    set(it, "unit", text(digest_format(&record->unit).text));
    if (task->is_prepared)
        set(it, "name", text(task->prepared.unit.name.text));
    set(it, "deadline", json_integer(record->deadline_s));
    if (task->trouble != NULL)
        set(it, "trouble", text(task->trouble));
    if (task->running != NULL) {
        struct run_usage usage = daemon->parts.launcher->usage(task->running);

        set(it, "cpu_ms", json_integer(usage.cpu_ms));
        set(it, "wall_ms", json_integer(usage.wall_ms));
        set(it, "memory_bytes", json_integer(usage.memory_bytes));
    }
    if (phase_is_unfinished(record->phase))
        return it;
    set(it, "outcome", text(visit_outcome_name(record->outcome)));
    task_why(record, why);
    if (why[0] != '\0')
        set(it, "why", text(why));
    if (record->verdict != 0)
        set(it, "verdict", text(verdict_name(record->verdict)));
    set(it, "credit", json_integer(record->credit));
    set(it, "uploads", json_integer((json_int_t)record->wanted.count));
    return it;
}

static json_t *tally_to_json(const struct tally *tally)
{
    json_t *it = object();

    set(it, "accepted", json_integer(tally->accepted));
    set(it, "outvoted", json_integer(tally->outvoted));
    set(it, "inconclusive", json_integer(tally->inconclusive));
    set(it, "errors", json_integer(tally->errors));
    set(it, "unit_failed", json_integer(tally->unit_failed));
    set(it, "credit", json_integer(tally->credit));
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
    set(it, "why_idle", text(why));
    set(it, "trouble", text(project->trouble));
    set(it, "is_talking", json_boolean(project->talk.exchange != NULL));
    if (wake != TALK_NEVER)
        set(it, "asks_again_s", json_integer(wake > now ? (wake - now + 999) / 1000 : 0));
}

static json_t *project_to_json(struct daemon *daemon, struct attached *project)
{
    json_t *it = object(), *tasks = json_array();

    if (tasks == NULL)
        abort();
    set(it, "project", text(digest_format(&project->record.project).text));
    set(it, "name", text(project->record.name));
    set(it, "url", text(project->record.url));
    set(it, "stopped", text(project->record.stopped));
    set(it, "leaving", text(leaving_name(project->record.leaving)));
    set(it, "native_allowed", json_boolean(project->record.native_allowed));
    set(it, "host", json_integer(project->host.host));
    set(it, "volunteer", json_integer(project->host.volunteer));
    set(it, "visits", json_integer(project->host.next_visit - 1));
    set(it, "keyring_version", json_integer(project->trust.keyring.version));
    set(it, "freshness_sequence", json_integer(project->trust.freshness.sequence));
    add_talk(daemon, project, it);
    set(it, "tally", tally_to_json(&project->host.tally));
    for (size_t i = 0; i < project->task_count; i++)
        if (json_array_append_new(tasks, task_to_json(daemon, project->tasks[i])) != 0)
            abort();
    set(it, "tasks", tasks);
    return it;
}

/* The first that is wrong with this machine. */
static void trouble_of(const struct daemon *daemon, char ret_words[WHY_MAX + 1])
{
    if (daemon->unloaded[0] != '\0')
        set_words(ret_words, daemon->unloaded);
    else if (daemon_trouble(daemon)[0] != '\0')
        set_words(ret_words, daemon_trouble(daemon));
    else if (daemon->parts.runs_nothing)
        set_words(ret_words, "");
    else
        room_why(daemon, ret_words);
}

static json_t *disk_to_json(const struct daemon *daemon)
{
    json_t *it = object();

    set(it, "free_bytes", json_integer(daemon->space.free));
    set(it, "finished_bytes", json_integer(daemon->space.owed));
    set(it, "kept_bytes", json_integer(daemon->space.kept));
    set(it, "running_bytes", json_integer(room_running(daemon)));
    set(it, "cache_bytes", json_integer(daemon->cache.used_bytes));
    set(it, "may_use_bytes", json_integer(daemon->space.owed + daemon->room.tasks));
    return it;
}

json_t *status_of_daemon(struct daemon *daemon)
{
    json_t *it = object(), *projects = json_array();
    char trouble[WHY_MAX + 1];

    if (projects == NULL)
        abort();
    set(it, "ok", json_true());
    set(it, "client", text(daemon->parts.client));
    set(it, "is_running", json_true());
    set(it, "is_paused", json_boolean(daemon->is_paused));
    trouble_of(daemon, trouble);
    set(it, "trouble", text(trouble));
    set(it, "disk", disk_to_json(daemon));
    set(it, "cores", json_integer(daemon->parts.config->cores));
    set(it, "time", json_integer(daemon_now_s(daemon)));
    for (size_t i = 0; i < daemon->project_count; i++)
        if (json_array_append_new(projects, project_to_json(daemon, daemon->projects[i])) != 0)
            abort();
    set(it, "projects", projects);
    if (!digest_is_none(&daemon->left)) {
        set(it, "left", text(digest_format(&daemon->left).text));
        set(it, "left_bodies", json_integer(daemon->left_bodies));
    }
    return it;
}
