#include <string.h>

#include "common/base/disk.h"
#include "server/http/range.h"
#include "server/http/reply.h"

/* A range counts only if the file is still the one the peer has a part of; dates never match. */
static struct http_range range_of(const struct http_head *head, const char *etag, int64_t size)
{
    const char *condition = http_head_field(head, "if-range");

    if (strcmp(head->method, "GET") != 0 || (condition != NULL && strcmp(condition, etag) != 0))
        return http_range_parse(NULL, size);
    return http_range_parse(http_head_field(head, "range"), size);
}

void http_reply_file_for(struct http_reply *reply, const struct http_head *head, const char *type,
                         const char *etag, struct disk *disk, struct disk_file *file, int64_t size)
{
    CLEANUP(disk_file_closep) struct disk_file *owned = file;
    struct http_range range = range_of(head, etag, size);

    if (http_head_has_etag(head, etag)) {
        http_reply_init(reply, 304);
    } else if (range.kind == HTTP_RANGE_IMPOSSIBLE) {
        http_reply_problem_http(reply, 416, "the file has no such range", 0);
        http_reply_field(reply, "Content-Range", "bytes */%lld", (long long)size);
    } else {
        http_reply_init(reply, range.kind == HTTP_RANGE_PART ? 206 : 200);
        http_reply_file(reply, type, disk, TAKE(owned), range.offset, range.length);
        if (range.kind == HTTP_RANGE_PART)
            http_reply_field(reply, "Content-Range", "bytes %lld-%lld/%lld",
                             (long long)range.offset, (long long)(range.offset + range.length - 1),
                             (long long)size);
    }
    http_reply_field(reply, "ETag", "%s", etag);
    http_reply_field(reply, "Accept-Ranges", "bytes");
}
