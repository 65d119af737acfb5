#include "operator/batch_record.h"

#include <inttypes.h>
#include <string.h>

#include "common/json/members.h"
#include "common/json/profile.h"

#define NAMES_AT_ONCE 256

static const struct profile_limits file_limits = {.bytes = 8192, .depth = 2};

void batch_record_clear(struct batch_record *record)
{
    disk_file_close(record->units);
    disk_file_close(record->names);
    renames_close(&record->renames);
    *record = (struct batch_record){0};
}

static enum status decode(const struct buffer *content, struct batch_record *record,
                          struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(buffer_text(content), content->length, &file_limits, &root, err));
    members_begin(&members, root, err);
    members_hex(&members, "batch", record->batch.bytes, sizeof record->batch.bytes);
    members_copy_text(&members, "name", record->name, sizeof record->name);
    record->app_version = members_digest(&members, "app_version");
    record->created_s = members_time(&members, "created");
    record->not_after_s = members_time(&members, "not_after");
    record->keyring_version = members_integer(&members, "keyring_version", 1, ID_MAX);
    record->needed_by_s = members_time(&members, "needed_by");
    record->base = members_integer(&members, "base", 0, ID_MAX);
    record->fingerprint = members_digest(&members, "fingerprint");
    record->is_sent = members_boolean(&members, "sent");
    return members_end(&members);
}

static enum status in_folder(const struct batch_record *record, const char *name,
                             struct disk_path *ret_path, struct error *err)
{
    return disk_join(ret_path, err, "%s/%s", record->folder.text, name);
}

static enum status open_lists(struct batch_record *record, struct error *err)
{
    struct disk_path path;

    TRY(in_folder(record, "units", &path, err));
    TRY(record->disk->open_write(record->disk, path.text, 0600, &record->units, err));
    TRY(in_folder(record, "names", &path, err));
    return record->disk->open_write(record->disk, path.text, 0600, &record->names, err);
}

enum status batch_record_open(struct profile *profile, const char *name,
                              struct batch_record *ret_record, struct error *err)
{
    CLEANUP(batch_record_clear)
    struct batch_record record = {.disk = profile->session->env->disk};
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct disk_path path;
    enum status status;

    buffer_init(&content, file_limits.bytes);
    TRY(profile_path(profile, &record.folder, err, "batches/%s", name));
    TRY(in_folder(&record, "batch.json", &path, err));
    status = record.disk->read(record.disk, path.text, &content, err);
    if (status == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND, "this profile submitted no batch \"%.100s\"", name);
    TRY(status);
    TRY(decode(&content, &record, err));
    TRY(open_lists(&record, err));
    *ret_record = record;
    record.units = record.names = NULL;
    return STATUS_OK;
}

enum status batch_record_hold(struct profile *profile, const char *name,
                              struct disk_file **ret_lock, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    struct disk_path folder, lock;
    enum status status;

    TRY(profile_path(profile, &folder, err, "batches/%s", name));
    TRY(disk->make_folder(disk, folder.text, 0700, err));
    TRY(disk_join(&lock, err, "%s/lock", folder.text));
    status = disk->lock(disk, lock.text, ret_lock, err);
    if (status == STATUS_BUSY) {
        error_set(err, STATUS_BUSY, "another dugnad is submitting this batch");
        error_code(err, SESSION_HELD);
    }
    return status;
}

enum status batch_record_find(struct profile *profile, const struct batch_id *batch,
                              struct batch_record *ret_record, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;

    TRY(profile_path(profile, &path, err, "batches"));
    TRY(disk->list(disk, path.text, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP(batch_record_clear) struct batch_record record = {0};

        if (batch_record_open(profile, names.names[i], &record, NULL) != STATUS_OK ||
            batch_compare(&record.batch, batch) != 0)
            continue;
        *ret_record = record;
        record.units = record.names = NULL;
        return STATUS_OK;
    }
    return error_set(err, STATUS_NOT_FOUND, "this profile did not submit that batch");
}

enum status batch_record_save(const struct batch_record *record, struct error *err)
{
    json_auto_t *root =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:b}", "batch",
                  batch_format(&record->batch).text, "name", record->name, "app_version",
                  digest_format(&record->app_version).text, "created",
                  (json_int_t)record->created_s, "not_after", (json_int_t)record->not_after_s,
                  "keyring_version", (json_int_t)record->keyring_version, "needed_by",
                  (json_int_t)record->needed_by_s, "base", (json_int_t)record->base, "fingerprint",
                  digest_format(&record->fingerprint).text, "sent", record->is_sent);
    CLEANUP(freep) char *text = profile_print(root);
    struct disk_path path;

    TRY(in_folder(record, "batch.json", &path, err));
    return record->disk->write(record->disk, path.text, text, strlen(text), 0600, err);
}

