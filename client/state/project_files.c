#include "client/state/project_files.h"

#include <stdarg.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"

static const char *const parts[] = {"envelopes", "tasks", "slots", "spool"};

static struct disk *disk_of(const struct project_files *files)
{
    return files->folder->env->disk;
}

enum status project_files_init(struct project_files *ret_files, const struct data_folder *folder,
                               const struct digest *project, struct error *err)
{
    char name[BASE64URL_CHARS(DIGEST_BYTES) + 1];

    ret_files->folder = folder;
    base64url_encode(project->bytes, DIGEST_BYTES, name);
    return data_folder_join(folder, &ret_files->path, err, "projects/%s", name);
}

enum status project_files_join(const struct project_files *files, struct disk_path *ret_path,
                               struct error *err, const char *fmt, ...)
{
    enum status status;
    va_list args;

    va_start(args, fmt);
    status = disk_join_beneath(ret_path, err, files->path.text, fmt, args);
    va_end(args);
    return status;
}

/* That something can be made there, and removed; a disk that is full is told where its room is
 * told. */
static enum status prove_part(const struct project_files *files, const char *part,
                              struct error *err)
{
    struct disk *disk = disk_of(files);
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct disk_path path;
    enum status status;

    TRY(project_files_join(files, &path, err, "%s/proof", part));
    status = disk->open_write(disk, path.text, 0600, &file, err);
    if (status == STATUS_OK)
        status = disk->remove(disk, path.text, err);
    return status == STATUS_FULL ? STATUS_OK : status;
}

enum status project_files_make(const struct project_files *files, struct error *err)
{
    struct disk *disk = disk_of(files);
    struct disk_path path;

    TRY(disk_make_folders(disk, files->path.text, 0700, err));
    TRY(prove_part(files, ".", err));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        TRY(project_files_join(files, &path, err, "%s", parts[i]));
        TRY(disk->make_folder(disk, path.text, 0700, err));
        TRY(prove_part(files, parts[i], err));
    }
    return disk->sync_folder(disk, files->path.text, err);
}

static enum status remove_file(const struct project_files *files, const char *path,
                               struct error *err)
{
    struct disk *disk = disk_of(files);
    enum status status = disk->remove(disk, path, err);

    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status project_files_remove(const struct project_files *files, struct error *err)
{
    struct disk *disk = disk_of(files);
    struct disk_path record;

    TRY(project_files_join(files, &record, err, "project.json"));
    TRY(remove_file(files, record.text, err));
    TRY(disk->sync_folder(disk, files->path.text, err));
    return disk->remove_tree(disk, files->path.text, err);
}

/* --- loading --- */

/* Its content failed us, not the disk. */
static enum status unreadable(const struct project_files *files, const struct disk_path *path,
                              const struct error *why, struct error *err)
{
    data_folder_put_aside(files->folder, path->text, why);
    return error_set(err, STATUS_NOT_FOUND, "a file could not be read and was put aside");
}

#define DEFINE_LOAD(what, type, file, max, decode)                                                 \
    enum status load_##what(const struct project_files *files, type *ret_it, struct error *err)    \
    {                                                                                              \
        CLEANUP(buffer_clear) struct buffer content = {0};                                         \
        struct disk_path path;                                                                     \
        struct error why = {0};                                                                    \
        enum status status;                                                                        \
                                                                                                   \
        TRY(project_files_join(files, &path, err, "%s", file));                                    \
        status = data_folder_read(files->folder, path.text, max, &content, &why);                  \
        if (status == STATUS_OK)                                                                   \
            status = decode(buffer_text(&content), content.length, ret_it, &why);                  \
        else if (status != STATUS_TOO_LARGE)                                                       \
            return error_pass(err, &why);                                                          \
        return status == STATUS_OK ? STATUS_OK : unreadable(files, &path, &why, err);              \
    }

DEFINE_LOAD(project_record, struct project_record, "project.json", PROJECT_RECORD_MAX,
            project_record_decode)
DEFINE_LOAD(host_record, struct host_record, "host.json", HOST_RECORD_MAX, host_record_decode)
DEFINE_LOAD(visit_record, struct visit_record, "visit.json", VISIT_RECORD_MAX, visit_record_decode)
DEFINE_LOAD(trust, struct trust, "trust.json", TRUST_STATE_MAX, trust_decode)

enum status load_host_key(const struct project_files *files, struct private_key *ret_key,
                          struct error *err)
{
    struct disk_path path;
    struct error why = {0};
    enum status status;

