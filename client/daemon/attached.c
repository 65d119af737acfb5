
#include "client/daemon/attached.h"

#include <string.h>

#include "client/agent/delay.h"
#include "client/daemon/lane.h"
#include "client/daemon/run.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "common/base/log.h"
#include "common/base/text.h"

#define ENVELOPES_MAX SCHEDULER_HAVE_MAX /* of both kinds together, unless more are in use */

uint64_t daemon_draw(struct daemon *daemon)
{
    uint64_t bits;

    daemon->env->random(daemon->env, &bits, sizeof bits);
    return bits;
}

int64_t daemon_now(const struct daemon *daemon)
{
    return daemon->env->now_mono_ms(daemon->env);
}

int64_t daemon_now_s(const struct daemon *daemon)
{
    return daemon->env->now_s(daemon->env);
}

void set_words(char ret_words[WHY_MAX + 1], const char *text)
{
    size_t length = strnlen(text, WHY_MAX);

    /* Never half a character. */
    while (text[length] != '\0' && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    memmove(ret_words, text, length);
    ret_words[length] = '\0';
    text_sanitise(ret_words, length);
    for (char *c = ret_words; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

struct attached *daemon_find(const struct daemon *daemon, const struct digest *project)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        if (digest_equals(&daemon->projects[i]->record.project, project))
            return daemon->projects[i];
    return NULL;
}

static void enlist(struct daemon *daemon, struct attached *project)
{
    size_t count = daemon->project_count + 1;
    struct attached **grown = realloc(daemon->projects, count * sizeof *grown);

    if (grown == NULL)
        abort();
    daemon->projects = grown;
    daemon->projects[daemon->project_count++] = project;
}

static struct attached *attached_new(struct daemon *daemon, const struct digest *project)
{
    struct attached *it = must_alloc(1, sizeof *it);
    int64_t now = daemon_now(daemon);

    it->record.project = *project;
    it->host.next_visit = 1;
    it->hold_until = it->return_at = it->bulletin_at = now;
    it->download_at = it->upload_at = now;
    it->visited_at = INT64_MIN;
    it->report_limit = VISIT_FINISHED_MAX;
    return it;
}

struct attached *attached_add(struct daemon *daemon, const struct digest *project,
                              struct error *err)
{
    struct attached *it;

    if (daemon->project_count == STATE_PROJECTS_MAX) {
        (void)error_set(err, STATUS_TOO_LARGE, "up to %d projects can be attached",
                        STATE_PROJECTS_MAX);
        return NULL;
    }
    it = attached_new(daemon, project);
    if (project_files_init(&it->files, daemon->parts.folder, project, err) != STATUS_OK ||
        project_files_make(&it->files, err) != STATUS_OK) {
        free(it);
        return NULL;
    }
    enlist(daemon, it);
    return it;
}

/* --- envelopes --- */

const struct envelope *attached_envelope(const struct attached *project,
                                         const struct digest *digest)
{
    for (size_t i = 0; i < project->envelope_count; i++)
        if (digest_equals(&project->envelopes[i].digest, digest))
            return &project->envelopes[i];
    return NULL;
}

bool reply_grants(const struct scheduler_reply *reply, const struct digest *digest)
{
    for (size_t i = 0; reply != NULL && i < reply->grant_count; i++)
        if (digest_equals(&reply->grants[i].app_version, digest) ||
            digest_equals(&reply->grants[i].variant, digest))
            return true;
    return false;
}

static bool is_in_use(const struct attached *project, const struct scheduler_reply *reply,
                      const struct digest *digest)
{
    for (size_t i = 0; i < project->task_count; i++) {
        const struct task_record *record = &project->tasks[i]->record;

        if (phase_is_unfinished(record->phase) && (digest_equals(&record->app_version, digest) ||
                                                   digest_equals(&record->variant, digest)))
            return true;
    }
    return reply_grants(reply, digest);
}

/* The first unused one, for they are in the order in which they came. */
static void forget_one(struct attached *project, const struct scheduler_reply *reply)
{
    struct error err = {0};

    for (size_t i = 0; i < project->envelope_count; i++) {
        struct envelope *envelope = &project->envelopes[i];

        if (is_in_use(project, reply, &envelope->digest))
            continue;
        if (remove_envelope(&project->files, &envelope->digest, &err) != STATUS_OK)
            log_failure(LOG_WARN, "envelope.not-removed", &err); /* it is loaded next time */
        envelope_clear(envelope);
        project->envelope_count--;
        memmove(envelope, envelope + 1, (project->envelope_count - i) * sizeof *envelope);
        return;
    }
}

void attached_keep_envelope(struct attached *project, struct envelope *envelope,
                            const struct scheduler_reply *reply)
{
    struct envelope *grown;

    if (attached_envelope(project, &envelope->digest) != NULL) {
        envelope_clear(envelope);
        return;
    }
    if (project->envelope_count >= ENVELOPES_MAX)
        forget_one(project, reply);
    grown = realloc(project->envelopes, (project->envelope_count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    project->envelopes = grown;
    project->envelopes[project->envelope_count++] = *envelope;
    *envelope = (struct envelope){0};
}

/* --- loading --- */

/*
 * A file that is not there, or was put aside because it is not what it should be, is done without.
 * One that the disk does not give now may be fine: nothing may be decided on its absence.
 */
static enum status unless_gone(enum status status)
{
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status load_envelopes(struct attached *project, struct error *err)
{
    struct disk *disk = project->files.folder->env->disk;
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;

    TRY(project_files_join(&project->files, &path, err, "envelopes"));
    TRY(disk->list(disk, path.text, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        struct digest digest;

        if (!text_to_exact_bytes(names.names[i], DIGEST_BYTES, digest.bytes))
            continue;
        TRY(unless_gone(load_envelope(&project->files, &digest, &envelope, err)));
        if (envelope.payload != NULL)
            attached_keep_envelope(project, &envelope, NULL);
    }
    return STATUS_OK;
}

static void free_numbers(int64_t **numbers)
{
    free(*numbers);
}

static enum status load_task(struct attached *project, int64_t number, struct error *err)
{
    struct task_record record = {0};

    TRY(unless_gone(load_task_record(&project->files, number, &record, err)));
    if (record.task != number)
        return STATUS_OK;
    record.phase = phase_after_restart(record.phase);
    (void)task_add(project, &record);
    return STATUS_OK;
}

static enum status load_tasks(struct attached *project, struct error *err)
{
    CLEANUP(free_numbers) int64_t *numbers = NULL;
    size_t count = 0;

    TRY(list_tasks(&project->files, &numbers, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(load_task(project, numbers[i], err));
    return STATUS_OK;
}

/* A host without its key, or a key without its host, is nobody: enrol anew. */
static enum status load_identity(struct attached *project, struct error *err)
{
    struct host_record none = {.next_visit = 1};

    TRY(unless_gone(load_host_key(&project->files, &project->key, err)));
    if (public_key_is_none(&project->key.public_key)) {
        project->host = none;
        return remove_host_identity(&project->files, err);
    }
    TRY(unless_gone(load_host_record(&project->files, &project->host, err)));
    TRY(unless_gone(load_visit_record(&project->files, &project->visit, err)));
    if (project->visit.number < project->host.next_visit)
        visit_record_clear(&project->visit); /* it was answered; only its removal was cut off */
    return STATUS_OK;
}

/*
 * Trust is written before the project is. Where it is lost, so is the newest keyring that was
 * known, and a server could pass an old one off as new: that is for the owner to decide.
 */
static enum status load_chain(struct attached *project, struct error *err)
{
    enum status status = load_trust(&project->files, &project->trust, err);

    if (status != STATUS_NOT_FOUND)
        return status;
    if (project->record.stopped[0] == '\0')
        set_words(project->record.stopped,
                  "what was known of the project's keys cannot be read any more (see aside/): "
                  "attach again with the project's link to start over");
    LOG(LOG_ERROR, "project.stopped", LOG_S("project", project->record.name),
        LOG_S("why", project->record.stopped));
    return STATUS_OK;
}

/* As a wall time it survived; it must not grow beyond what servers may ask for. */
static void restore_return(struct daemon *daemon, struct attached *project)
{
    int64_t left_s = project->host.return_at_s - daemon_now_s(daemon);

    if (left_s > DELAY_TOLD_MAX_S)
        left_s = DELAY_TOLD_MAX_S;
    if (left_s > 0)
        project->return_at = daemon_now(daemon) + left_s * 1000;
}

static enum status load(struct daemon *daemon, struct attached *project, struct error *err)
{
    TRY(load_project_record(&project->files, &project->record, err));
    TRY(project_files_make(&project->files, err));
    TRY(load_chain(project, err));
    contact_check_ca(project);
    TRY(load_identity(project, err));
    restore_return(daemon, project);
    TRY(load_tasks(project, err)); /* first: they say which envelopes are in use */
    return load_envelopes(project, err);
}

static void clear(struct daemon *daemon, struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++) {
        daemon->parts.launcher->release(project->tasks[i]->running);
        run_stop_copying(project->tasks[i]);
        prepared_clear(&project->tasks[i]->prepared);
        task_record_clear(&project->tasks[i]->record);
        free(project->tasks[i]->trouble);
        free(project->tasks[i]);
    }
    free(project->tasks);
    for (size_t i = 0; i < project->envelope_count; i++)
        envelope_clear(&project->envelopes[i]);
    free(project->envelopes);
    project_record_clear(&project->record);
    visit_record_clear(&project->visit);
    private_key_clear(&project->key);
    trust_clear(&project->trust);
    free(project);
}

struct attached *attached_load(struct daemon *daemon, const struct digest *project,
                               struct error *err)
{
    struct attached *it = attached_new(daemon, project);
    enum status status = project_files_init(&it->files, daemon->parts.folder, project, err);

    if (status == STATUS_OK)
        status = load(daemon, it, err);
    if (status == STATUS_OK && !digest_equals(&it->record.project, project))
        status = error_set(err, STATUS_INVALID, "project.json is of another project");
    if (status != STATUS_OK) {
        clear(daemon, it);
        return NULL;
    }
    enlist(daemon, it);
    return it;
}

void attached_free(struct daemon *daemon, struct attached *project)
{
    lane_stop(daemon, &project->talk);
    lane_stop(daemon, &project->download);
    lane_stop(daemon, &project->upload);
    download_close(&project->part);
    disk_file_close(project->sent_file);
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->is_prepared)
            slot_unpin(&daemon->cache, &project->tasks[i]->prepared);
    for (size_t i = 0; i < daemon->project_count; i++)
        if (daemon->projects[i] == project)
            daemon->projects[i] = daemon->projects[--daemon->project_count];
    clear(daemon, project);
}
