#include "common/crypto/envelope.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/json/build.h"
#include "common/json/members.h"
#include "common/json/profile.h"

#define ENVELOPE_DEPTH 3 /* the envelope, its signatures, a signature */

char *envelope_pae(const char *type, const char *payload, size_t payload_length, size_t *ret_length)
{
    CLEANUP(freep)
    char *head = text_format("DSSEv1 %zu %s %zu ", strlen(type), type, payload_length);
    size_t head_length = strlen(head);
    char *pae = must_alloc(head_length + payload_length + 1, 1);

    memcpy(pae, head, head_length);
    if (payload_length > 0)
        memcpy(pae + head_length, payload, payload_length);
    *ret_length = head_length + payload_length;
    return pae;
}

struct digest envelope_identity(const char *type, const char *payload, size_t payload_length)
{
    size_t length;
    CLEANUP(freep) char *pae = envelope_pae(type, payload, payload_length, &length);

    return digest_of(pae, length);
}

static char *pae_of(const struct envelope *envelope, size_t *ret_length)
{
    return envelope_pae(envelope->type, envelope->payload, envelope->payload_length, ret_length);
}

void envelope_init(struct envelope *envelope, const char *type, const char *payload,
                   size_t payload_length)
{
    bool fits;

    *envelope = (struct envelope){.payload_length = payload_length};
    fits = text_fit(envelope->type, sizeof envelope->type, type);
    assert(fits);
    (void)fits;
    envelope->payload = text_copy_n(payload, payload_length);
    envelope->digest = envelope_identity(type, payload, payload_length);
}

void envelope_clear(struct envelope *envelope)
{
    free(envelope->payload);
    *envelope = (struct envelope){0};
}

/* "" is the same as none. */
static struct public_key read_hint(struct members *members)
{
    const char *text = json_string_value(json_object_get(members->object, "keyid"));

    if (text == NULL || text[0] != '\0')
        return members_public_key(members, "keyid");
    (void)members_text(members, "keyid", 0, 0);
    return (struct public_key){{0}};
}

static void read_signature(struct members_list *list, size_t index,
                           struct envelope_signature *ret_signature)
{
    struct members part;

    list_object(list, index, &part);
    if (members_has(&part, "keyid"))
        ret_signature->hint = read_hint(&part);
    if (members_base64(&part, "sig", ret_signature->signature.bytes, SIGNATURE_BYTES) !=
        SIGNATURE_BYTES)
        members_fail(&part, "sig", "malformed", "is not %d bytes", SIGNATURE_BYTES);
    members_end_part(&part);
}

/* So says the length of its base64, whether or not that is well formed. */
static bool is_beyond(const json_t *payload, size_t payload_max)
{
    const char *text = json_string_value(payload);
    size_t length = json_string_length(payload);
    size_t padding = 0;

    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    return BASE64_BYTES(length) > payload_max + padding;
}

static enum status too_large(size_t payload_max, struct error *err)
{
    (void)error_set(err, STATUS_TOO_LARGE, "the payload has more than %zu bytes", payload_max);
    error_code(err, "malformed");
    return STATUS_TOO_LARGE;
}

enum status envelope_from_json(json_t *json, size_t payload_max, struct envelope *ret_envelope,
                               struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};
    struct members members;
    struct members_list list;

    if (is_beyond(json_object_get(json, "payload"), payload_max))
        return too_large(payload_max, err);
    members_begin(&members, json, err);
    (void)text_fit(envelope.type, sizeof envelope.type,
                   members_text(&members, "payloadType", 1, ENVELOPE_TYPE_MAX));
    envelope.payload =
        members_base64_copy(&members, "payload", payload_max, &envelope.payload_length);
    list = members_list(&members, "signatures", 1, ENVELOPE_SIGNATURES_MAX);
    for (size_t i = 0; i < list.count; i++)
        read_signature(&list, i, &envelope.signatures[i]);
    envelope.signature_count = list.count;
    TRY(members_end(&members));

    envelope.digest = envelope_identity(envelope.type, envelope.payload, envelope.payload_length);
    *ret_envelope = envelope;
    envelope.payload = NULL;
    return STATUS_OK;
}

