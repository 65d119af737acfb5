#include "server/http/reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "server/http/chars.h"

void http_reply_init(struct http_reply *reply, int status)
{
    assert(status >= 200 && status <= 599);
    *reply = (struct http_reply){.status = status};
    buffer_init(&reply->fields, HTTP_REPLY_FIELDS_MAX_BYTES);
}

static void clear_body(struct http_reply *reply)
{
    free(reply->bytes);
    disk_file_close(reply->file);
    if (reply->kind == HTTP_BODY_PRODUCER && reply->producer.free != NULL)
        reply->producer.free(reply->producer.context);
}

void http_reply_clear(struct http_reply *reply)
{
    clear_body(reply);
    buffer_clear(&reply->fields);
    *reply = (struct http_reply){0};
}

void http_reply_field(struct http_reply *reply, const char *name, const char *value_fmt, ...)
{
    va_list args;
    char value[HTTP_REPLY_FIELDS_MAX_BYTES];
    int length;
    enum status status;

    va_start(args, value_fmt);
    length = vsnprintf(value, sizeof value, value_fmt, args);
    va_end(args);
    assert(length >= 0 && (size_t)length < sizeof value);
    for (char *c = value; *c != '\0'; c++)
        if (!http_is_text_char(*c))
            *c = '?';
    status = buffer_printf(&reply->fields, NULL, "%s: %s\r\n", name, value);
    assert(status == STATUS_OK);
    (void)status;
}

static void begin_body(struct http_reply *reply, const char *type)
{
    assert(reply->kind == HTTP_BODY_NONE);
    http_reply_field(reply, "Content-Type", "%s", type);
}

void http_reply_memory(struct http_reply *reply, const char *type, char *bytes, size_t length)
{
    begin_body(reply, type);
    reply->kind = HTTP_BODY_MEMORY;
    reply->bytes = bytes;
    reply->length = (int64_t)length;
}

void http_reply_text(struct http_reply *reply, const char *type, const char *text)
{
    http_reply_memory(reply, type, text_copy(text), strlen(text));
}

void http_reply_file(struct http_reply *reply, const char *type, struct disk *disk,
                     struct disk_file *file, int64_t offset, int64_t length)
{
    assert(offset >= 0 && length >= 0);
    begin_body(reply, type);
    reply->kind = HTTP_BODY_FILE;
    reply->disk = disk;
    reply->file = file;
    reply->offset = offset;
    reply->length = length;
}

void http_reply_producer(struct http_reply *reply, const char *type, struct http_producer producer)
{
    begin_body(reply, type);
    reply->kind = HTTP_BODY_PRODUCER;
    reply->producer = producer;
}
