/* Files with their ranges, and uploads by tus. */
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "tests/support/fake_site_parts.h"

/* --- files --- */

static void reply_bytes(struct fake_site *site, const struct fake_request *request,
                        struct http_response *response, const char *bytes)
{
    size_t length = strlen(bytes), from = (size_t)request->range_from;

    site->files_served++;
    site->last_range = request->range_from;
    if (from > 0 && from < length) {
        fake_reply(response, 206, bytes + from, length - from);
        response->range_first = request->range_from;
        return;
    }
    fake_reply(response, 200, bytes, length);
}

void fake_site_file(struct fake_site *site, const struct fake_request *request,
                    struct http_response *response)
{
    const char *hex = request->path + strlen("/v1/files/");
    struct digest digest, binary = digest_of("binary", 6);

    if (!text_to_exact_bytes(hex, DIGEST_BYTES, digest.bytes))
        fake_site_broke(site, "%s is no file", request->path);
    if (digest_equals(&digest, &binary))
        reply_bytes(site, request, response, "binary");
    else if (digest_equals(&digest, &site->sample.unit.inputs[0].digest))
        reply_bytes(site, request, response, site->file);
    else
        fake_reply_problem(response, STATUS_NOT_FOUND, 0, "there is no such file");
}

/* --- uploads --- */

static int64_t number_of(const char *text)
{
    int64_t number = -1;

    return text != NULL && text_to_integer(text, 0, FAKE_UPLOAD_MAX, &number) ? number : -1;
}

static void make_upload(struct fake_site *site, const struct fake_request *request,
                        struct http_response *response)
{
    const char *metadata = fake_request_header(request, "Upload-Metadata");
    int64_t length = number_of(fake_request_header(request, "Upload-Length"));
    char task[32];
    size_t count = 0;

    if (metadata == NULL || length < 0 || !text_starts_with(metadata, "task ") ||
        !base64_decode(metadata + 5, strcspn(metadata + 5, ","), task, sizeof task - 1, &count)) {
        fake_site_broke(site, "an upload without its metadata");
        return;
    }
    task[count] = '\0';
    site->upload_task = number_of(task);
    site->upload_size = (size_t)length;
    site->upload_length = 0;
    site->uploads_made++;
    fake_reply(response, 201, "", 0);
    (void)text_fit(response->location, sizeof response->location, FAKE_SITE_URL "/v1/uploads/1");
}

static enum status take_patch(struct fake_site *site, const struct fake_request *request,
                              struct http_response *response, struct error *err)
{
    int64_t offset = number_of(fake_request_header(request, "Upload-Offset"));
    struct fake_task *task = fake_site_task(site, site->upload_task);
    size_t length = request->body_length;
    struct digest digest;

    if (site->upload_cut != 0)
        length = site->upload_cut;
    if (offset != (int64_t)site->upload_length ||
        site->upload_length + request->body_length != site->upload_size) {
        fake_site_broke(site, "an upload went on at %lld, not %zu", (long long)offset,
                        site->upload_length);
        return STATUS_OK;
    }
    memcpy(site->upload + site->upload_length, request->body, length);
    site->upload_length += length;
    if (site->upload_cut != 0) {
        site->upload_cut = 0;
        return error_set(err, STATUS_UNREACHABLE, "the connection to the server broke");
    }
    digest = digest_of(site->upload, site->upload_length);
    if (!digest_equals(&digest, &task->output.digest))
        fake_site_broke(site, "an upload is not what was reported");
    task->was_uploaded = true;
    fake_reply(response, 204, "", 0);
    response->upload_offset = (int64_t)site->upload_length;
    return STATUS_OK;
}

enum status fake_site_upload(struct fake_site *site, const struct fake_request *request,
                             struct http_response *response, struct error *err)
{
    if (request->method == HTTP_POST)
        make_upload(site, request, response);
    else if (request->method == HTTP_PATCH)
        return take_patch(site, request, response, err);
    else if (site->upload_size == 0)
        fake_reply_problem(response, STATUS_NOT_FOUND, 0, "there is no such upload");
    else {
        fake_reply(response, 200, "", 0);
        response->upload_offset = (int64_t)site->upload_length;
    }
    return STATUS_OK;
}