enum status batch_record_make(struct profile *profile, struct batch_record *record,
                              const struct envelope *app, struct error *err)
{
    CLEANUP(freep) char *text = envelope_encode(app);
    struct disk_path path;

    record->disk = profile->session->env->disk;
    TRY(profile_path(profile, &record->folder, err, "batches/%s", record->name));
    TRY(record->disk->make_folder(record->disk, record->folder.text, 0700, err));
    TRY(disk_sync_parent(record->disk, record->folder.text, err)); /* batch_record_hold() made it */
    TRY(in_folder(record, "app.json", &path, err));
    TRY(record->disk->write(record->disk, path.text, text, strlen(text), 0600, err));
    TRY(open_lists(record, err));
    return batch_record_save(record, err);
}

enum status batch_record_app(const struct batch_record *record, struct envelope *ret_app,
                             struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct disk_path path;

    buffer_init(&content, ENVELOPE_MAX(ENVELOPE_PAYLOAD_MAX));
    TRY(in_folder(record, "app.json", &path, err));
    TRY(record->disk->read(record->disk, path.text, &content, err));
    return envelope_decode(content.bytes, content.length, ENVELOPE_PAYLOAD_MAX, ret_app, err);
}

enum status batch_record_count(const struct batch_record *record, int64_t *ret_count,
                               struct error *err)
{
    int64_t size;

    TRY(record->disk->size(record->units, &size, err));
    *ret_count = size / DIGEST_BYTES; /* a torn last one was never told to anybody */
    return STATUS_OK;
}

enum status batch_record_unit(const struct batch_record *record, int64_t index,
                              struct digest *ret_digest, struct error *err)
{
    int64_t listed;
    struct digest digest;
    size_t count;

    TRY(batch_record_count(record, &listed, err));
    if (index < 0 || index >= listed)
        return error_set(err, STATUS_NOT_FOUND, "no unit %" PRId64 " was submitted", index);
    TRY(record->disk->read_at(record->units, index * DIGEST_BYTES, digest.bytes, DIGEST_BYTES,
                              &count, err));
    if (count != DIGEST_BYTES)
        return error_set(err, STATUS_STORAGE, "the list of units cannot be read");
    *ret_digest = digest;
    return STATUS_OK;
}

enum status batch_record_renames(const struct batch_record *record, struct disk_path *ret_path,
                                 struct renames_extent *ret_extent, struct error *err)
{
    int64_t listed;

    TRY(batch_record_count(record, &listed, err));
    TRY(in_folder(record, RENAMES_FILE, ret_path, err));
    return renames_measure(record->disk, ret_path->text, listed, ret_extent, err);
}

/* What goes beyond the units listed does not count: it is written again after a cut, not twice. */
static enum status list_renamed(struct batch_record *record, int64_t index,
                                const struct listed_unit *units, size_t count, struct error *err)
{
    struct renames *renames = &record->renames;
    struct disk_path path;

    TRY(in_folder(record, RENAMES_FILE, &path, err));
    if (!renames->is_open)
        TRY(renames_open(renames, record->disk, path.text, index, err));
    renames->end = renames->bytes;
    for (size_t i = 0; i < count; i++)
        if (units[i].renamed != NULL)
            TRY(renames_add(renames, units[i].renamed, err));
    return renames_sync(renames, err);
}

