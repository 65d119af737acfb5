#include "server/files/uploads.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/log.h"
#include "server/files/sidecar.h"
#include "server/files/store.h"
#include "server/files/upload_table.h"

enum status upload_part_path(const struct uploads *uploads, const char *id,
                             struct disk_path *ret_path, struct error *err)
{
    return disk_join(ret_path, err, "%s/%s.part", uploads->path.text, id);
}

static enum status note_path(const struct uploads *uploads, const char *id,
                             struct disk_path *ret_path, struct error *err)
{
    return disk_join(ret_path, err, "%s/%s.json", uploads->path.text, id);
}

void upload_remove_files(const struct uploads *uploads, const char *id)
{
    struct disk *disk = uploads->env->disk;
    struct disk_path path;

    if (note_path(uploads, id, &path, NULL) == STATUS_OK)
        (void)disk->remove(disk, path.text, NULL);
    if (upload_part_path(uploads, id, &path, NULL) == STATUS_OK)
        (void)disk->remove(disk, path.text, NULL);
}

static struct upload_entry *add_entry(struct uploads *uploads, const struct upload *facts)
{
    struct upload_entry *entry = must_alloc(1, sizeof *entry);

    entry->facts = *facts;
    entry->touched_s = uploads->env->now_s(uploads->env);
    hasher_init(&entry->hasher);
    entry->next = uploads->entries;
    uploads->entries = entry;
    return entry;
}

static void free_entry(struct upload_entry *entry)
{
    hasher_clear(&entry->hasher);
    free(entry);
}

static void drop_entry(struct uploads *uploads, struct upload_entry *entry)
{
    struct upload_entry **slot = &uploads->entries;

    while (*slot != entry)
        slot = &(*slot)->next;
    *slot = entry->next;
    if (entry->state != UPLOAD_DONE)
        upload_remove_files(uploads, entry->facts.id);
    free_entry(entry);
}

/* To be called with the mutex held, like all that look at the list. */
struct upload_entry *upload_find(const struct uploads *uploads, const char *id, int64_t host)
{
    for (struct upload_entry *entry = uploads->entries; entry != NULL; entry = entry->next)
        if (entry->facts.host == host && strcmp(entry->facts.id, id) == 0)
            return entry;
    return NULL;
}

enum status upload_not_found(struct error *err)
{
    return error_set(err, STATUS_NOT_FOUND, "no such upload; create it anew");
}

enum status upload_is_busy(struct error *err)
{
    error_set(err, STATUS_BUSY, "this upload is being written by another request");
    error_code(err, UPLOAD_LOCKED);
    error_retry_after(err, 2);
    return STATUS_BUSY;
}

/* What a crash left without its other half is removed; only whole pairs are taken up. */
static void take_up(struct uploads *uploads, const char *id)
{
    struct disk *disk = uploads->env->disk;
    CLEANUP(buffer_clear) struct buffer note = {.max = SIDECAR_MAX_BYTES};
    struct disk_path path;
    struct disk_entry part;
    struct upload facts;
    struct error err;
    enum status status = note_path(uploads, id, &path, &err);

    if (status == STATUS_OK)
        status = disk->read(disk, path.text, &note, &err);
    if (status == STATUS_OK)
        status = sidecar_decode(note.bytes, note.length, &facts, &err);
    if (status == STATUS_OK)
        status = upload_part_path(uploads, id, &path, &err);
    if (status == STATUS_OK)
        status = disk->look(disk, path.text, &part, &err);
    if (status != STATUS_OK || part.kind != DISK_FILE || part.size_bytes > facts.length ||
        !text_fit(facts.id, sizeof facts.id, id)) {
        LOG(LOG_WARN, "upload.leftover", LOG_S("upload", id));
        upload_remove_files(uploads, id);
        return;
    }
    facts.offset = part.size_bytes;
    (void)add_entry(uploads, &facts);
}

static void clear_leftover(struct uploads *uploads, const char *name)
{
    struct env *env = uploads->env;
    struct disk_path path;
    struct disk_entry entry;

    if (disk_join(&path, NULL, "%s/%s", uploads->path.text, name) == STATUS_OK &&
        env->disk->look(env->disk, path.text, &entry, NULL) == STATUS_OK &&
        owned_is_leftover(name, uploads->limits.server, entry.changed_s, env->now_s(env)))
        (void)env->disk->remove(env->disk, path.text, NULL);
}

