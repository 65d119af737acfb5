#include "protocol/scheduler_reply.h"

#include <string.h>

#include "common/base/text.h"
#include "protocol/reading.h"
#include "protocol/writer.h"

static const char *const ack_states[] = {"reported", "stored", "dropped"};
static const char *const drop_reasons[] = {"accepted", "failed",    "cancelled", "overdue",
                                           "unknown",  "withdrawn", "moved"};
static const char *const verdicts[] = {"accepted", "outvoted", "inconclusive", "error",
                                       "unit-failed"};

const char *visit_ack_name(enum visit_ack ack)
{
    return ack_states[ack - 1];
}

const char *drop_reason_name(enum drop_reason reason)
{
    return drop_reasons[reason - 1];
}

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict - 1];
}

void scheduler_reply_clear(struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->grant_count; i++)
        free(reply->grants[i].unit);
    for (size_t i = 0; i < reply->upload_count; i++)
        texts_clear(&reply->uploads[i].names);
    free(reply->acks);
    free(reply->grants);
    free(reply->uploads);
    free(reply->drops);
    free(reply->verdicts);
    texts_clear(&reply->envelopes);
    *reply = (struct scheduler_reply){0};
}

/* --- decoding --- */

static void read_acks(struct members *root, const struct visit *visit,
                      struct scheduler_reply *reply)
{
    struct members_list list = members_list(root, "acks", 0, VISIT_FINISHED_MAX);
    struct members part;

    if (!members_failed(root) && list.count != visit->finished_count)
        members_fail(root, "acks", "malformed", "has not one entry per finished task");
    reply->acks = must_alloc(list.count, sizeof *reply->acks);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        struct scheduler_ack *ack = &reply->acks[i];

        list_object(&list, i, &part);
        ack->task = members_id(&part, "task");
        ack->state = WORD_OF(&part, "state", ack_states);
        members_copy_text_or_empty(&part, "why", ack->why, sizeof ack->why);
        if (!members_failed(root) && ack->task != visit->finished[i].task)
            members_fail(&part, "task", "malformed", "is not the finished task of the same place");
        reply->ack_count = i + 1;
    }
}

static void read_unit(struct members *part, struct scheduler_grant *grant)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    json_t *json = members_json(part, "unit");
    struct error why = {0};

    if (json == NULL)
        return;
    if (!json_is_object(json)) {
        members_fail(part, "unit", "malformed", "is not an object");
        return;
    }
    grant->unit = profile_print(json);
    if (envelope_from_json(json, ENVELOPE_PAYLOAD_MAX, &envelope, &why) == STATUS_OK)
        return;
    grant->refusal = refusal_from_error(&why);
    grant->refused = refused_identity(grant->unit);
    (void)text_fit(grant->why, sizeof grant->why, why.text);
}

static void read_grants(struct members *root, struct scheduler_reply *reply)
{
    struct members_list list = members_list(root, "grants", 0, SCHEDULER_WANT_MAX);
    struct members part;

    reply->grants = must_alloc(list.count, sizeof *reply->grants);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        reply->grants[i] = (struct scheduler_grant){
            .task = members_id(&part, "task"),
            .app_version = members_digest(&part, "app_version"),
            .variant = members_digest(&part, "variant"),
            .deadline_s = members_time(&part, "deadline"),
        };
        reply->grants[i].receipt = members_digest_or_none(&part, "receipt");
        read_unit(&part, &reply->grants[i]);
        reply->grant_count = i + 1;
    }
}

static struct texts read_names(struct members *part)
{
    struct members_list list = members_list(part, "names", 1, VISIT_OUTPUTS_MAX);
    struct texts names = {0};

    for (size_t i = 0; i < list.count && !members_failed(part); i++) {
        const char *name = list_file_name(&list, i);

        if (!members_failed(part))
            texts_add(&names, name);
    }
    return names;
}

static void read_uploads(struct members *root, struct scheduler_reply *reply)
{
    struct members_list list = members_list(root, "uploads", 0, SCHEDULER_UPLOADS_MAX);
    struct members part;

    reply->uploads = must_alloc(list.count, sizeof *reply->uploads);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        reply->uploads[i].task = members_id(&part, "task");
        reply->uploads[i].names = read_names(&part);
        reply->upload_count = i + 1;
    }
}

static void read_drops(struct members *root, struct scheduler_reply *reply)
{
    struct members_list list = members_list(root, "drops", 0, SCHEDULER_DROPS_MAX);
    struct members part;

    reply->drops = must_alloc(list.count, sizeof *reply->drops);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        reply->drops[i].task = members_id(&part, "task");
        reply->drops[i].why = WORD_OF(&part, "why", drop_reasons);
        reply->drop_count = i + 1;
    }
}

static void read_verdicts(struct members *root, struct scheduler_reply *reply)
{
    struct members_list list = members_list(root, "verdicts", 0, SCHEDULER_VERDICTS_MAX);
    struct members part;

    reply->verdicts = must_alloc(list.count, sizeof *reply->verdicts);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        reply->verdicts[i].task = members_id(&part, "task");
        reply->verdicts[i].verdict = WORD_OF(&part, "verdict", verdicts);
        reply->verdicts[i].credit = members_count(&part, "credit");
        reply->verdict_count = i + 1;
    }
}

