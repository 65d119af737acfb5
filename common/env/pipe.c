#define _GNU_SOURCE 1 /* O_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/env/real.h"

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

static enum status failure(struct error *err, const char *what)
{
    int cause = errno;

    if (cause == EINTR)
        return error_set(err, STATUS_STORAGE, "interrupted while waiting for the pipe's writer");
    error_set(err, STATUS_STORAGE, "the pipe failed");
    error_detail(err, "%s: %s", what, strerror(cause));
    return STATUS_STORAGE;
}

/* Readable, or its last writer went. Of a FIFO that nobody opened for writing yet this is neither.
 */
static enum status wait_for_more(int descriptor, struct error *err)
{
    struct pollfd one = {.fd = descriptor, .events = POLLIN};

    return poll(&one, 1, -1) == 1 ? STATUS_OK : failure(err, "poll");
}

static enum status read_all(int descriptor, struct buffer *content, struct error *err)
{
    for (;;) {
        char piece[4096];
        ssize_t count;

        TRY(wait_for_more(descriptor, err));
        count = read(descriptor, piece, sizeof piece);
        if (count < 0 && errno == EAGAIN)
            continue;
        if (count < 0)
            return failure(err, "read");
        if (count == 0)
            return STATUS_OK;
        TRY(buffer_append(content, piece, (size_t)count, err));
    }
}

enum status pipe_read(const char *path, struct buffer *ret_content, bool *ret_is_pipe,
                      struct error *err)
{
    CLEANUP(close_descriptor) int descriptor = -1;
    struct stat facts;

    *ret_is_pipe = false;
    if (stat(path, &facts) != 0 || !S_ISFIFO(facts.st_mode))
        return STATUS_OK;
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0)
        return failure(err, "open");
    if (fstat(descriptor, &facts) != 0 || !S_ISFIFO(facts.st_mode))
        return error_set(err, STATUS_INVALID, "not a regular file or pipe");
    *ret_is_pipe = true;
    return read_all(descriptor, ret_content, err);
}
