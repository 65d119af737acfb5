#include "sandbox/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/base/tree.h"
#include "sandbox/beneath.h"

#define CHUNK_BYTES 65536

struct collection {
    int from;             /* the output in the slot */
    struct disk_file *to; /* its copy in the spool */
    struct hasher hasher;
    struct collected collected; /* so far */
};

static const struct {
    const char *name;
    const char *words;
} refusals[] = {
    [COLLECT_TAKEN] = {"", ""},
    [COLLECT_BAD_NAME] = {"bad-name", "has a name that is not allowed"},
    [COLLECT_MISSING] = {"missing", "was not written"},
    [COLLECT_LINK] = {"link", "is a symbolic link"},
    [COLLECT_HARD_LINK] = {"hard-link", "is a file that has another name, too"},
    [COLLECT_NOT_FILE] = {"not-a-file", "is not a regular file"},
    [COLLECT_UNREADABLE] = {"unreadable", "may not be read"},
    [COLLECT_TOO_LARGE] = {"too-large", "is larger than signed"},
    [COLLECT_NO_FOLDER] = {"no-folder", "is gone with the task's folder, which the program "
                                        "removed or replaced"},
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

/*
 * What is hashed is what is written, and durable: the last piece must not have to wait for all.
 * Stops one chunk after the maximum, whatever fstat() said. *ret_is_over: that, or all is copied.
 */
static enum status copy_some(struct collection *it, const struct collect_request *request,
                             int64_t *bytes, bool *ret_is_over, struct error *err)
{
    struct disk *disk = request->disk;
    struct collected *collected = &it->collected;
    char chunk[CHUNK_BYTES];
    ssize_t got = 1;

    while (*bytes > 0 && (got = read_chunk(it->from, chunk)) > 0) {
        TRY(disk->write_at(it->to, collected->size_bytes, chunk, (size_t)got, err));
        hasher_add(&it->hasher, chunk, (size_t)got);
        collected->size_bytes += got;
        *bytes -= got;
        if (collected->size_bytes > request->max_bytes) {
            collected->refusal = COLLECT_TOO_LARGE;
            *ret_is_over = true;
            return STATUS_OK;
        }
    }
    if (got < 0)
        return failure(err, "read output");
    *ret_is_over = got == 0;
    return disk->sync(it->to, err);
}

static enum status go_on(struct collection *it, const struct collect_request *request,
                         int64_t *bytes, bool *ret_is_over, struct error *err)
{
    TRY(copy_some(it, request, bytes, ret_is_over, err));
    if (!*ret_is_over || it->collected.refusal != COLLECT_TAKEN)
        return STATUS_OK;
    it->collected.digest = hasher_end(&it->hasher);
    return disk_sync_parent(request->disk, request->to, err);
}

/* The slot could not be opened, for this cause: is what it lies in there, without it? Then whoever
 * ran in it took it away; nobody else touches it. */
static bool is_taken_away(const char *slot, int cause)
{
    const char *slash = strrchr(slot, '/');
    CLEANUP(freep) char *folder = slash != NULL ? text_copy_n(slot, (size_t)(slash - slot)) : NULL;
    CLEANUP(close_descriptor) int above = -1;

    if (cause != ENOENT && cause != ENOTDIR && cause != ELOOP)
        return false;
    above = open(folder != NULL ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return above >= 0;
}

/* COLLECT_TAKEN: it->from is open and fit to be copied. */
static enum status open_output(struct collection *it, const struct collect_request *request,
                               struct error *err)
{
    struct collected *collected = &it->collected;
    CLEANUP(close_descriptor) int slot = -1;
    struct stat facts;

    slot = tree_open(AT_FDCWD, request->slot); /* even if the task made it 0 */
    if (slot < 0 && is_taken_away(request->slot, errno)) {
        collected->refusal = COLLECT_NO_FOLDER;
        return STATUS_OK;
    }
    if (slot < 0)
        return failure(err, "open slot");
    it->from = open_beneath(slot, request->name);
    if (it->from < 0) {
        collected->refusal = refusal_of(errno);
        return collected->refusal != COLLECT_TAKEN ? STATUS_OK : failure(err, "open output");
    }
    if (fstat(it->from, &facts) != 0)
        return failure(err, "stat output");
    collected->refusal = judge(&facts, request->max_bytes);
    collected->size_bytes =
        S_ISREG(facts.st_mode) && collected->refusal != COLLECT_TAKEN ? facts.st_size : 0;
    return STATUS_OK;
}

static enum status open_both(struct collection *it, const struct collect_request *request,
                             struct error *err)
{
    struct disk *disk = request->disk;

    it->collected.refusal = COLLECT_BAD_NAME;
    if (text_is_file_name(request->name))
        TRY(open_output(it, request, err));
    if (it->collected.refusal != COLLECT_TAKEN)
        return STATUS_OK;
    TRY(disk->open_write(disk, request->to, 0600, &it->to, err));
    return disk->truncate(it->to, 0, err);
}

void collection_free(struct collection *collection)
{
    if (collection == NULL)
        return;
    close_descriptor(&collection->from);
    disk_file_close(collection->to);
    hasher_clear(&collection->hasher);
    free(collection);
}

static struct collection *collection_new(void)
{
    struct collection *it = must_alloc(1, sizeof *it);

    it->from = -1;
    hasher_init(&it->hasher);
    return it;
}

/* Over, one way or the other. */
static void end(const struct collect_request *request, struct collection **work, enum status status,
                struct collected *ret_collected)
{
    struct collected collected = (*work)->collected;

    collection_free(TAKE(*work));
    if (status != STATUS_OK || collected.refusal != COLLECT_TAKEN)
        (void)request->disk->remove(request->disk, request->to, NULL);
    if (status == STATUS_OK)
        *ret_collected = collected;
}

enum status collect_some(const struct collect_request *request, struct collection **work,
                         int64_t *bytes, struct collected *ret_collected, struct error *err)
{
    enum status status = STATUS_OK;
    bool is_over = false;

    if (*work == NULL) {
        *work = collection_new();
        status = open_both(*work, request, err);
        is_over = (*work)->collected.refusal != COLLECT_TAKEN;
    }
    if (status == STATUS_OK && !is_over)
        status = go_on(*work, request, bytes, &is_over, err);
    if (status != STATUS_OK || is_over)
        end(request, work, status, ret_collected);
    return status;
}
