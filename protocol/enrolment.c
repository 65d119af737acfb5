#include "protocol/enrolment.h"

#include <string.h>

#include "protocol/reading.h"
#include "protocol/writer.h"

static const char *const kinds[] = {"native", "browser"};

static struct challenge read_challenge(struct members *members)
{
    struct challenge challenge = {0};
    size_t length = members_base64(members, "challenge", challenge.bytes, sizeof challenge.bytes);

    if (members_failed(members))
        return (struct challenge){0};
    if (length == 0)
        members_fail(members, "challenge", "malformed", "is empty");
    challenge.length = length;
    return challenge;
}

enum status challenge_reply_decode(const char *body, size_t length,
                                   struct challenge_reply *ret_reply, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct challenge_reply reply;

    TRY(reply_begin(body, length, ENROLMENT_REPLY_MAX, &root, &members, err));
    reply.challenge = read_challenge(&members);
    reply.expires_s = members_time(&members, "expires");
    TRY(members_end(&members));
    *ret_reply = reply;
    return STATUS_OK;
}

char *challenge_reply_encode(const struct challenge_reply *reply)
{
    struct writer writer;

    writer_init(&writer);
    write_base64(&writer, "challenge", reply->challenge.bytes, reply->challenge.length);
    write_integer(&writer, "expires", reply->expires_s);
    return writer_end(&writer);
}

enum status empty_request_decode(const char *body, size_t length, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;

    TRY(request_begin(body, length, ENROLMENT_REQUEST_MAX, &root, &members, err));
    return members_end(&members);
}

enum status enrolment_decode(const char *payload, size_t length, struct enrolment *ret_enrolment,
                             struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct enrolment enrolment;

    TRY(request_begin(payload, length, ENROLMENT_PAYLOAD_MAX, &root, &members, err));
    members_type(&members, ENROLMENT_TYPE);
    enrolment.project = members_digest(&members, "project");
    enrolment.key = members_public_key(&members, "key");
    enrolment.challenge = read_challenge(&members);
    enrolment.kind = WORD_OF(&members, "kind", kinds);
    enrolment.time_s = members_time(&members, "time");
    TRY(members_end(&members));
    *ret_enrolment = enrolment;
    return STATUS_OK;
}

char *enrolment_encode(const struct enrolment *enrolment)
{
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "type", ENROLMENT_TYPE);
    write_digest(&writer, "project", &enrolment->project);
    write_key(&writer, "key", &enrolment->key);
    write_base64(&writer, "challenge", enrolment->challenge.bytes, enrolment->challenge.length);
    write_text(&writer, "kind", kinds[enrolment->kind - 1]);
    write_integer(&writer, "time", enrolment->time_s);
    return writer_end(&writer);
}

void enrolment_request_clear(struct enrolment_request *request)
{
    envelope_clear(&request->statement);
    *request = (struct enrolment_request){0};
}

enum status enrolment_request_decode(const char *body, size_t length,
                                     struct enrolment_request *ret_request, struct error *err)
{
    CLEANUP(enrolment_request_clear) struct enrolment_request request = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(request_begin(body, length, ENROLMENT_REQUEST_MAX, &root, &members, err));
    members_decoded_envelope(&members, "statement", ENROLMENT_PAYLOAD_MAX, &request.statement);
    if (members_has(&members, "account"))
        request.account = members_token(&members, "account");
    TRY(members_end(&members));
    if (strcmp(request.statement.type, ENROLMENT_TYPE) != 0)
        return error_set(err, STATUS_INVALID, "statement is not of the type %s", ENROLMENT_TYPE);
    TRY(enrolment_decode(request.statement.payload, request.statement.payload_length,
                         &request.enrolment, err));
    GIVE(ret_request, request);
    return STATUS_OK;
}

char *enrolment_request_encode(const struct enrolment_request *request)
{
    CLEANUP(freep) char *statement = envelope_encode(&request->statement);
    struct writer writer;

    writer_init(&writer);
    write_json(&writer, "statement", statement);
    write_text_unless_empty(&writer, "account", request->account.text);
    return writer_end(&writer);
}

enum status enrolment_reply_decode(const char *body, size_t length,
                                   struct enrolment_reply *ret_reply, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct enrolment_reply reply;

    TRY(reply_begin(body, length, ENROLMENT_REPLY_MAX, &root, &members, err));
    reply.host = members_id(&members, "host");
    reply.token = members_token(&members, "token");
    reply.volunteer = members_id(&members, "volunteer");
    reply.next_visit = members_id(&members, "next_visit");
    TRY(members_end(&members));
    *ret_reply = reply;
    return STATUS_OK;
}

char *enrolment_reply_encode(const struct enrolment_reply *reply)
{
    struct writer writer;

    writer_init(&writer);
    write_integer(&writer, "host", reply->host);
    write_text(&writer, "token", reply->token.text);
    write_integer(&writer, "volunteer", reply->volunteer);
    write_integer(&writer, "next_visit", reply->next_visit);
    return writer_end(&writer);
}
