/* Files with their ranges, and uploads by tus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "protocol/files_bundle.h"
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

/* "small-17" by its digest, as it is served; NULL: it is none of them. Static. */
static const char *small_file(const struct fake_site *site, const struct digest *digest)
{
    static char name[32];

    for (int i = 0; i < FAKE_SMALL_MAX; i++) {
        int length = snprintf(name, sizeof name, "small-%d", i);
        struct digest signed_digest = digest_of(name, (size_t)length);

        if (digest_equals(digest, &signed_digest)) {
            name[0] = site->mark;
            return name;
        }
    }
    return NULL;
}

static const char *file_of(const struct fake_site *site, const struct digest *digest)
{
    struct digest binary = digest_of("binary", 6);

    if (digest_equals(digest, &binary))
        return "binary";
    if (digest_equals(digest, &site->sample.unit.inputs[0].digest))
        return site->file;
    return small_file(site, digest);
}

void fake_site_file(struct fake_site *site, const struct fake_request *request,
                    struct http_response *response)
{
    const char *hex = request->path + strlen("/v1/files/");
    const char *bytes = NULL;
    struct digest digest;

    if (!text_to_exact_bytes(hex, DIGEST_BYTES, digest.bytes))
        fake_site_broke(site, "%s is no file", request->path);
    else
        bytes = file_of(site, &digest);
    if (bytes != NULL)
        reply_bytes(site, request, response, bytes);
    else
        fake_reply_problem(response, STATUS_NOT_FOUND, 0, "there is no such file");
}

static void add_frame(struct buffer *frames, const struct digest *digest, const char *bytes)
{
    struct files_bundle_head head = {.digest = *digest, .size = (int64_t)strlen(bytes)};
    uint8_t text[FILES_BUNDLE_HEAD_BYTES];

    files_bundle_head_encode(&head, text);
    if (buffer_append(frames, text, sizeof text, NULL) != STATUS_OK ||
        buffer_append(frames, bytes, strlen(bytes), NULL) != STATUS_OK)
        abort();
}

void fake_site_bundle(struct fake_site *site, const struct fake_request *request,
                      struct http_response *response)
{
    CLEANUP(digests_clear) struct digests asked = {0};
    CLEANUP(buffer_clear) struct buffer frames = {.max = 1 << 20};
    size_t most = site->bundle_holds > 0 ? site->bundle_holds : FILES_BUNDLE_FILES_MAX;

    site->bundles++;
    if (request->token == NULL || strcmp(request->token, site->token.text) != 0 ||
        files_bundle_request_decode(request->body, request->body_length, &asked, NULL) != STATUS_OK)
        fake_site_broke(site, "that is no request for a bundle: %s", request->body);
    if (site->bundle_fails_with != STATUS_OK) {
        fake_reply_problem(response, site->bundle_fails_with, 0, "not now");
        return;
    }
    for (size_t i = 0; i < asked.count && most > 0; i++) {
        const char *bytes = file_of(site, &asked.digests[i]);

        if (bytes == NULL)
            continue;
        add_frame(&frames, &asked.digests[i], bytes);
        site->files_served++;
        most--;
    }
    fake_reply(response, 200, buffer_text(&frames), frames.length);
}

void fake_site_add_small(struct fake_site *site, size_t count, size_t step)
{
    struct work_unit *unit = &site->sample.unit;
    struct work_input *inputs = must_alloc(unit->input_count + count, sizeof *inputs);
    size_t had = unit->input_count;

    memcpy(inputs, unit->inputs, had * sizeof *inputs);
    free(unit->inputs);
    unit->inputs = inputs;
    unit->input_count = had + count;
    for (size_t i = 0; i < site->task_count; i++) {
        for (size_t j = 0; j < count; j++) {
            struct work_input *input = &inputs[had + j];
            int length =
                snprintf(input->name.text, sizeof input->name.text, "small-%zu", i * step + j);

            input->digest = digest_of(input->name.text, (size_t)length);
            input->size = length;
        }
        envelope_clear(&site->tasks[i].unit);
        unit->index = (int64_t)i;
        (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%zu", i);
        site->tasks[i].unit = sample_seal_unit(&site->sample);
    }
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
