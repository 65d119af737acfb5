/*
 * The volunteer's disk: what is free, what we use of it, and what that leaves. The decisions are
 * those of client/agent/room.h; here is what they are made from, and what is said about them.
 */
#include "client/daemon/room.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"

#define MEBIBYTE (1024 * 1024)

/* --- looking --- */

static int64_t clamp(int64_t bytes)
{
    return bytes < ROOM_BYTES_MAX ? bytes : ROOM_BYTES_MAX;
}

/* What it was before, if the disk does not say. */
static int64_t free_now(const struct daemon *daemon)
{
    struct disk *disk = daemon->env->disk;
    struct disk_space space;
    struct error err = {0};

    if (disk->space(disk, daemon->parts.folder->path.text, &space, &err) != STATUS_OK) {
        log_failure(LOG_DEBUG, "disk.unknown", &err);
        return daemon->space.free;
    }
    return space.total_bytes > 0 ? clamp(space.free_bytes) : ROOM_BYTES_MAX;
}

bool task_holds_disk(const struct client_task *task)
{
    return task->filling != NULL || task->running != NULL || task->record.phase == PHASE_COLLECTING;
}

int64_t task_room(const struct client_task *task)
{
    struct task_need need = slot_need(&task->prepared);

    return room_of_task(&need);
}

static void add_task(const struct daemon *daemon, const struct client_task *task,
                     struct room_view *view)
{
    if (task->record.phase == PHASE_STORED)
        view->kept = room_sum(view->kept, task_record_bytes(&task->record));
    else if (!phase_is_unfinished(task->record.phase))
        view->owed = room_sum(view->owed, task_record_bytes(&task->record));
    else if (task->is_prepared)
        view->to_come = room_sum(view->to_come, clamp(task->prepared.unit.limits.output_bytes));
    if (task->running != NULL)
        view->written += daemon->parts.launcher->usage(task->running).disk_bytes;
}

static void add_download(const struct daemon *daemon, const struct download *part,
                         struct room_view *view)
{
    int64_t there = part->got > part->found ? part->got : part->found;

    if (part->file == NULL)
        return;
    view->fetching = room_sum(view->fetching, part->size - there);
    if (!cache_has(&daemon->cache, &part->digest) && view->missing >= part->size)
        view->missing -= part->size;
}

static void add_bundle(const struct daemon *daemon, const struct bundle *bundle,
                       struct room_view *view)
{
    view->fetching = room_sum(view->fetching, bundle->bytes_left);
    for (size_t i = bundle->next; i < bundle->count; i++)
        if (!cache_has(&daemon->cache, &bundle->files[i]) && view->missing >= bundle->sizes[i])
            view->missing -= bundle->sizes[i];
}

static struct room_view look(const struct daemon *daemon)
{
    struct room_view view = {.free = free_now(daemon),
                             .missing = cache_missing_bytes(&daemon->cache)};

    for (size_t i = 0; i < daemon->project_count; i++) {
        const struct attached *project = daemon->projects[i];

        for (size_t j = 0; j < project->task_count; j++)
            add_task(daemon, project->tasks[j], &view);
        for (size_t j = 0; j < FETCHES_MAX; j++)
            add_download(daemon, &project->fetches[j].part, &view);
        add_bundle(daemon, &project->bundle, &view);
    }
    view.cached = daemon->cache.used_bytes - view.fetching; /* these are taken already */
    return view;
}

static void decide(struct daemon *daemon)
{
    const struct room_rule rule = {.most = daemon->parts.config->disk,
                                   .percent = daemon->parts.config->disk_percent,
                                   .floor = daemon->parts.config->free_floor};

    daemon->room = room_decide(&rule, &daemon->space);
}

static void say(const struct daemon *daemon, enum room_lack before)
{
    char why[WHY_MAX + 1];

    if (daemon->room.lack == before || daemon->parts.runs_nothing)
        return;
    room_why(daemon, why);
    if (daemon->room.lack != ROOM_ENOUGH)
        LOG(LOG_WARN, "disk.short", LOG_S("why", why));
    else
        LOG(LOG_INFO, "disk.has-room", LOG_N("free", daemon->space.free));
}

void room_look(struct daemon *daemon)
{
    enum room_lack before = daemon->room.lack;
    int64_t floor = daemon->parts.config->free_floor;

    daemon->space = look(daemon);
    daemon->waits_for = daemon->waits_for_next;
    daemon->waits_for_next = 0;
    if (daemon->space.free < floor && !daemon->parts.runs_nothing)
        cache_give_back(&daemon->cache, floor - daemon->space.free);
    decide(daemon);
    say(daemon, before);
}

/* --- using it --- */

int64_t room_running(const struct daemon *daemon)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < daemon->project_count; i++)
        for (size_t j = 0; j < daemon->projects[i]->task_count; j++) {
            const struct client_task *task = daemon->projects[i]->tasks[j];

            if (task->is_prepared && task_holds_disk(task))
                bytes = room_sum(bytes, task_room(task));
        }
    return bytes;
}

bool room_lets_fetch(struct daemon *daemon, const struct client_task *task)
{
    const struct fetch_view view = {
        .missing = slot_missing_bytes(&daemon->cache, &task->prepared),
        .task = task_room(task),
        .running = room_running(daemon),
    };

    if (room_may_fetch(&daemon->room, &view))
        return true;
    if (view.missing + view.task > daemon->room.above)
        room_wait(daemon, room_sum(view.missing, view.task));
    return false;
}

void room_take(struct daemon *daemon, int64_t bytes)
{
    daemon->space.fetching = room_sum(daemon->space.fetching, bytes);
    decide(daemon);
}

void room_wait(struct daemon *daemon, int64_t bytes)
{
    daemon->waits_for_next = bytes;
}

/* --- saying it --- */

static long long mebibytes(int64_t bytes)
{
    return (long long)((bytes > 0 ? bytes : 0) / MEBIBYTE);
}

void room_why(const struct daemon *daemon, char ret_words[WHY_MAX + 1])
{
    CLEANUP(freep) char *words = NULL;

    if (daemon->room.lack == ROOM_LACKS_FREE)
        words =
            text_format("this machine's disk has %lld MiB free, of which free_floor leaves "
                        "%lld MiB to others",
                        mebibytes(daemon->space.free), mebibytes(daemon->parts.config->free_floor));
    else if (daemon->room.lack == ROOM_LACKS_OWED)
        words = text_copy("finished work that waits for its server fills the disk that this "
                          "client's owner allows");
    else if (daemon->waits_for > 0)
        words = text_format("a task may need %lld MiB of this machine's disk, of which it may have "
                            "%lld MiB now (settings disk, disk_percent, free_floor)",
                            mebibytes(daemon->waits_for), mebibytes(daemon->room.tasks));
    else if (daemon->room.lack == ROOM_LACKS_ON_HAND)
        words = text_copy("the tasks on hand may need all of the disk that this client's owner "
                          "allows");
    set_words(ret_words, words != NULL ? words : "");
}