/* Names first: they are never fewer than the units that may be at the site. */
static enum status list_new(struct batch_record *record, int64_t index,
                            const struct listed_unit *units, size_t count, struct error *err)
{
    struct disk *disk = record->disk;
    CLEANUP(freep) char *names = must_alloc(count, UNIT_NAME_KEY_BYTES);
    CLEANUP(freep) char *digests = must_alloc(count, DIGEST_BYTES);

    TRY(list_renamed(record, index, units, count, err));
    for (size_t i = 0; i < count; i++) {
        memcpy(names + i * UNIT_NAME_KEY_BYTES, units[i].name.bytes, UNIT_NAME_KEY_BYTES);
        memcpy(digests + i * DIGEST_BYTES, units[i].digest.bytes, DIGEST_BYTES);
    }
    TRY(disk->write_at(record->names, index * UNIT_NAME_KEY_BYTES, names,
                       count * UNIT_NAME_KEY_BYTES, err));
    TRY(disk->sync(record->names, err));
    TRY(disk->write_at(record->units, index * DIGEST_BYTES, digests, count * DIGEST_BYTES, err));
    TRY(disk->sync(record->units, err));
    record->renames.bytes = record->renames.end;
    return STATUS_OK;
}

enum status batch_record_list(struct batch_record *record, int64_t index,
                              const struct listed_unit *units, size_t count, struct error *err)
{
    int64_t listed;
    size_t known = 0;
    struct digest digest;

    TRY(batch_record_count(record, &listed, err));
    if (index > listed)
        return error_set(err, STATUS_STORAGE, "the list of units has a gap");
    for (; known < count && index + (int64_t)known < listed; known++) {
        TRY(batch_record_unit(record, index + (int64_t)known, &digest, err));
        if (!digest_equals(&digest, &units[known].digest))
            return error_set(err, STATUS_CONFLICT,
                             "unit %" PRId64
                             " is not what it was before: its inputs or the options "
                             "changed since this submission began",
                             index + (int64_t)known);
    }
    if (known == count)
        return STATUS_OK;
    return list_new(record, index + (int64_t)known, units + known, count - known, err);
}

static enum status read_names(const struct batch_record *record, int64_t first, int64_t end,
                              struct unit_name_key keys[NAMES_AT_ONCE], size_t *ret_count,
                              struct error *err)
{
    size_t some = end - first < NAMES_AT_ONCE ? (size_t)(end - first) : NAMES_AT_ONCE;
    size_t bytes;

    TRY(record->disk->read_at(record->names, first * UNIT_NAME_KEY_BYTES, keys, some * sizeof *keys,
                              &bytes, err));
    *ret_count = some;
    if (bytes == some * sizeof *keys)
        return STATUS_OK;
    return error_set(err, STATUS_STORAGE, "the list of the units' names cannot be read");
}

enum status batch_record_names(const struct batch_record *record, int64_t count,
                               struct name_table *names, struct error *err)
{
    struct unit_name_key keys[NAMES_AT_ONCE];
    int64_t other;
    size_t some;

    for (int64_t first = 0; first < count; first += NAMES_AT_ONCE) {
        TRY(read_names(record, first, count, keys, &some, err));
        for (size_t i = 0; i < some; i++)
            TRY(name_table_claim(names, &keys[i], first + (int64_t)i, &other, err));
    }
    return STATUS_OK;
}

enum status batch_record_named(const struct batch_record *record, const char *name,
                               struct digest *ret_digest, struct error *err)
{
    const struct unit_name_key wanted = unit_name_key(name);
    struct unit_name_key keys[NAMES_AT_ONCE];
    int64_t count;
    size_t some;

    TRY(batch_record_count(record, &count, err));
    for (int64_t first = 0; first < count; first += NAMES_AT_ONCE) {
        TRY(read_names(record, first, count, keys, &some, err));
        for (size_t i = 0; i < some; i++)
            if (memcmp(&keys[i], &wanted, sizeof wanted) == 0)
                return batch_record_unit(record, first + (int64_t)i, ret_digest, err);
    }
    return error_set(err, STATUS_NOT_FOUND, "the batch has no unit \"%.100s\"", name);
}
