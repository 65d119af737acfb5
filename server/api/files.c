/* GET and PUT /v1/files/{hex}, POST /v1/files/missing, GET /v1/outputs/{hex}. */
#include <stdlib.h>
#include <string.h>

#include "db/query.h"
#include "db/store.h"
#include "protocol/files_missing.h"
#include "server/api/call.h"
#include "server/api/digest_set.h"
#include "server/api/files.h"
#include "server/api/handlers.h"
#include "server/files/store.h"

#define BYTES         "application/octet-stream"
#define PUBLIC_FOR_MS 3600000 /* then it is asked again whether a file is public */

void file_reply_safety(struct http_reply *reply, const char *caching)
{
    http_reply_field(reply, "Cache-Control", "%s", caching);
    http_reply_field(reply, "Content-Disposition", "attachment");
    http_reply_field(reply, "X-Content-Type-Options", "nosniff");
    http_reply_field(reply, "Content-Security-Policy", "default-src 'none'; sandbox");
    http_reply_field(reply, "Cross-Origin-Resource-Policy", "cross-origin");
}

static void no_file(struct call *call)
{
    struct error err;

    error_set(&err, STATUS_NOT_FOUND, "there is no such file here");
    call_fail(call, &err);
}

static void send_file(struct call *call, const struct digest *digest, const char *caching)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct file_store *files = call->api->files;
    struct disk_file *file = NULL;
    struct error err;
    char etag[DIGEST_CHARS + 3];
    int64_t size = 0;
    enum status status = files->open(files, digest, &file, &size, &err);

    if (status == STATUS_NOT_FOUND) {
        no_file(call);
        return;
    }
    if (status != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    etag[0] = '"';
    memcpy(etag + 1, digest_format(digest).text, DIGEST_CHARS);
    memcpy(etag + 1 + DIGEST_CHARS, "\"", 2);
    http_reply_file_for(&reply, call->head, BYTES, etag, files->disk, file, size);
    if (reply.status < 400) /* a problem is kept by nobody */
        file_reply_safety(&reply, caching);
    call_reply(call, &reply);
}

static void send_public(struct call *call, const struct digest *digest)
{
    send_file(call, digest, "public, max-age=31536000, immutable");
}

struct looked {
    bool is_public;
    bool is_accepted;
    char *body; /* of an inline one */
    size_t length;
};

static bool look(void *context, const struct file_view *file)
{
    struct looked *looked = context;

    looked->is_public = file->is_public;
    looked->is_accepted = file->is_accepted;
    if (file->has_body && file->is_accepted) {
        looked->body = must_alloc(1, file->body.length + 1);
        memcpy(looked->body, file->body.bytes, file->body.length);
        looked->length = file->body.length;
    }
    return true;
}

static enum status look_up(const struct call *call, struct store *store, struct digest *ret_digest,
                           struct looked *ret_looked, struct error *err)
{
    TRY(call_digest(call, 0, ret_digest, err));
    return store->query->file(store, ret_digest, look, ret_looked, err);
}

enum status file_is_public(const struct call *call, struct store *store,
                           const struct digest *digest, bool *ret_is_public, struct error *err)
{
    struct digest_set *known = call->api->public_files;
    struct looked looked = {0};
    enum status status;

    *ret_is_public = digest_set_has(known, digest, call->begun_mono_ms - PUBLIC_FOR_MS);
    if (*ret_is_public)
        return STATUS_OK;
    status = store->query->file(store, digest, look, &looked, err);
    free(looked.body);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *ret_is_public = status == STATUS_OK && looked.is_public;
    if (*ret_is_public)
        digest_set_add(known, digest, call->begun_mono_ms);
    return STATUS_OK;
}

/* To somebody without a token a file that is not public does not exist. */
static void get_known(struct call *call, struct store *store)
{
    struct digest digest;
    bool is_public = false;
    struct error err;

    if (call_digest(call, 0, &digest, &err) != STATUS_OK ||
        file_is_public(call, store, &digest, &is_public, &err) != STATUS_OK)
        call_fail(call, &err);
    else if (is_public)
        send_public(call, &digest);
    else
        no_file(call);
}

void file_get(struct call *call)
{
    struct digest digest;
    struct error err;

    if (call_digest(call, 0, &digest, &err) != STATUS_OK)
        call_fail(call, &err);
    else if (digest_set_has(call->api->public_files, &digest, call->begun_mono_ms - PUBLIC_FOR_MS))
        send_public(call, &digest);
    else
        call_read(call, get_known);
}

static void send_body(struct call *call, char *body, size_t length)
{
    CLEANUP(http_reply_clear) struct http_reply reply;

    http_reply_init(&reply, 200);
    http_reply_memory(&reply, BYTES, body, length);
    file_reply_safety(&reply, "private, no-store");
    call_reply(call, &reply);
}

static void get_output(struct call *call, struct store *store)
{
    struct looked looked = {0};
    struct digest digest;
    struct error err;
    enum status status = look_up(call, store, &digest, &looked, &err);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        call_fail(call, &err);
    else if (status != STATUS_OK || !looked.is_accepted)
        no_file(call);
    else if (looked.body != NULL)
        send_body(call, TAKE(looked.body), looked.length);
    else
        send_file(call, &digest, "private, no-store");
    free(looked.body);
}

void output_get(struct call *call)
{
    call_read(call, get_output);
}

static void find_missing(struct call *call, struct store *store)
{
    struct digests *files = call->state;
    bool is_missing[FILES_MISSING_FILES_MAX];
    struct error err;
    size_t count = 0;

    if (store->query->files_missing(store, files->digests, files->count, is_missing, &err) !=
        STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    for (size_t i = 0; i < files->count; i++)
        if (is_missing[i])
            files->digests[count++] = files->digests[i];
    call_json(call, 200, files_missing_reply_encode(files->digests, count));
}

static void free_digests(void *state)
{
    digests_clear(state);
    free(state);
}

void files_missing(struct call *call)
{
    struct digests *files = call_state(call, sizeof *files, free_digests);
    struct error err;

    if (files_missing_request_decode(buffer_text(&call->body), call->body.length, files, &err) !=
        STATUS_OK)
        call_fail(call, &err);
    else if (files->count == 0)
        call_json(call, 200, files_missing_reply_encode(NULL, 0));
    else
        call_read(call, find_missing);
}