enum status envelope_decode(const char *bytes, size_t length, size_t payload_max,
                            struct envelope *ret_envelope, struct error *err)
{
    struct profile_limits limits = {
        .bytes = ENVELOPE_MAX(payload_max),
        .depth = ENVELOPE_DEPTH,
    };
    json_auto_t *root = NULL;

    TRY(profile_parse(bytes, length, &limits, &root, err));
    return envelope_from_json(root, payload_max, ret_envelope, err);
}

static json_t *signature_to_json(const struct envelope_signature *signature)
{
    char text[BASE64_CHARS(SIGNATURE_BYTES) + 1];
    struct public_key_text hint = {.text = ""};

    if (!public_key_is_none(&signature->hint))
        hint = public_key_format(&signature->hint);
    base64_encode(signature->signature.bytes, SIGNATURE_BYTES, text);
    return json_pack("{s:s, s:s}", "keyid", hint.text, "sig", text);
}

json_t *envelope_to_json(const struct envelope *envelope)
{
    CLEANUP(freep) char *payload = must_alloc(BASE64_CHARS(envelope->payload_length) + 1, 1);
    json_t *signatures = json_array();
    json_t *json;

    base64_encode(envelope->payload, envelope->payload_length, payload);
    for (size_t i = 0; i < envelope->signature_count; i++)
        build_append(signatures, signature_to_json(&envelope->signatures[i]));
    json = json_pack("{s:s, s:s, s:o}", "payloadType", envelope->type, "payload", payload,
                     "signatures", signatures);
    if (json == NULL)
        abort();
    return json;
}

char *envelope_encode(const struct envelope *envelope)
{
    json_auto_t *json = envelope_to_json(envelope);

    return profile_print(json);
}

enum status envelope_sign(struct envelope *envelope, const struct private_key *key,
                          struct error *err)
{
    size_t at = 0, length;
    CLEANUP(freep) char *pae = pae_of(envelope, &length);

    while (at < envelope->signature_count &&
           !public_key_equals(&envelope->signatures[at].hint, &key->public_key))
        at++;
    if (at == ENVELOPE_SIGNATURES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "there are %d signatures already",
                         ENVELOPE_SIGNATURES_MAX);
    envelope->signatures[at] = (struct envelope_signature){
        .hint = key->public_key,
        .signature = private_key_sign(key, pae, length),
    };
    envelope->signature_count += at == envelope->signature_count;
    return STATUS_OK;
}

/* A hint that names another key says that trying this one is wasted. */
static bool is_worth_trying(const struct envelope_signature *signature,
                            const struct public_key *key)
{
    return public_key_is_none(&signature->hint) || public_key_equals(&signature->hint, key);
}

bool envelope_may_be_by(const struct envelope *envelope, const struct public_key *key)
{
    for (size_t i = 0; i < envelope->signature_count; i++)
        if (is_worth_trying(&envelope->signatures[i], key))
            return true;
    return false;
}

static bool has_signature(const struct envelope *envelope, const char *pae, size_t length,
                          const struct public_key *key)
{
    for (size_t i = 0; i < envelope->signature_count; i++)
        if (is_worth_trying(&envelope->signatures[i], key) &&
            public_key_verify(key, pae, length, &envelope->signatures[i].signature))
            return true;
    return false;
}

static bool is_among(const struct public_key *key, const struct public_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (public_key_equals(key, &keys[i]))
            return true;
    return false;
}

size_t envelope_count_signers(const struct envelope *envelope, const struct public_key *keys,
                              size_t key_count)
{
    size_t length, count = 0;
    CLEANUP(freep) char *pae = pae_of(envelope, &length);

    for (size_t i = 0; i < key_count; i++)
        count += !is_among(&keys[i], keys, i) && has_signature(envelope, pae, length, &keys[i]);
    return count;
}

bool envelope_is_signed_by(const struct envelope *envelope, const struct public_key *key)
{
    return envelope_count_signers(envelope, key, 1) == 1;
}
