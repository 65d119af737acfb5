/* /v1/uploads: bodies of outputs, as tus 1.0 says (core, creation, termination). */
#include "server/files/uploads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/tus.h"

#define METADATA_MAX 512

void tus_reply(struct http_reply *ret_reply, int http)
{
    http_reply_init(ret_reply, http);
    http_reply_field(ret_reply, "Tus-Resumable", TUS_VERSION);
    http_reply_field(ret_reply, "Cache-Control", "no-store");
}

void tus_fail(struct call *call, const struct error *err)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};

    if (err->code != NULL && strcmp(err->code, UPLOAD_LOCKED) == 0)
        http_reply_problem_http(&reply, 423, err->text, err->retry_after_s);
    else
        call_problem(&reply, err);
    http_reply_field(&reply, "Tus-Resumable", TUS_VERSION);
    call_reply(call, &reply);
}

bool tus_speaks(struct call *call)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    const char *version = http_head_field(call->head, "tus-resumable");

    if (version != NULL && strcmp(version, TUS_VERSION) == 0)
        return true;
    http_reply_problem_http(&reply, 412, "this speaks tus " TUS_VERSION "; say so in Tus-Resumable",
                            0);
    http_reply_field(&reply, "Tus-Resumable", TUS_VERSION);
    http_reply_field(&reply, "Tus-Version", TUS_VERSION);
    call_reply(call, &reply);
    return false;
}

void uploads_options(struct call *call)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};

    tus_reply(&reply, 204);
    http_reply_field(&reply, "Tus-Version", TUS_VERSION);
    http_reply_field(&reply, "Tus-Extension", "creation,termination");
    http_reply_field(&reply, "Tus-Max-Size", "%" PRId64, call->api->limits.upload_max);
    call_reply(call, &reply);
}

/*
 * The value of one key of "key base64, key base64": text without NUL. Keys we do not know are let
 * pass, as clients of others send file names and types.
 */
static enum status metadata(const char *list, const char *key, char *ret_text, size_t size,
                            struct error *err)
{
    size_t key_length = strlen(key);
    size_t count = 0;

    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");

        if (length > key_length && strncmp(list, key, key_length) == 0 && list[key_length] == ' ') {
            const char *value = list + key_length + 1;

            if (!base64_decode(value, length - key_length - 1, ret_text, size - 1, &count) ||
                memchr(ret_text, '\0', count) != NULL)
                return error_set(err, STATUS_INVALID,
                                 "Upload-Metadata: %s is base64 of up to %zu bytes", key, size - 1);
            ret_text[count] = '\0';
            return STATUS_OK;
        }
        list += length + (list[length] == ',');
        list += strspn(list, " ");
    }
    return error_set(err, STATUS_INVALID, "Upload-Metadata lacks %s", key);
}

static enum status read_wish(const struct call *call, struct upload *ret_wish, struct error *err)
{
    const char *list = http_head_field(call->head, "upload-metadata");
    const char *length = http_head_field(call->head, "upload-length");
    struct upload wish = {.host = call->who.subject};
    char task[20];

    if (list != NULL && strlen(list) > METADATA_MAX)
        return error_set(err, STATUS_INVALID, "Upload-Metadata has up to %d bytes", METADATA_MAX);
    if (length == NULL || !text_to_integer(length, 0, ID_MAX, &wish.length))
        return error_set(err, STATUS_INVALID, "Upload-Length is the output's size in bytes");
    if (wish.length > call->api->limits.upload_max)
        return error_set(err, STATUS_TOO_LARGE, "this site takes outputs of up to %lld bytes",
                         (long long)call->api->limits.upload_max);
    TRY(metadata(list, "task", task, sizeof task, err));
    TRY(metadata(list, "name", wish.name, sizeof wish.name, err));
    if (!text_to_integer(task, 1, ID_MAX, &wish.task))
        return error_set(err, STATUS_INVALID, "Upload-Metadata: task is a task's number");
    if (!text_is_file_name(wish.name))
        return error_set(err, STATUS_INVALID, "Upload-Metadata: name is an output's name");
    *ret_wish = wish;
    return STATUS_OK;
}

static void send_location(struct call *call, const struct upload *upload)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};

    tus_reply(&reply, 201);
    http_reply_field(&reply, "Location", "/v1/uploads/%s", upload->id);
    call_reply(call, &reply);
}

static void create(struct call *call, struct store *store)
{
    struct upload *wish = call->state;
    struct error err;

    (void)store;
    if (uploads_create(call->api->uploads, wish, wish, &err) == STATUS_OK)
        send_location(call, wish);
    else
        tus_fail(call, &err);
}

static void allowed(struct call *call)
{
    const struct may_upload_command *may = &call->command.may_upload;
    struct upload *wish = call->state;
    struct error err = call->command.err;

    wish->digest = may->digest;
    if (call->command.status == STATUS_OK && !may->is_stored) {
        call_disk(call, create);
        return;
    }
    if (call->command.status == STATUS_OK)
        error_set(&err, STATUS_GONE, "this output is stored already; nothing is to be sent");
    tus_fail(call, &err);
}

void uploads_post(struct call *call)
{
    struct upload *wish;
    struct error err;

    if (!tus_speaks(call))
        return;
    wish = call_state(call, sizeof *wish, free);
    if (read_wish(call, wish, &err) != STATUS_OK || call_check_room(call, &err) != STATUS_OK) {
        tus_fail(call, &err);
        return;
    }
    call->command.may_upload.host = wish->host;
    call->command.may_upload.task = wish->task;
    call->command.may_upload.name = wish->name;
    call->command.may_upload.size_bytes = wish->length;
    call_command_any(call, COMMAND_MAY_UPLOAD, allowed);
}

void upload_head(struct call *call)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct upload upload;
    struct error err;

    if (!tus_speaks(call))
        return;
    if (uploads_look(call->api->uploads, call->segments.at[0].text, call->who.subject, &upload,
                     &err) != STATUS_OK) {
        tus_fail(call, &err);
        return;
    }
    tus_reply(&reply, 200);
    http_reply_field(&reply, "Upload-Offset", "%" PRId64, upload.offset);
    http_reply_field(&reply, "Upload-Length", "%" PRId64, upload.length);
    call_reply(call, &reply);
}

void upload_delete(struct call *call)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct error err;

    if (!tus_speaks(call))
        return;
    if (uploads_remove(call->api->uploads, call->segments.at[0].text, call->who.subject, &err) !=
        STATUS_OK) {
        tus_fail(call, &err);
        return;
    }
    tus_reply(&reply, 204);
    call_reply(call, &reply);
}