/* Once per upload, for the first of its files by name. */
static void take_up_file(struct uploads *uploads, const char *name)
{
    bool is_ours = owned_is_of(name, uploads->limits.server);
    const char *suffix = is_ours ? name + OWNED_ID_CHARS : "";
    char id[OWNED_ID_CHARS + 1] = "";
    struct disk_path path;

    if (is_ours)
        memcpy(id, name, OWNED_ID_CHARS);
    if (strcmp(suffix, ".json") == 0) {
        take_up(uploads, id);
        return;
    }
    if (strcmp(suffix, ".part") == 0 && note_path(uploads, id, &path, NULL) == STATUS_OK &&
        disk_has(uploads->env->disk, path.text))
        return;
    clear_leftover(uploads, name);
}

static enum status resume(struct uploads *uploads, struct error *err)
{
    struct disk *disk = uploads->env->disk;
    CLEANUP(disk_names_clear) struct disk_names names = {0};

    TRY(disk_make_folders(disk, uploads->path.text, 0700, err));
    TRY(disk->list(disk, uploads->path.text, &names, err));
    for (size_t i = 0; i < names.count; i++)
        take_up_file(uploads, names.names[i]);
    return STATUS_OK;
}

enum status uploads_open(struct env *env, const char *path, struct file_store *files,
                         const struct upload_limits *limits, struct uploads **ret_uploads,
                         struct error *err)
{
    CLEANUP(uploads_freep) struct uploads *uploads = must_alloc(1, sizeof *uploads);

    uploads->env = env;
    uploads->files = files;
    uploads->limits = *limits;
    if (pthread_mutex_init(&uploads->mutex, NULL) != 0)
        abort();
    TRY(disk_join(&uploads->path, err, "%s", path));
    TRY(resume(uploads, err));
    *ret_uploads = TAKE(uploads);
    return STATUS_OK;
}

void uploads_free(struct uploads *uploads)
{
    if (uploads == NULL)
        return;
    while (uploads->entries != NULL) {
        struct upload_entry *entry = uploads->entries;

        assert(entry->state != UPLOAD_WRITTEN);
        uploads->entries = entry->next;
        free_entry(entry);
    }
    (void)pthread_mutex_destroy(&uploads->mutex);
    free(uploads);
}

static bool is_open(const struct upload_entry *entry)
{
    return entry->state == UPLOAD_RESTING || entry->state == UPLOAD_WRITTEN;
}

static enum status check_room(const struct uploads *uploads, int64_t host, struct error *err)
{
    size_t of_host = 0;
    size_t in_all = 0;

    for (const struct upload_entry *entry = uploads->entries; entry != NULL; entry = entry->next) {
        in_all += is_open(entry);
        of_host += is_open(entry) && entry->facts.host == host;
    }
    if (of_host < uploads->limits.per_host && in_all < uploads->limits.in_all)
        return STATUS_OK;
    error_set(err, STATUS_LIMITED, "%zu uploads are in progress; finish one first",
              of_host < uploads->limits.per_host ? in_all : of_host);
    error_retry_after(err, 60);
    return STATUS_LIMITED;
}

/* Those that are done are a courtesy: no more of them than may be open. New ones come first. */
static void forget_old_done(struct uploads *uploads)
{
    struct upload_entry *next;
    size_t count = 0;

    for (struct upload_entry *entry = uploads->entries; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->state == UPLOAD_DONE && ++count > uploads->limits.in_all)
            drop_entry(uploads, entry);
    }
}