    TRY(project_files_join(files, &path, err, "host.key"));
    status = private_key_load(ret_key, disk_of(files), path.text, NULL, &why);
    if (status == STATUS_INVALID || status == STATUS_FORBIDDEN)
        return unreadable(files, &path, &why, err);
    return status == STATUS_OK ? STATUS_OK : error_pass(err, &why);
}

enum status load_task_record(const struct project_files *files, int64_t task,
                             struct task_record *ret_record, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    CLEANUP(task_record_clear) struct task_record record = {0};
    struct disk_path path;
    struct error why = {0};
    enum status status;

    TRY(project_files_join(files, &path, err, "tasks/%lld.json", (long long)task));
    status = data_folder_read(files->folder, path.text, TASK_RECORD_MAX, &content, &why);
    if (status != STATUS_OK && status != STATUS_TOO_LARGE)
        return error_pass(err, &why);
    if (status == STATUS_OK)
        status = task_record_decode(buffer_text(&content), content.length, &record, &why);
    if (status == STATUS_OK && record.task != task)
        status = error_set(&why, STATUS_INVALID, "it is of another task than its name says");
    if (status != STATUS_OK)
        return unreadable(files, &path, &why, err);
    *ret_record = record;
    record = (struct task_record){0};
    return STATUS_OK;
}

/* What lies under a digest must be of that digest. */
static enum status load_signed(const struct project_files *files, const struct disk_path *path,
                               const struct digest *digest, struct envelope *ret_envelope,
                               struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct error why = {0};
    enum status status = data_folder_read(files->folder, path->text,
                                          ENVELOPE_MAX(ENVELOPE_PAYLOAD_MAX), &content, &why);

    if (status != STATUS_OK && status != STATUS_TOO_LARGE)
        return error_pass(err, &why);
    if (status == STATUS_OK)
        status = envelope_decode(buffer_text(&content), content.length, ENVELOPE_PAYLOAD_MAX,
                                 &envelope, &why);
    if (status == STATUS_OK && !digest_equals(&envelope.digest, digest))
        status = error_set(&why, STATUS_INVALID, "it is another envelope than its name says");
    if (status != STATUS_OK)
        return unreadable(files, path, &why, err);
    *ret_envelope = envelope;
    envelope = (struct envelope){0};
    return STATUS_OK;
}

enum status load_unit(const struct project_files *files, const struct task_record *record,
                      struct envelope *ret_unit, struct error *err)
{
    struct disk_path path;

    TRY(project_files_join(files, &path, err, "tasks/%lld.unit", (long long)record->task));
    return load_signed(files, &path, &record->unit, ret_unit, err);
}

static enum status envelope_path(const struct project_files *files, const struct digest *digest,
                                 struct disk_path *ret_path, struct error *err)
{
    char hex[2 * DIGEST_BYTES + 1];

    text_from_bytes(digest->bytes, DIGEST_BYTES, hex);
    return project_files_join(files, ret_path, err, "envelopes/%s", hex);
}

enum status load_envelope(const struct project_files *files, const struct digest *digest,
                          struct envelope *ret_envelope, struct error *err)
{
    struct disk_path path;

    TRY(envelope_path(files, digest, &path, err));
    return load_signed(files, &path, digest, ret_envelope, err);
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

    return (one > other) - (one < other);
}

/* "12.json" alone: ".unit" and leftovers are no tasks. */
static bool is_task_file(char *name, int64_t *ret_task)
{
    char *dot = strchr(name, '.');

    if (dot == NULL || strcmp(dot, ".json") != 0)
        return false;
    *dot = '\0';
    return text_to_integer(name, 1, ID_MAX, ret_task);
}

enum status list_tasks(const struct project_files *files, int64_t **ret_tasks, size_t *ret_count,
                       struct error *err)
{
    struct disk *disk = disk_of(files);
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;
    size_t count = 0;
    int64_t *tasks;

    TRY(project_files_join(files, &path, err, "tasks"));
    TRY(disk->list(disk, path.text, &names, err));
    tasks = must_alloc(names.count, sizeof *tasks);
    for (size_t i = 0; i < names.count && count < STATE_TASKS_MAX; i++)
        if (is_task_file(names.names[i], &tasks[count]))
            count++;
    qsort(tasks, count, sizeof *tasks, compare_numbers);
    *ret_tasks = tasks;
    *ret_count = count;
    return STATUS_OK;
}

/* --- saving --- */

static enum status save(const struct project_files *files, const char *name, const char *text,
                        struct error *err)
{
    struct disk *disk = disk_of(files);
    struct disk_path path;

