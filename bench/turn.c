#include "bench/turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/output.h"
#include "bench/visiting.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "protocol/account.h"

#define JSON "application/json"

void kit_clear(struct kit *kit)
{
    for (size_t i = 0; i < kit->app_count; i++)
        app_version_clear(&kit->apps[i].app);
    kit->app_count = 0;
}

void turn_clear(struct turn *turn)
{
    visit_clear(&turn->visit);
    free(turn->wanted);
    *turn = (struct turn){0};
}

void turn_begin(struct turn *turn, struct actor *actor)
{
    turn_clear(turn);
    turn->actor = actor;
    turn->step = *actor->token.text != '\0' ? TURN_VISIT : TURN_ACCOUNT;
}

/* --- requests ----------------------------------------------------------------------------------*/

static enum status write_head(const struct turn *turn, const struct kit *kit, const char *line,
                              const char *fields, size_t length, struct buffer *out,
                              struct error *err)
{
    const char *token = turn->actor->token.text;
    bool says_who = turn->step >= TURN_VISIT;

    return buffer_printf(out, err, "%s HTTP/1.1\r\nHost: %s\r\n%s%s%s%sContent-Length: %zu\r\n\r\n",
                         line, kit->authority, says_who ? "Authorization: Bearer " : "",
                         says_who ? token : "", says_who ? "\r\n" : "", fields, length);
}

static enum status post_json(const struct turn *turn, const struct kit *kit, const char *line,
                             const char *body, struct buffer *out, struct error *err)
{
    size_t length = strlen(body);

    TRY(write_head(turn, kit, line, "Content-Type: " JSON "\r\n", length, out, err));
    return buffer_append(out, body, length, err);
}

static enum status post_enrolment(const struct turn *turn, const struct kit *kit,
                                  struct buffer *out, struct error *err)
{
    const struct actor *actor = turn->actor;
    struct enrolment enrolment = {.project = kit->project,
                                  .key = actor->key.public_key,
                                  .challenge = turn->challenge,
                                  .kind = ENROLMENT_NATIVE,
                                  .time_s = kit->now_s};
    CLEANUP(freep) char *payload = enrolment_encode(&enrolment);
    CLEANUP(enrolment_request_clear)
    struct enrolment_request request = {.account = actor->account};
    CLEANUP(freep) char *body = NULL;

    envelope_init(&request.statement, ENROLMENT_TYPE, payload, strlen(payload));
    TRY(envelope_sign(&request.statement, &actor->key, err));
    body = enrolment_request_encode(&request);
    return post_json(turn, kit, "POST /v1/hosts", body, out, err);
}

static enum status post_upload(const struct turn *turn, const struct kit *kit, struct buffer *out,
                               struct error *err)
{
    const struct wanted_output *wanted = &turn->wanted[turn->wanted_next];
    char task[24], fields[512], task_text[BASE64_CHARS(sizeof task) + 1],
        name_text[BASE64_CHARS(TEXT_FILE_NAME_MAX) + 1];

    (void)snprintf(task, sizeof task, "%" PRId64, wanted->task);
    base64_encode(task, strlen(task), task_text);
    base64_encode(wanted->name.text, strlen(wanted->name.text), name_text);
    (void)snprintf(fields, sizeof fields,
                   "Tus-Resumable: 1.0.0\r\nUpload-Length: %" PRId64
                   "\r\nUpload-Metadata: task %s, name %s\r\n",
                   kit->output_bytes, task_text, name_text);
    return write_head(turn, kit, "POST /v1/uploads", fields, 0, out, err);
}

static enum status patch_upload(const struct turn *turn, const struct kit *kit, struct buffer *out,
                                struct error *err)
{
    const struct wanted_output *wanted = &turn->wanted[turn->wanted_next];
    size_t size = (size_t)kit->output_bytes;
    char line[RESPONSE_LOCATION_MAX + 8];
    char *room;

    (void)snprintf(line, sizeof line, "PATCH %s", turn->location);
    TRY(write_head(turn, kit, line,
                   "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                   "Content-Type: application/offset+octet-stream\r\n",
                   size, out, err));
    room = buffer_reserve(out, size);
    if (room == NULL)
        return error_set(err, STATUS_TOO_LARGE, "an output does not fit into a request");
    output_fill(&wanted->unit, actor_lie(turn->actor), 0, room, size);
    buffer_commit(out, size);
    return STATUS_OK;
}

static enum status post_visit(struct turn *turn, const struct kit *kit, struct buffer *out,
                              struct error *err)
{
    CLEANUP(freep) char *body = NULL;

    TRY(visiting_say(turn->actor, kit, &turn->visit, &body, err));
    return post_json(turn, kit, "POST /v1/scheduler", body, out, err);
}