/* The upload that was begun earlier for the same output, by a host that lost the answer. */
static enum status give_way(struct uploads *uploads, const struct upload *wish, struct error *err)
{
    for (struct upload_entry *entry = uploads->entries; entry != NULL; entry = entry->next) {
        if (entry->facts.host != wish->host || entry->facts.task != wish->task ||
            strcmp(entry->facts.name, wish->name) != 0 || entry->state == UPLOAD_DONE)
            continue;
        if (entry->state != UPLOAD_RESTING)
            return upload_is_busy(err);
        drop_entry(uploads, entry);
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* The empty part before the note: a note without its part would be a leftover. */
static enum status make_files(struct uploads *uploads, const struct upload *facts,
                              struct error *err)
{
    struct disk *disk = uploads->env->disk;
    CLEANUP(freep) char *note = sidecar_encode(facts);
    struct disk_path path;

    TRY(upload_part_path(uploads, facts->id, &path, err));
    TRY(disk->write(disk, path.text, "", 0, 0600, err));
    TRY(note_path(uploads, facts->id, &path, err));
    return disk->write(disk, path.text, note, strlen(note), 0600, err);
}

/* The entry alone, as one that is being written: nobody else takes it up before its files exist. */
static enum status reserve(struct uploads *uploads, const struct upload *wish,
                           struct upload_entry **ret_entry, struct error *err)
{
    struct upload facts = *wish;

    TRY(give_way(uploads, wish, err));
    TRY(check_room(uploads, wish->host, err));
    owned_id_make(uploads->env, uploads->limits.server, facts.id);
    facts.created_s = uploads->env->now_s(uploads->env);
    facts.offset = 0;
    *ret_entry = add_entry(uploads, &facts);
    (*ret_entry)->state = UPLOAD_WRITTEN;
    return STATUS_OK;
}

/* The files are synced without the mutex: net threads take it, too. */
enum status uploads_create(struct uploads *uploads, const struct upload *wish,
                           struct upload *ret_upload, struct error *err)
{
    struct upload_entry *entry = NULL;
    enum status status;

    pthread_mutex_lock(&uploads->mutex);
    status = reserve(uploads, wish, &entry, err);
    pthread_mutex_unlock(&uploads->mutex);
    TRY(status);
    status = make_files(uploads, &entry->facts, err);
    pthread_mutex_lock(&uploads->mutex);
    entry->state = UPLOAD_RESTING;
    if (status == STATUS_OK)
        *ret_upload = entry->facts;
    else
        drop_entry(uploads, entry);
    pthread_mutex_unlock(&uploads->mutex);
    return status;
}

enum status uploads_look(struct uploads *uploads, const char *id, int64_t host,
                         struct upload *ret_upload, struct error *err)
{
    enum status status = STATUS_OK;
    const struct upload_entry *entry;

    pthread_mutex_lock(&uploads->mutex);
    entry = upload_find(uploads, id, host);
    if (entry == NULL)
        status = upload_not_found(err);
    else if (entry->state == UPLOAD_WRITTEN)
        status = upload_is_busy(err);
    else
        *ret_upload = entry->facts;
    pthread_mutex_unlock(&uploads->mutex);
    return status;
}

enum status uploads_remove(struct uploads *uploads, const char *id, int64_t host, struct error *err)
{
    enum status status = STATUS_OK;
    struct upload_entry *entry;

    pthread_mutex_lock(&uploads->mutex);
    entry = upload_find(uploads, id, host);
    if (entry == NULL)
        status = upload_not_found(err);
    else if (entry->state == UPLOAD_WRITTEN || entry->state == UPLOAD_COMPLETE)
        status = upload_is_busy(err);
    else
        drop_entry(uploads, entry);
    pthread_mutex_unlock(&uploads->mutex);
    return status;
}

void uploads_expire(struct uploads *uploads)
{
    int64_t now_s = uploads->env->now_s(uploads->env);
    struct upload_entry *next;

    pthread_mutex_lock(&uploads->mutex);
    for (struct upload_entry *entry = uploads->entries; entry != NULL; entry = next) {
        bool is_idle = entry->state == UPLOAD_RESTING || entry->state == UPLOAD_DONE;

        next = entry->next;
        if (is_idle && now_s - entry->touched_s > uploads->limits.keep_s)
            drop_entry(uploads, entry);
    }
    pthread_mutex_unlock(&uploads->mutex);
}

void uploads_done(struct uploads *uploads, const char *id, bool is_known)
{
    struct upload_entry *entry;

    pthread_mutex_lock(&uploads->mutex);
    for (entry = uploads->entries; entry != NULL; entry = entry->next)
        if (entry->state == UPLOAD_COMPLETE && strcmp(entry->facts.id, id) == 0)
            break;
    if (entry != NULL) {
        entry->state = UPLOAD_DONE;
        entry->facts.is_done = true;
        if (is_known)
            forget_old_done(uploads);
        else
            drop_entry(uploads, entry);
    }
    pthread_mutex_unlock(&uploads->mutex);
}
