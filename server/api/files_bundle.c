/*
 * POST /v1/files/bundle: small files that a host asks for together, one after the other as the peer
 * takes them. No more than one of them is open, and none is held in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/files_bundle.h"
#include "server/api/call.h"
#include "server/api/files.h"
#include "server/api/handlers.h"
#include "server/files/store.h"

struct bundle {
    struct file_store *files; /* borrowed */
    struct digests asked;     /* of these, once it was looked up, the public ones */
    size_t next;              /* of `asked`, to be opened */
    struct disk_file *file;   /* owned; being sent. NULL: none is */
    int64_t size;             /* of it */
    int64_t sent;             /* of it */
    int64_t bytes_left;       /* of files that may still be sent */
};

static void free_bundle(void *state)
{
    struct bundle *bundle = state;

    disk_file_close(bundle->file);
    digests_clear(&bundle->asked);
    free(bundle);
}

/* False: this one is left out. What cannot be opened is as good as missing: it is asked for alone
 * next, and then its failure is told. */
static bool open_file(struct bundle *bundle, const struct digest *digest)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    if (bundle->files->open(bundle->files, digest, &file, &bundle->size, NULL) != STATUS_OK ||
        bundle->size > FILES_BUNDLE_FILE_MAX || bundle->size > bundle->bytes_left)
        return false;
    bundle->file = TAKE(file);
    bundle->sent = 0;
    bundle->bytes_left -= bundle->size;
    return true;
}

/* The head of the next file that is there; false: there is none. */
static bool begin_file(struct bundle *bundle, uint8_t *ret_head)
{
    while (bundle->next < bundle->asked.count) {
        const struct digest *digest = &bundle->asked.digests[bundle->next++];

        if (!open_file(bundle, digest))
            continue;
        files_bundle_head_encode(
            &(struct files_bundle_head){.digest = *digest, .size = bundle->size}, ret_head);
        return true;
    }
    return false;
}

/* Some of the file that is open; the last of it closes it. One that is shorter than it was fails.
 */
static enum status send_some(struct bundle *bundle, char *ret_bytes, size_t room, size_t *ret_count)
{
    struct disk *disk = bundle->files->disk;
    int64_t left = bundle->size - bundle->sent;

    *ret_count = 0;
    if (left > 0) {
        TRY(disk->read_at(bundle->file, bundle->sent, ret_bytes,
                          (int64_t)room < left ? room : (size_t)left, ret_count, NULL));
        if (*ret_count == 0)
            return STATUS_STORAGE;
    }
    bundle->sent += (int64_t)*ret_count;
    if (bundle->sent == bundle->size)
        disk_file_close(TAKE(bundle->file));
    return STATUS_OK;
}

static enum http_flow fill(void *context, struct http_exchange *exchange, char *ret_bytes,
                           size_t room, size_t *ret_count)
{
    struct bundle *bundle = context;
    size_t count;

    (void)exchange;
    *ret_count = 0;
    while (*ret_count + FILES_BUNDLE_HEAD_BYTES < room) {
        if (bundle->file == NULL) {
            if (!begin_file(bundle, (uint8_t *)ret_bytes + *ret_count))
                return HTTP_FLOW_END;
            *ret_count += FILES_BUNDLE_HEAD_BYTES;
        }
        if (send_some(bundle, ret_bytes + *ret_count, room - *ret_count, &count) != STATUS_OK)
            return HTTP_FLOW_FAIL;
        *ret_count += count;
    }
    return HTTP_FLOW_MORE;
}

static enum status keep_public(const struct call *call, struct store *store, struct digests *asked,
                               struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < asked->count; i++) {
        bool is_public = false;

        TRY(file_is_public(call, store, &asked->digests[i], &is_public, err));
        if (is_public)
            asked->digests[count++] = asked->digests[i];
    }
    asked->count = count;
    return STATUS_OK;
}

static void begin(struct call *call, struct store *store)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct bundle *bundle = call->state;
    struct error err;

    if (keep_public(call, store, &bundle->asked, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    http_reply_init(&reply, 200);
    file_reply_safety(&reply, "private, no-store");
    http_reply_producer(&reply, "application/octet-stream",
                        (struct http_producer){.fill = fill, .context = bundle});
    call_reply(call, &reply);
}

void files_bundle(struct call *call)
{
    struct bundle *bundle = call_state(call, sizeof *bundle, free_bundle);
    struct error err;

    bundle->files = call->api->files;
    bundle->bytes_left = FILES_BUNDLE_BYTES_MAX;
    if (files_bundle_request_decode(buffer_text(&call->body), call->body.length, &bundle->asked,
                                    &err) != STATUS_OK)
        call_fail(call, &err);
    else
        call_read(call, begin);
}
