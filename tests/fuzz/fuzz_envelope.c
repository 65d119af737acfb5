/* Whatever says to be an envelope is refused, or is one within its limits that can be sent on. */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/envelope.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct envelope *envelope, size_t payload_max)
{
    struct digest identity =
        envelope_identity(envelope->type, envelope->payload, envelope->payload_length);

    assert(envelope->payload_length <= payload_max && envelope->payload != NULL);
    assert(envelope->signature_count >= 1);
    assert(envelope->signature_count <= ENVELOPE_SIGNATURES_MAX);
    assert(envelope->type[0] != '\0' && strlen(envelope->type) <= ENVELOPE_TYPE_MAX);
    assert(digest_equals(&identity, &envelope->digest));
    for (size_t i = 0; i < envelope->signature_count; i++) {
        const struct public_key *hint = &envelope->signatures[i].hint;

        assert(public_key_is_none(hint) || public_key_is_sound(hint));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct envelope first = {.type = ""}, second = {.type = ""};
    char *text;

    if (envelope_decode((const char *)bytes, length, ENVELOPE_PAYLOAD_MAX, &first, NULL) !=
        STATUS_OK)
        return 0;
    check(&first, ENVELOPE_PAYLOAD_MAX);
    text = envelope_encode(&first);
    assert(envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &second, NULL) == STATUS_OK);
    assert(digest_equals(&first.digest, &second.digest));
    assert(first.signature_count == second.signature_count);
    free(text);
    envelope_clear(&first);
    envelope_clear(&second);
    return 0;
}
