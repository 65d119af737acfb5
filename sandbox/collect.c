#include "sandbox/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/base/tree.h"

#define CHUNK_BYTES 65536

static const struct {
    const char *name;
    const char *words;
} refusals[] = {
    [COLLECT_TAKEN] = {"", ""},
    [COLLECT_BAD_NAME] = {"bad-name", "has a name that is not allowed"},
    [COLLECT_MISSING] = {"missing", "is missing"},
    [COLLECT_LINK] = {"link", "is a symbolic link"},
    [COLLECT_HARD_LINK] = {"hard-link", "is a file that has another name, too"},
    [COLLECT_NOT_FILE] = {"not-a-file", "is not a regular file"},
    [COLLECT_UNREADABLE] = {"unreadable", "may not be read"},
    [COLLECT_TOO_LARGE] = {"too-large", "is larger than signed"},
};

const char *collect_refusal_words(enum collect_refusal refusal)
{
    return refusals[refusal].words;
}

const char *collect_refusal_name(enum collect_refusal refusal)
{
    return refusals[refusal].name;
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static enum status failure(struct error *err, const char *what)
{
    int cause = errno;

    error_set(err, STATUS_STORAGE, "the slot cannot be read");
    error_detail(err, "%s: %s", what, strerror(cause));
    return STATUS_STORAGE;
}

/*
 * Non-blocking: a pipe in the place of an output must not hold us up. A checked name has no slash,
 * so on kernels without openat2() O_NOFOLLOW alone holds the same.
 */
static int open_beneath(int slot, const char *name)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const struct open_how how = {
        .flags = (uint64_t)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    long descriptor = syscall(SYS_openat2, slot, name, &how, sizeof how);

    if (descriptor < 0 && errno == ENOSYS)
        descriptor = openat(slot, name, flags);
    return (int)descriptor;
}

/* Of an open that failed; COLLECT_TAKEN: it is our trouble, not the task's. */
static enum collect_refusal refusal_of(int cause)
{
    switch (cause) {
    case ENOENT:
        return COLLECT_MISSING;
    case ELOOP:
        return COLLECT_LINK;
    case EACCES:
    case EPERM:
        return COLLECT_UNREADABLE;
    case ENXIO: /* a socket, or a device without a driver */
    case ENODEV:
    case EXDEV:
        return COLLECT_NOT_FILE;
    default:
        return COLLECT_TAKEN;
    }
}

static enum collect_refusal judge(const struct stat *facts, int64_t max_bytes)
{
    if (!S_ISREG(facts->st_mode))
        return COLLECT_NOT_FILE;
    if (facts->st_nlink != 1)
        return COLLECT_HARD_LINK;
    if (facts->st_size > max_bytes)
        return COLLECT_TOO_LARGE;
    return COLLECT_TAKEN;
}

static ssize_t read_chunk(int descriptor, char *chunk)
{
    ssize_t got;

    do
        got = read(descriptor, chunk, CHUNK_BYTES);
    while (got < 0 && errno == EINTR);
    return got;
}

/* What is hashed is what is written. Stops one chunk after the maximum, whatever fstat() said. */
static enum status copy(int from, struct disk *disk, struct disk_file *to, int64_t max_bytes,
                        struct collected *collected, struct error *err)
{
    CLEANUP(hasher_clear) struct hasher hasher;
    char chunk[CHUNK_BYTES];
    ssize_t got;

    hasher_init(&hasher);
    collected->size_bytes = 0;
    while ((got = read_chunk(from, chunk)) > 0) {
        TRY(disk->write_at(to, collected->size_bytes, chunk, (size_t)got, err));
        hasher_add(&hasher, chunk, (size_t)got);
        collected->size_bytes += got;
        if (collected->size_bytes > max_bytes) {
            collected->refusal = COLLECT_TOO_LARGE;
            return STATUS_OK;
        }
    }
    if (got < 0)
        return failure(err, "read output");
    collected->digest = hasher_end(&hasher);
    return disk->sync(to, err);
}

static enum status spool(int from, const struct collect_request *request,
                         struct collected *collected, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *to = NULL;
    struct disk *disk = request->disk;

    TRY(disk->open_write(disk, request->to, 0600, &to, err));
    TRY(disk->truncate(to, 0, err));
    TRY(copy(from, disk, to, request->max_bytes, collected, err));
    return disk_sync_parent(disk, request->to, err);
}

/* COLLECT_TAKEN: *ret_from is open and fit to be copied. */
static enum status open_output(const struct collect_request *request, int *ret_from,
                               struct collected *collected, struct error *err)
{
    CLEANUP(close_descriptor) int slot = -1;
    struct stat facts;

    slot = tree_open(AT_FDCWD, request->slot); /* even if the task made it 0 */
    if (slot < 0)
        return failure(err, "open slot");
    *ret_from = open_beneath(slot, request->name);
    if (*ret_from < 0) {
        collected->refusal = refusal_of(errno);
        return collected->refusal != COLLECT_TAKEN ? STATUS_OK : failure(err, "open output");
    }
    if (fstat(*ret_from, &facts) != 0)
        return failure(err, "stat output");
    collected->refusal = judge(&facts, request->max_bytes);
    collected->size_bytes = S_ISREG(facts.st_mode) ? facts.st_size : 0;
    return STATUS_OK;
}

enum status collect_output(const struct collect_request *request, struct collected *ret_collected,
                           struct error *err)
{
    CLEANUP(close_descriptor) int from = -1;
    struct collected collected = {.refusal = COLLECT_BAD_NAME};
    enum status status = STATUS_OK;

    if (text_is_file_name(request->name))
        TRY(open_output(request, &from, &collected, err));
    if (collected.refusal == COLLECT_TAKEN)
        status = spool(from, request, &collected, err);
    if (status != STATUS_OK || collected.refusal != COLLECT_TAKEN)
        (void)request->disk->remove(request->disk, request->to, NULL);
    TRY(status);
    if (collected.refusal != COLLECT_TAKEN)
        collected.digest = (struct digest){0};
    *ret_collected = collected;
    return STATUS_OK;
}