/* A server may be wrong or worse: it makes nobody wait longer than a day. */
static int64_t read_return(struct members *root)
{
    int64_t return_s = members_count(root, "return_s");

    return return_s < SCHEDULER_RETURN_MAX_S ? return_s : SCHEDULER_RETURN_MAX_S;
}

enum status scheduler_reply_decode(const char *body, size_t length, const struct visit *visit,
                                   struct scheduler_reply *ret_reply, struct error *err)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, SCHEDULER_REPLY_MAX, &root, &members, err));
    reply.visit = members_integer(&members, "visit", visit->number, visit->number);
    reply.time_s = members_time(&members, "time");
    read_acks(&members, visit, &reply);
    read_grants(&members, &reply);
    reply.envelopes = members_offered(&members, "envelopes", SCHEDULER_ENVELOPES_MAX);
    read_uploads(&members, &reply);
    read_drops(&members, &reply);
    read_verdicts(&members, &reply);
    reply.keyring_version = members_count(&members, "keyring_version");
    reply.freshness_sequence = members_count(&members, "freshness_sequence");
    reply.clock_off_s = members_integer_or(&members, "clock_off_s", -TIME_MAX_S, TIME_MAX_S, 0);
    reply.asks_for_kept =
        members_has(&members, "asks_for_kept") && members_boolean(&members, "asks_for_kept");
    reply.return_s = read_return(&members);
    members_copy_text_or_empty(&members, "why", reply.why, sizeof reply.why);
    TRY(members_end(&members));
    GIVE(ret_reply, reply);
    return STATUS_OK;
}

/* --- encoding --- */

static void write_acks(struct writer *writer, const struct scheduler_reply *reply)
{
    write_open(writer, "acks", '[');
    for (size_t i = 0; i < reply->ack_count; i++) {
        write_open(writer, NULL, '{');
        write_integer(writer, "task", reply->acks[i].task);
        write_text(writer, "state", visit_ack_name(reply->acks[i].state));
        write_text_unless_empty(writer, "why", reply->acks[i].why);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

static void write_grants(struct writer *writer, const struct scheduler_reply *reply)
{
    write_open(writer, "grants", '[');
    for (size_t i = 0; i < reply->grant_count; i++) {
        const struct scheduler_grant *grant = &reply->grants[i];

        write_open(writer, NULL, '{');
        write_integer(writer, "task", grant->task);
        write_json(writer, "unit", grant->unit);
        write_digest(writer, "app_version", &grant->app_version);
        write_digest(writer, "variant", &grant->variant);
        write_integer(writer, "deadline", grant->deadline_s);
        if (!digest_is_none(&grant->receipt))
            write_digest(writer, "receipt", &grant->receipt);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

static void write_uploads_and_drops(struct writer *writer, const struct scheduler_reply *reply)
{
    write_open(writer, "uploads", '[');
    for (size_t i = 0; i < reply->upload_count; i++) {
        write_open(writer, NULL, '{');
        write_integer(writer, "task", reply->uploads[i].task);
        write_texts(writer, "names", &reply->uploads[i].names);
        write_close(writer, '}');
    }
    write_close(writer, ']');
    write_open(writer, "drops", '[');
    for (size_t i = 0; i < reply->drop_count; i++) {
        write_open(writer, NULL, '{');
        write_integer(writer, "task", reply->drops[i].task);
        write_text(writer, "why", drop_reason_name(reply->drops[i].why));
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

static void write_verdicts(struct writer *writer, const struct scheduler_reply *reply)
{
    write_open(writer, "verdicts", '[');
    for (size_t i = 0; i < reply->verdict_count; i++) {
        write_open(writer, NULL, '{');
        write_integer(writer, "task", reply->verdicts[i].task);
        write_text(writer, "verdict", verdict_name(reply->verdicts[i].verdict));
        write_integer(writer, "credit", reply->verdicts[i].credit);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

char *scheduler_reply_encode(const struct scheduler_reply *reply)
{
    struct writer writer;

    writer_init(&writer);
    write_integer(&writer, "visit", reply->visit);
    write_integer(&writer, "time", reply->time_s);
    write_acks(&writer, reply);
    write_grants(&writer, reply);
    write_jsons(&writer, "envelopes", &reply->envelopes);
    write_uploads_and_drops(&writer, reply);
    write_verdicts(&writer, reply);
    write_integer(&writer, "keyring_version", reply->keyring_version);
    write_integer(&writer, "freshness_sequence", reply->freshness_sequence);
    write_integer_unless_zero(&writer, "clock_off_s", reply->clock_off_s);
    if (reply->asks_for_kept)
        write_json(&writer, "asks_for_kept", "true");
    write_integer(&writer, "return_s", reply->return_s);
    write_text_unless_empty(&writer, "why", reply->why);
    return writer_end(&writer);
}
