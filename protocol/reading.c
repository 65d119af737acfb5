#include "protocol/reading.h"

#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"

static enum status parse(const char *body, size_t length, size_t max, json_t **ret_root,
                         struct error *err)
{
    const struct profile_limits limits = {.bytes = max, .depth = PROFILE_DEPTH_MAX};

    return profile_parse(body, length, &limits, ret_root, err);
}

enum status request_begin(const char *body, size_t length, size_t max, json_t **ret_root,
                          struct members *ret_members, struct error *err)
{
    TRY(parse(body, length, max, ret_root, err));
    members_begin(ret_members, *ret_root, err);
    return STATUS_OK;
}

enum status reply_begin(const char *body, size_t length, size_t max, json_t **ret_root,
                        struct members *ret_members, struct error *err)
{
    TRY(parse(body, length, max, ret_root, err));
    members_begin_lenient(ret_members, *ret_root, err);
    return STATUS_OK;
}

static bool take_envelope(json_t *json, size_t payload_max, struct envelope *ret_envelope,
                          struct members *members, const char *name)
{
    struct error err = {0};

    if (json == NULL)
        return false;
    if (envelope_from_json(json, payload_max, ret_envelope, &err) == STATUS_OK)
        return true;
    members_fail(members, name, "malformed", "is not an envelope: %s", err.text);
    return false;
}

/* As it came, but compact; what it holds was checked. */
static char *envelope_text(json_t *json, size_t payload_max, struct members *members,
                           const char *name)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    return take_envelope(json, payload_max, &envelope, members, name) ? profile_print(json) : NULL;
}

char *members_envelope(struct members *members, const char *name, size_t payload_max)
{
    return envelope_text(members_json(members, name), payload_max, members, name);
}

struct texts members_envelopes(struct members *members, const char *name, size_t max,
                               size_t payload_max)
{
    struct members_list list = members_list(members, name, 0, max);
    struct texts texts = {0};

    for (size_t i = 0; i < list.count && !members_failed(members); i++) {
        CLEANUP(freep)
        char *text = envelope_text(list_json(&list, i), payload_max, members, name);

        if (text != NULL)
            texts_add(&texts, text);
    }
    return texts;
}

static char *object_text(json_t *json, struct members *members, const char *name)
{
    if (json == NULL)
        return NULL;
    if (json_is_object(json))
        return profile_print(json);
    members_fail(members, name, "malformed", "is not an envelope");
    return NULL;
}

char *members_offered_or_null(struct members *members, const char *name)
{
    json_t *json = members_json(members, name);

    return json_is_null(json) ? NULL : object_text(json, members, name);
}

struct texts members_offered(struct members *members, const char *name, size_t max)
{
    struct members_list list = members_list(members, name, 0, max);
    struct texts texts = {0};

    for (size_t i = 0; i < list.count && !members_failed(members); i++) {
        CLEANUP(freep) char *text = object_text(list_json(&list, i), members, name);

        if (text != NULL)
            texts_add(&texts, text);
    }
    return texts;
}

void members_decoded_envelope(struct members *members, const char *name, size_t payload_max,
                              struct envelope *ret_envelope)
{
    (void)take_envelope(members_json(members, name), payload_max, ret_envelope, members, name);
}

int64_t members_id(struct members *members, const char *name)
{
    return members_integer(members, name, 1, ID_MAX);
}

int64_t members_count(struct members *members, const char *name)
{
    return members_integer(members, name, 0, ID_MAX);
}

int64_t members_time_or_zero(struct members *members, const char *name)
{
    return members_integer_or(members, name, 0, TIME_MAX_S, 0);
}

struct token members_token(struct members *members, const char *name)
{
    const char *text = members_text(members, name, TOKEN_CHARS, TOKEN_CHARS);
    struct token token = {0};

    if (!members_failed(members) && !token_parse(text, &token))
        members_fail(members, name, "malformed", "is not %d characters of base64url", TOKEN_CHARS);
    return token;
}

struct cursor members_cursor(struct members *members, const char *name)
{
    const char *text = members_text(members, name, 1, CURSOR_MAX);
    struct cursor cursor = {0};

    if (!members_failed(members) && !cursor_parse(text, &cursor))
        members_fail(members, name, "malformed", "is not a cursor");
    return cursor;
}

struct cursor members_cursor_or_none(struct members *members, const char *name)
{
    return members_has(members, name) ? members_cursor(members, name) : (struct cursor){0};
}

struct batch_id members_batch(struct members *members, const char *name)
{
    struct batch_id batch = {0};

    members_hex(members, name, batch.bytes, sizeof batch.bytes);
    return members_failed(members) ? (struct batch_id){0} : batch;
}

struct digests members_digests(struct members *members, const char *name, size_t max)
{
    struct members_list list = members_list(members, name, 0, max);
    struct digests digests = {0};

    if (list.count == 0)
        return digests;
    digests.digests = must_alloc(list.count, sizeof *digests.digests);
    digests.count = list.count;
    for (size_t i = 0; i < list.count; i++)
        digests.digests[i] = list_digest(&list, i);
    return digests;
}

struct bytes members_bytes(struct members *members, const char *name, size_t max)
{
    size_t needed = BASE64_BYTES(json_string_length(json_object_get(members->object, name)));
    size_t room = needed < max ? needed : max;
    struct bytes bytes = {.bytes = must_alloc(room + 1, 1)};

    bytes.length = members_base64(members, name, bytes.bytes, max);
    if (members_failed(members))
        bytes.length = 0;
    bytes.bytes[bytes.length] = '\0';
    return bytes;
}

void members_copy_text_or_empty(struct members *members, const char *name, char *ret_text,
                                size_t size)
{
    ret_text[0] = '\0';
    if (members_has(members, name))
        members_copy_text(members, name, ret_text, size);
}

struct digest members_digest_or_none(struct members *members, const char *name)
{
    return members_has(members, name) ? members_digest(members, name) : (struct digest){0};
}

char *members_shown_text(struct members *members, const char *name, size_t max)
{
    char *text;

    if (!members_has(members, name))
        return NULL;
    text = text_copy(members_raw_text(members, name, max));
    text_sanitise(text, strlen(text));
    return text;
}

unsigned members_word_of(struct members *members, const char *name, const char *const *words,
                         size_t count)
{
    size_t index = members_choice(members, name, words, count);

    return members_failed(members) ? 0 : (unsigned)index + 1;
}

struct named_output part_output(struct members *part)
{
    return (struct named_output){
        .name = members_name(part, "name"),
        .digest = members_digest(part, "digest"),
        .size = members_integer(part, "size", 0, OUTPUT_SIZE_MAX),
    };
}

static bool has_name(const struct named_outputs *outputs, const char *name)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (strcasecmp(outputs->outputs[i].name.text, name) == 0)
            return true;
    return false;
}

struct named_outputs members_outputs(struct members *members, const char *name, size_t min)
{
    struct members_list list = members_list(members, name, min, OUTPUTS_MAX);
    struct named_outputs outputs = {0};
    struct members part;

    if (list.count == 0)
        return outputs;
    outputs.outputs = must_alloc(list.count, sizeof *outputs.outputs);
    for (size_t i = 0; i < list.count; i++) {
        list_object(&list, i, &part);
        outputs.outputs[i] = part_output(&part);
        members_end_part(&part);
        if (!members_failed(members) && has_name(&outputs, outputs.outputs[i].name.text))
            members_fail(&part, "name", "bad-file-name", "is there twice");
        outputs.count = i + 1;
    }
    return outputs;
}
