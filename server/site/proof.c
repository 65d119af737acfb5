#include "server/site/proof.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "server/files/store.h"
#include "server/site/folder.h"

/* Servers that share files/ may prove it at the same time: each by a name of its own, and by the
 * same one each time, so that a proof takes away what one that was cut short left. */
struct proof {
    struct disk *disk;
    const char *folder;
    char name[32];
};

static enum status fail(enum status status, const char *part, const char *cannot,
                        const struct error *cause, struct error *err)
{
    error_set(err, status, "%s of the site %s: %s", part, cannot, cause->text);
    error_detail(err, "%s", cause->detail);
    return status;
}

static enum status write_one(const struct proof *proof, const char *part, struct error *err)
{
    struct disk *disk = proof->disk;
    struct error cause = {0};
    struct disk_path path;
    enum status status;

    TRY(disk_join(&path, err, "%s/%s/%s", proof->folder, part, proof->name));
    status = disk->write(disk, path.text, "x", 1, 0600, &cause);
    if (status == STATUS_OK)
        status = disk->remove(disk, path.text, &cause);
    return status == STATUS_OK ? STATUS_OK
                               : fail(status, part, "cannot be written to", &cause, err);
}

/* Of parts without a sync each: there are 256. */
static enum status touch_part(const struct proof *proof, unsigned part, struct error *err)
{
    struct disk *disk = proof->disk;
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct error cause = {0};
    char name[16];
    struct disk_path path;
    enum status status;

    (void)snprintf(name, sizeof name, "files/%02x", part);
    TRY(disk_join(&path, err, "%s/%s/%s", proof->folder, name, proof->name));
    status = disk->open_write(disk, path.text, 0600, &file, &cause);
    if (status == STATUS_OK)
        status = disk->remove(disk, path.text, &cause);
    return status == STATUS_OK ? STATUS_OK
                               : fail(status, name, "cannot be written to", &cause, err);
}

static enum status rename_one(const struct proof *proof, const char *part, struct error *err)
{
    struct disk *disk = proof->disk;
    struct error cause = {0};
    struct disk_path from, to;
    enum status status;

    TRY(disk_join(&from, err, "%s/%s/%s", proof->folder, part, proof->name));
    TRY(disk_join(&to, err, "%s/files/00/%s", proof->folder, proof->name));
    TRY(disk->write(disk, from.text, "x", 1, 0600, err));
    status = disk->rename(disk, from.text, to.text, &cause);
    (void)disk->remove(disk, status == STATUS_OK ? to.text : from.text, NULL);
    return status == STATUS_OK
               ? STATUS_OK
               : fail(status, part,
                      "has to be on the same file system as the rest of files/, for what comes "
                      "there is renamed into it",
                      &cause, err);
}

static enum status prove(const struct proof *proof, struct error *err)
{
    static const char *const parts[] = {".", "files", "files/uploads", "files/incoming"};
    struct disk_space space;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        TRY(write_one(proof, parts[i], err));
    for (unsigned part = 0; part < FILE_STORE_PARTS; part++)
        TRY(touch_part(proof, part, err));
    TRY(rename_one(proof, "files/uploads", err));
    TRY(rename_one(proof, "files/incoming", err));
    return proof->disk->space(proof->disk, proof->folder, &space, err);
}

static enum status prove_authority(const struct proof *proof, struct error *err)
{
    return write_one(proof, "tls", err);
}

static enum status prove_by(struct disk *disk, const char *folder, int64_t server,
                            enum status (*prove_it)(const struct proof *proof, struct error *err),
                            struct error *err)
{
    struct proof proof = {.disk = disk, .folder = folder};
    struct error cause = {0};
    enum status status;

    (void)snprintf(proof.name, sizeof proof.name, "proof.%" PRId64, server);
    status = prove_it(&proof, &cause);

    if (status == STATUS_FULL) {
        log_failure(LOG_WARN, "site.full", &cause);
        return STATUS_OK;
    }
    if (status != STATUS_OK && err != NULL)
        *err = cause;
    return status;
}

enum status site_prove(struct disk *disk, const char *folder, int64_t server, struct error *err)
{
    return prove_by(disk, folder, server, prove, err);
}

enum status site_prove_authority(struct disk *disk, const char *folder, int64_t server,
                                 struct error *err)
{
    return prove_by(disk, folder, server, prove_authority, err);
}

/* A database needs its log and more beside it. */
static enum status touch_folder(struct disk *disk, const char *folder, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct error cause = {0};
    struct disk_path path;
    enum status status;

    TRY(site_path(folder, "proof", &path, err));
    status = disk->open_write(disk, path.text, 0600, &file, &cause);
    if (status == STATUS_OK)
        status = disk->remove(disk, path.text, &cause);
    return status == STATUS_OK || status == STATUS_FULL
               ? STATUS_OK
               : fail(status, "the folder", "cannot be written to", &cause, err);
}

enum status site_prove_database(struct disk *disk, const char *folder, struct error *err)
{
    static const char *const parts[] = {"dugnad.db", "dugnad.db-wal", "dugnad.db-shm"};

    TRY(touch_folder(disk, folder, err));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        CLEANUP(disk_file_closep) struct disk_file *file = NULL;
        struct error cause = {0};
        struct disk_path path;
        enum status status;

        TRY(site_path(folder, parts[i], &path, err));
        if (!disk_has(disk, path.text))
            continue;
        status = disk->open_write(disk, path.text, 0600, &file, &cause);
        if (status != STATUS_OK)
            return fail(status, parts[i], "cannot be opened for writing", &cause, err);
    }
    return STATUS_OK;
}
