#include "server/files/store.h"

/* Every implementation's struct file_writer begins like this. */
struct file_writer {
    struct file_store *store;
};

void file_store_close(struct file_store *store)
{
    if (store != NULL)
        store->close(store);
}

void file_writer_abandon(struct file_writer *writer)
{
    if (writer != NULL)
        writer->store->abandon(writer);
}

enum status file_store_walk(struct file_store *store, const struct file_visitor *visitor,
                            struct error *err)
{
    for (unsigned part = 0; part < FILE_STORE_PARTS; part++)
        TRY(store->walk(store, part, visitor, err));
    return STATUS_OK;
}

bool file_store_has(struct file_store *store, const struct digest *digest)
{
    int64_t size;

    return store->look(store, digest, &size, NULL) == STATUS_OK;
}

static enum status hash_file(struct disk *disk, struct disk_file *file, struct hasher *hasher,
                             struct error *err)
{
    char bytes[65536];
    size_t count = 1;

    for (int64_t offset = 0; count > 0; offset += (int64_t)count) {
        TRY(disk->read_at(file, offset, bytes, sizeof bytes, &count, err));
        hasher_add(hasher, bytes, count);
    }
    return STATUS_OK;
}

enum status file_store_verify(struct file_store *store, const struct digest *digest,
                              struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    CLEANUP(hasher_clear) struct hasher hasher = {0};
    struct digest found;
    int64_t size;

    TRY(store->open(store, digest, &file, &size, err));
    hasher_init(&hasher);
    TRY(hash_file(store->disk, file, &hasher, err));
    found = hasher_end(&hasher);
    if (digest_equals(&found, digest))
        return STATUS_OK;
    error_set(err, STATUS_INVALID, "the file holds %s", digest_format(&found).text);
    error_code(err, "digest");
    return STATUS_INVALID;
}