    TRY(project_files_join(files, &path, err, "%s", name));
    return disk->write(disk, path.text, text, strlen(text), 0600, err);
}

#define DEFINE_SAVE(what, type, file, encode)                                                      \
    enum status save_##what(const struct project_files *files, const type *it, struct error *err)  \
    {                                                                                              \
        CLEANUP(freep) char *text = encode(it);                                                    \
                                                                                                   \
        return save(files, file, text, err);                                                       \
    }

DEFINE_SAVE(project_record, struct project_record, "project.json", project_record_encode)
DEFINE_SAVE(host_record, struct host_record, "host.json", host_record_encode)
DEFINE_SAVE(visit_record, struct visit_record, "visit.json", visit_record_encode)
DEFINE_SAVE(trust, struct trust, "trust.json", trust_encode)

enum status save_task_record(const struct project_files *files, const struct task_record *record,
                             struct error *err)
{
    CLEANUP(freep) char *text = task_record_encode(record);
    CLEANUP(freep) char *name = text_format("tasks/%lld.json", (long long)record->task);

    return save(files, name, text, err);
}

enum status save_unit(const struct project_files *files, int64_t task, const char *envelope,
                      struct error *err)
{
    CLEANUP(freep) char *name = text_format("tasks/%lld.unit", (long long)task);

    return save(files, name, envelope, err);
}

enum status save_envelope(const struct project_files *files, const struct envelope *envelope,
                          struct error *err)
{
    CLEANUP(freep) char *text = envelope_encode(envelope);
    struct disk *disk = disk_of(files);
    struct disk_path path;

    TRY(envelope_path(files, &envelope->digest, &path, err));
    return disk->write(disk, path.text, text, strlen(text), 0600, err);
}

/* --- removing --- */

static enum status remove_named(const struct project_files *files, const char *name,
                                struct error *err)
{
    struct disk_path path;

    TRY(project_files_join(files, &path, err, "%s", name));
    return remove_file(files, path.text, err);
}

enum status remove_visit_record(const struct project_files *files, struct error *err)
{
    return remove_named(files, "visit.json", err);
}

/* The key first: without it the rest is of no use, and a new key is made and enrolled. */
enum status remove_host_identity(const struct project_files *files, struct error *err)
{
    struct disk *disk = disk_of(files);

    TRY(remove_named(files, "host.key", err));
    TRY(remove_named(files, "visit.json", err));
    TRY(remove_named(files, "host.json", err));
    return disk->sync_folder(disk, files->path.text, err);
}

enum status remove_envelope(const struct project_files *files, const struct digest *digest,
                            struct error *err)
{
    struct disk_path path;

    TRY(envelope_path(files, digest, &path, err));
    return remove_file(files, path.text, err);
}

enum status remove_slot(const struct project_files *files, int64_t task, struct error *err)
{
    struct disk *disk = disk_of(files);
    struct disk_path path;

    TRY(project_files_join(files, &path, err, "slots/%lld", (long long)task));
    return disk->remove_tree(disk, path.text, err);
}

/* The record first, and durably: one that came back would tell of outputs that are gone. */
enum status remove_task(const struct project_files *files, int64_t task, struct error *err)
{
    struct disk *disk = disk_of(files);
    CLEANUP(freep) char *record = text_format("tasks/%lld.json", (long long)task);
    CLEANUP(freep) char *unit = text_format("tasks/%lld.unit", (long long)task);
    struct disk_path path;

    TRY(remove_named(files, record, err));
    TRY(project_files_join(files, &path, err, "tasks"));
    TRY(disk->sync_folder(disk, path.text, err));
    TRY(remove_named(files, unit, err));
    TRY(remove_slot(files, task, err));
    TRY(project_files_join(files, &path, err, "spool/%lld", (long long)task));
    return disk->remove_tree(disk, path.text, err);
}

/* As a slot is named: without a sign or leading zeros. */
static bool is_slot_of(const char *name, const int64_t *tasks, size_t count)
{
    int64_t number;
    CLEANUP(freep) char *again = NULL;

    if (!text_to_integer(name, 1, ID_MAX, &number))
        return false;
    again = text_format("%lld", (long long)number);
    return strcmp(name, again) == 0 &&
           bsearch(&number, tasks, count, sizeof *tasks, compare_numbers) != NULL;
}

enum status remove_strays(const struct project_files *files, const int64_t *tasks, size_t count,
                          size_t *ret_count, struct error *err)
{
    struct disk *disk = disk_of(files);
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;

    *ret_count = 0;
    TRY(project_files_join(files, &path, err, "slots"));
    TRY(disk->list(disk, path.text, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (is_slot_of(names.names[i], tasks, count))
            continue;
        TRY(project_files_join(files, &path, err, "slots/%s", names.names[i]));
        TRY(disk->remove_tree(disk, path.text, err));
        ++*ret_count;
    }
    return STATUS_OK;
}
