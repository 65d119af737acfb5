#include "server/engine/packed_reply.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

/* Writing and reading walk the members alike, so one description serves both. */
struct tape {
    struct buffer *out; /* NULL: it is read */
    struct span rest;   /* to be read */
    bool is_damaged;
};

/* ---------------------------------------------------------------------------------------- pieces
 */

static void pass_bytes(struct tape *tape, void *bytes, size_t length)
{
    if (tape->out != NULL) {
        if (buffer_append(tape->out, bytes, length, NULL) != STATUS_OK)
            abort(); /* PACKED_REPLY_MAX holds the largest */
        return;
    }
    if (length > tape->rest.length) {
        tape->is_damaged = true;
        tape->rest.length = 0;
        return;
    }
    memcpy(bytes, tape->rest.bytes, length);
    tape->rest.bytes = (const char *)tape->rest.bytes + length;
    tape->rest.length -= length;
}

static void write_number(struct tape *tape, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);

        pass_bytes(tape, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static uint64_t read_number(struct tape *tape)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint8_t byte = 0;

        pass_bytes(tape, &byte, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    tape->is_damaged = true; /* more than 63 bits */
    return 0;
}

/* The value that is passed: the one given, or the one read; 0..most. */
static int64_t number(struct tape *tape, int64_t value, int64_t most)
{
    assert(value >= 0 && value <= most);
    if (tape->out != NULL) {
        write_number(tape, (uint64_t)value);
        return value;
    }
    value = (int64_t)read_number(tape);
    if (!tape->is_damaged && value <= most)
        return value;
    tape->is_damaged = true;
    return 0;
}

static int64_t any(struct tape *tape, int64_t value)
{
    return number(tape, value, INT64_MAX);
}

/* One of an enum that begins at 1. */
static int one_of(struct tape *tape, int value, int last)
{
    value = (int)number(tape, value, last);
    tape->is_damaged = tape->is_damaged || value == 0;
    return value;
}

static void pass_text(struct tape *tape, char *text, size_t room)
{
    size_t length = (size_t)number(tape, (int64_t)strlen(text), (int64_t)room - 1);

    pass_bytes(tape, text, length);
    text[length] = '\0';
}

/* How many items a list has; and the list, made when it is read. */
static size_t pass_count(struct tape *tape, size_t count, size_t most)
{
    return (size_t)number(tape, (int64_t)count, (int64_t)most);
}

static void *list(const struct tape *tape, void *items, size_t count, size_t size)
{
    return tape->out != NULL ? items : must_alloc(count, size);
}

/* ----------------------------------------------------------------------------------------- lists
 */

static void pass_acks(struct tape *tape, struct scheduler_reply *reply)
{
    reply->ack_count = pass_count(tape, reply->ack_count, VISIT_FINISHED_MAX);
    reply->acks = list(tape, reply->acks, reply->ack_count, sizeof *reply->acks);
    for (size_t i = 0; i < reply->ack_count; i++) {
        struct scheduler_ack *ack = &reply->acks[i];

        ack->task = any(tape, ack->task);
        ack->state = (enum visit_ack)one_of(tape, (int)ack->state, ACK_DROPPED);
        pass_text(tape, ack->why, sizeof ack->why);
    }
}

static void pass_grants(struct tape *tape, struct scheduler_reply *reply)
{
    reply->grant_count = pass_count(tape, reply->grant_count, SCHEDULER_WANT_MAX);
    reply->grants = list(tape, reply->grants, reply->grant_count, sizeof *reply->grants);
    for (size_t i = 0; i < reply->grant_count; i++) {
        struct scheduler_grant *grant = &reply->grants[i];

        grant->task = any(tape, grant->task);
        grant->deadline_s = any(tape, grant->deadline_s);
        pass_bytes(tape, grant->app_version.bytes, DIGEST_BYTES);
        pass_bytes(tape, grant->variant.bytes, DIGEST_BYTES);
        pass_bytes(tape, grant->digest.bytes, DIGEST_BYTES);
    }
}

static void pass_names(struct tape *tape, struct texts *names)
{
    size_t count = pass_count(tape, names->count, VISIT_OUTPUTS_MAX);

    for (size_t i = 0; i < count; i++) {
        char name[TEXT_FILE_NAME_MAX + 1] = "";

        if (tape->out != NULL)
            (void)text_fit(name, sizeof name, names->texts[i]);
        pass_text(tape, name, sizeof name);
        if (tape->out == NULL)
            texts_add(names, name);
    }
}

static void pass_uploads(struct tape *tape, struct scheduler_reply *reply)
{
    reply->upload_count = pass_count(tape, reply->upload_count, SCHEDULER_UPLOADS_MAX);
    reply->uploads = list(tape, reply->uploads, reply->upload_count, sizeof *reply->uploads);
    for (size_t i = 0; i < reply->upload_count; i++) {
        reply->uploads[i].task = any(tape, reply->uploads[i].task);
        pass_names(tape, &reply->uploads[i].names);
    }
}

static void pass_drops(struct tape *tape, struct scheduler_reply *reply)
{
    reply->drop_count = pass_count(tape, reply->drop_count, SCHEDULER_DROPS_MAX);
    reply->drops = list(tape, reply->drops, reply->drop_count, sizeof *reply->drops);
    for (size_t i = 0; i < reply->drop_count; i++) {
        struct scheduler_drop *drop = &reply->drops[i];

        drop->task = any(tape, drop->task);
        drop->why = (enum drop_reason)one_of(tape, (int)drop->why, DROP_MOVED);
    }
}

static void pass_verdicts(struct tape *tape, struct scheduler_reply *reply)
{
    reply->verdict_count = pass_count(tape, reply->verdict_count, SCHEDULER_VERDICTS_MAX);
    reply->verdicts = list(tape, reply->verdicts, reply->verdict_count, sizeof *reply->verdicts);
    for (size_t i = 0; i < reply->verdict_count; i++) {
        struct scheduler_verdict *verdict = &reply->verdicts[i];

        verdict->task = any(tape, verdict->task);
        verdict->verdict = (enum verdict)one_of(tape, (int)verdict->verdict, VERDICT_UNIT_FAILED);
        verdict->credit = any(tape, verdict->credit);
    }
}

static void pass_reply(struct tape *tape, struct scheduler_reply *reply)
{
    reply->visit = any(tape, reply->visit);
    reply->time_s = any(tape, reply->time_s);
    reply->keyring_version = any(tape, reply->keyring_version);
    reply->freshness_sequence = any(tape, reply->freshness_sequence);
    reply->asks_for_kept = number(tape, reply->asks_for_kept, 1) != 0;
    reply->return_s = any(tape, reply->return_s);
    pass_text(tape, reply->why, sizeof reply->why);
    pass_acks(tape, reply);
    pass_grants(tape, reply);
    pass_uploads(tape, reply);
    pass_drops(tape, reply);
    pass_verdicts(tape, reply);
}

/* ----------------------------------------------------------------------------------------- wholes
 */

char *packed_reply_make(const struct scheduler_reply *reply, size_t *ret_length)
{
    struct buffer bytes = {.max = PACKED_REPLY_MAX};
    struct scheduler_reply same = *reply; /* writing changes nothing */
    struct tape tape = {.out = &bytes};

    pass_reply(&tape, &same);
    *ret_length = bytes.length;
    return buffer_take(&bytes);
}

bool packed_reply_read(struct span packed, struct scheduler_reply *ret_reply)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    struct tape tape = {.rest = packed};

    pass_reply(&tape, &reply);
    if (tape.is_damaged || tape.rest.length > 0 || reply.visit == 0)
        return false;
    *ret_reply = reply;
    reply = (struct scheduler_reply){0};
    return true;
}
