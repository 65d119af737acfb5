/*
 * The frames of a bundle on their way into the cache. The first byte says in pieces of how many
 * bytes they come (0: at once), the rest is the answer. What comes of it is what a plain reading of
 * the format says, however it was cut, and the room that was taken is all given back.
 */
#include <string.h>

#include "client/fetch/bundle.h"
#include "common/base/env.h"
#include "tests/fuzz/fuzz.h"

/* Asked for, in this order; one of them twice. */
static const char *const wanted[] = {"one", "", "three", "one", "two\n"};
#define WANTED  (sizeof wanted / sizeof *wanted)
#define CAP     15 /* bytes of all of them: nothing may need more */
#define PROJECT ((struct digest){.bytes = {1}})

struct disk_file {
    struct disk *disk; /* first */
};

static enum status list_nothing(struct disk *disk, const char *path, struct disk_names *ret_names,
                                struct error *err)
{
    (void)disk, (void)path, (void)err;
    *ret_names = (struct disk_names){.count = 0};
    return STATUS_OK;
}

static enum status open_write(struct disk *disk, const char *path, unsigned mode,
                              struct disk_file **ret_file, struct error *err)
{
    static struct disk_file file;

    (void)path, (void)mode, (void)err;
    file.disk = disk;
    *ret_file = &file;
    return STATUS_OK;
}

static enum status size_none(struct disk_file *file, int64_t *ret_size, struct error *err)
{
    (void)file, (void)err;
    *ret_size = 0;
    return STATUS_OK;
}

/* Only what was asked for, whole. */
static enum status write_at(struct disk_file *file, int64_t offset, const void *bytes, size_t count,
                            struct error *err)
{
    bool is_wanted = false;

    (void)file, (void)err;
    for (size_t i = 0; i < WANTED; i++)
        is_wanted |= strlen(wanted[i]) == count && memcmp(wanted[i], bytes, count) == 0;
    assert(offset == 0 && is_wanted);
    return STATUS_OK;
}

static void close_file(struct disk_file *file)
{
    (void)file;
}

static struct disk disk = {.list = list_nothing,
                           .open_write = open_write,
                           .size = size_none,
                           .write_at = write_at,
                           .close = close_file};
static struct env env = {.disk = &disk};
static const struct data_folder folder = {.env = &env, .path = {"/data"}};

/* The format, read plainly from whole bytes; how many files are whole. */
static enum status read_plainly(const uint8_t *bytes, size_t length, size_t *ret_came)
{
    size_t next = 0;

    for (*ret_came = 0; length >= FILES_BUNDLE_HEAD_BYTES; (*ret_came)++) {
        struct digest digest = {.bytes = {0}};
        uint64_t size = 0;

        for (size_t i = 0; i < 8; i++)
            size = size << 8 | bytes[DIGEST_BYTES + i];
        if (size > FILES_BUNDLE_FILE_MAX)
            return STATUS_INVALID;
        for (; next < WANTED; next++) {
            digest = digest_of(wanted[next], strlen(wanted[next]));
            if (memcmp(digest.bytes, bytes, DIGEST_BYTES) == 0)
                break;
        }
        if (next == WANTED || size != strlen(wanted[next]))
            return STATUS_UNTRUSTED;
        bytes += FILES_BUNDLE_HEAD_BYTES;
        length -= FILES_BUNDLE_HEAD_BYTES;
        if (length < size)
            break;
        if (memcmp(bytes, wanted[next++], size) != 0)
            return STATUS_UNTRUSTED;
        bytes += size;
        length -= size;
    }
    return STATUS_OK;
}

static void ask_for_all(struct bundle *bundle)
{
    for (size_t i = 0; i < WANTED; i++) {
        struct digest digest = digest_of(wanted[i], strlen(wanted[i]));

        assert(bundle_add(bundle, &digest, (int64_t)strlen(wanted[i]), NULL) == STATUS_OK);
    }
}

static enum status give(struct bundle *bundle, const uint8_t *bytes, size_t length, size_t piece)
{
    enum status status = STATUS_OK;

    for (size_t at = 0; at < length && status == STATUS_OK; at += piece) {
        piece = piece < length - at ? piece : length - at;
        status = bundle->sink.write(bundle->sink.context, bytes + at, piece, NULL);
        assert(bundle->frame.length <= FILES_BUNDLE_HEAD_BYTES + strlen("three"));
        assert(bundle->came <= bundle->next && bundle->next <= bundle->count);
    }
    return status;
}

/* Files of the cache, each of them wanted, and nothing else takes room there. */
static void check_cache(const struct cache *cache)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < WANTED; i++) {
        struct digest digest = digest_of(wanted[i], strlen(wanted[i]));

        if (i != 3 && cache_has(cache, &digest))
            bytes += (int64_t)strlen(wanted[i]);
    }
    assert(cache->used_bytes == bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct cache cache;
    struct bundle bundle;
    size_t came;
    enum status status;

    if (length < 1)
        return 0;
    assert(cache_open(&cache, &folder, CAP, NULL) == STATUS_OK);
    bundle_open(&bundle, &cache, &PROJECT);
    ask_for_all(&bundle);
    status = give(&bundle, bytes + 1, length - 1, bytes[0] > 0 ? bytes[0] : length);
    assert(status == read_plainly(bytes + 1, length - 1, &came) && bundle.came == came);
    bundle_close(&bundle);
    check_cache(&cache);
    cache_close(&cache);
    return 0;
}
