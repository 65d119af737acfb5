/* Whatever lies in the file of a client's trust is refused, or holds by its signatures. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "work-units/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct trust trust = {.has_freshness = false}, again = {.has_freshness = false};
    char *text;

    if (trust_decode((const char *)bytes, length, &trust, NULL) != STATUS_OK)
        return 0;
    assert(root_set_signed(&trust.keyring.root, &trust.keyring_envelope));
    assert(trust.latest_signed_s >= trust.keyring.issued_s);
    assert(!trust.has_freshness || digest_equals(&trust.freshness.project, &trust.project));
    text = trust_encode(&trust);
    assert(trust_decode(text, strlen(text), &again, NULL) == STATUS_OK);
    free(text);
    trust_clear(&trust);
    trust_clear(&again);
    return 0;
}