enum status turn_request(struct turn *turn, const struct kit *kit, struct buffer *ret_request,
                         struct error *err)
{
    switch (turn->step) {
    case TURN_ACCOUNT:
        return post_json(turn, kit, "POST /v1/accounts", "{}", ret_request, err);
    case TURN_CHALLENGE:
        return post_json(turn, kit, "POST /v1/challenges", "{}", ret_request, err);
    case TURN_ENROL:
        return post_enrolment(turn, kit, ret_request, err);
    case TURN_VISIT:
        return post_visit(turn, kit, ret_request, err);
    case TURN_CREATE:
        return post_upload(turn, kit, ret_request, err);
    case TURN_PATCH:
        return patch_upload(turn, kit, ret_request, err);
    case TURN_OVER:
        break;
    }
    abort();
}

/* --- answers -----------------------------------------------------------------------------------*/

static enum status take_account(struct turn *turn, const struct response *response,
                                struct error *err)
{
    TRY(account_reply_decode(response->body, response->body_length, &turn->actor->account, err));
    turn->step = TURN_CHALLENGE;
    return STATUS_OK;
}

static enum status take_challenge(struct turn *turn, const struct response *response,
                                  struct error *err)
{
    struct challenge_reply reply;

    TRY(challenge_reply_decode(response->body, response->body_length, &reply, err));
    turn->challenge = reply.challenge;
    turn->step = TURN_ENROL;
    return STATUS_OK;
}

static enum status take_enrolment(struct turn *turn, struct kit *kit,
                                  const struct response *response, struct error *err)
{
    struct enrolment_reply reply;

    TRY(enrolment_reply_decode(response->body, response->body_length, &reply, err));
    turn->actor->token = reply.token;
    if (turn->actor->next_visit < reply.next_visit)
        turn->actor->next_visit = reply.next_visit;
    kit->figures->enrolled++;
    turn->step = TURN_VISIT;
    return STATUS_OK;
}

static void next_output(struct turn *turn)
{
    turn->step = turn->wanted_next < turn->wanted_count ? TURN_CREATE : TURN_OVER;
}

static enum status take_visit(struct turn *turn, struct kit *kit, const struct response *response,
                              struct error *err)
{
    free(turn->wanted);
    turn->wanted = NULL;
    turn->wanted_count = turn->wanted_next = 0;
    TRY(visiting_hear(turn->actor, kit, &turn->visit, response, &turn->wanted, &turn->wanted_count,
                      err));
    next_output(turn);
    return STATUS_OK;
}

static enum status take_created(struct turn *turn, const struct response *response,
                                struct error *err)
{
    if (*response->location != '/')
        return error_set(err, STATUS_INVALID, "an upload was made without a Location");
    memcpy(turn->location, response->location, sizeof turn->location);
    turn->step = TURN_PATCH;
    return STATUS_OK;
}

static enum status take_patched(struct turn *turn, struct kit *kit)
{
    kit->figures->uploads++;
    kit->figures->upload_bytes += kit->output_bytes;
    turn->wanted_next++;
    next_output(turn);
    return STATUS_OK;
}

static enum status take(struct turn *turn, struct kit *kit, const struct response *response,
                        struct error *err)
{
    switch (turn->step) {
    case TURN_ACCOUNT:
        return take_account(turn, response, err);
    case TURN_CHALLENGE:
        return take_challenge(turn, response, err);
    case TURN_ENROL:
        return take_enrolment(turn, kit, response, err);
    case TURN_VISIT:
        return take_visit(turn, kit, response, err);
    case TURN_CREATE:
        return take_created(turn, response, err);
    case TURN_PATCH:
        return take_patched(turn, kit);
    case TURN_OVER:
        break;
    }
    abort();
}

/* Somebody else's copy of the output came first: that is no failure of anybody's. */
static bool is_no_longer_wanted(const struct turn *turn, int status)
{
    return (turn->step == TURN_CREATE || turn->step == TURN_PATCH) &&
           (status == 403 || status == 409 || status == 410);
}

/* 503: also of a token that the server looks up. 423: an upload that is being closed. */
static bool is_to_be_repeated(int status)
{
    return status == 503 || status == 423;
}

enum status turn_answer(struct turn *turn, struct kit *kit, const struct response *response,
                        struct error *err)
{
    enum status status;

    if (is_to_be_repeated(response->status))
        return error_set(err, STATUS_BUSY, "the server is busy");
    if (is_no_longer_wanted(turn, response->status)) {
        turn->wanted_next++;
        next_output(turn);
        return STATUS_OK;
    }
    status = response->status / 100 == 2
                 ? take(turn, kit, response, err)
                 : error_set(err, STATUS_LIMITED, "the server answered %d: %.*s", response->status,
                             (int)(response->body_length < 160 ? response->body_length : 160),
                             response->body);
    if (response->status / 100 != 2)
        kit->figures->refused++;
    if (status != STATUS_OK)
        turn->step = TURN_OVER;
    return status;
}
