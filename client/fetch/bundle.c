#include "client/fetch/bundle.h"

#include <string.h>

#define FRAME_MAX (FILES_BUNDLE_HEAD_BYTES + FILES_BUNDLE_FILE_MAX)

static enum status on_begin(void *context, const struct http_response *head, struct error *err)
{
    (void)context;
    return head->status == 200
               ? STATUS_OK
               : error_set(err, STATUS_INVALID, "the server sent something else than a bundle");
}

/* The frame's head is there: whose turn is it? Those before it were left out. */
static enum status take_head(struct bundle *bundle, struct error *err)
{
    struct files_bundle_head head;

    TRY(files_bundle_head_decode((const uint8_t *)bundle->frame.bytes, &head, err));
    while (bundle->next < bundle->count &&
           !digest_equals(&bundle->files[bundle->next], &head.digest))
        bundle->next++;
    if (bundle->next == bundle->count)
        return error_set(err, STATUS_UNTRUSTED, "the bundle has a file that was not asked for");
    if (head.size != bundle->sizes[bundle->next])
        return error_set(err, STATUS_UNTRUSTED, "a file of the bundle has not the signed size");
    return STATUS_OK;
}

static enum status take_file(struct bundle *bundle, struct error *err)
{
    const char *bytes = bundle->frame.bytes + FILES_BUNDLE_HEAD_BYTES;
    int64_t size = bundle->sizes[bundle->next];
    struct digest digest = digest_of(bytes, (size_t)size);

    if (!digest_equals(&digest, &bundle->files[bundle->next]))
        return error_set(err, STATUS_UNTRUSTED, "a file of the bundle is not what was signed");
    bundle->bytes_left -= size;
    cache_leave_part(bundle->cache, &bundle->part, bundle->bytes_left);
    TRY(cache_put(bundle->cache, &digest, bytes, (size_t)size, err));
    bundle->next++;
    bundle->came++;
    buffer_reset(&bundle->frame);
    return STATUS_OK;
}

/* Of the frame that is coming, as far as it is known. */
static size_t frame_bytes(const struct bundle *bundle)
{
    if (bundle->frame.length < FILES_BUNDLE_HEAD_BYTES)
        return FILES_BUNDLE_HEAD_BYTES;
    return FILES_BUNDLE_HEAD_BYTES + (size_t)bundle->sizes[bundle->next];
}

static enum status on_bytes(void *context, const void *bytes, size_t count, struct error *err)
{
    struct bundle *bundle = context;
    struct buffer *frame = &bundle->frame;
    const char *from = bytes;

    while (count > 0) {
        size_t wanted = frame_bytes(bundle) - frame->length;
        size_t taken = wanted < count ? wanted : count;

        TRY(buffer_append(frame, from, taken, err));
        from += taken;
        count -= taken;
        if (frame->length == FILES_BUNDLE_HEAD_BYTES)
            TRY(take_head(bundle, err));
        if (frame->length >= FILES_BUNDLE_HEAD_BYTES && frame->length == frame_bytes(bundle))
            TRY(take_file(bundle, err));
    }
    return STATUS_OK;
}

void bundle_open(struct bundle *ret_bundle, struct cache *cache, const struct digest *project)
{
    const struct digest no_file = {.bytes = {0}};

    *ret_bundle = (struct bundle){.cache = cache, .part = cache_part(project, &no_file)};
    ret_bundle->sink =
        (struct http_sink){.begin = on_begin, .write = on_bytes, .context = ret_bundle};
    buffer_init(&ret_bundle->frame, FRAME_MAX);
    cache_pin(cache, &ret_bundle->part, 0); /* the room that it takes is nobody else's */
}

enum status bundle_add(struct bundle *bundle, const struct digest *file, int64_t size,
                       struct error *err)
{
    if (bundle->count == FILES_BUNDLE_FILES_MAX || size > FILES_BUNDLE_FILE_MAX ||
        size > FILES_BUNDLE_BYTES_MAX - bundle->bytes)
        return error_set(err, STATUS_TOO_LARGE, "a bundle holds no more");
    TRY(cache_reserve(bundle->cache, &bundle->part, bundle->bytes + size, err));
    bundle->files[bundle->count] = *file;
    bundle->sizes[bundle->count++] = size;
    bundle->bytes += size;
    bundle->bytes_left = bundle->bytes;
    return STATUS_OK;
}

bool bundle_holds(const struct bundle *bundle, const struct digest *file)
{
    for (size_t i = bundle->next; i < bundle->count; i++)
        if (digest_equals(&bundle->files[i], file))
            return true;
    return false;
}

bool bundle_is_needless(const struct bundle *bundle)
{
    for (size_t i = bundle->next; i < bundle->count; i++)
        if (!cache_has(bundle->cache, &bundle->files[i]))
            return false;
    return true;
}

int64_t bundle_answer_bytes(const struct bundle *bundle)
{
    return bundle->bytes + (int64_t)(bundle->count * FILES_BUNDLE_HEAD_BYTES);
}

void bundle_close(struct bundle *bundle)
{
    if (bundle->cache == NULL)
        return;
    cache_leave_part(bundle->cache, &bundle->part, 0);
    cache_unpin(bundle->cache, &bundle->part);
    buffer_clear(&bundle->frame);
    *bundle = (struct bundle){.cache = NULL};
}
