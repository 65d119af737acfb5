/* Whatever the profile lets pass is one object, no deeper than allowed, with safe integers only. */
#include "common/json/profile.h"
#include "tests/fuzz/fuzz.h"

static void check(json_t *value, unsigned depth)
{
    const char *name;
    json_t *part;
    size_t index;

    assert(!json_is_real(value));
    assert(json_integer_value(value) <= PROFILE_INTEGER_MAX);
    assert(json_integer_value(value) >= -PROFILE_INTEGER_MAX);
    if (json_is_object(value) || json_is_array(value))
        assert(depth < PROFILE_DEPTH_MAX);
    json_object_foreach(value, name, part) check(part, depth + 1);
    json_array_foreach(value, index, part) check(part, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    json_t *root = NULL;

    if (profile_parse((const char *)bytes, length, &profile_payload, &root, NULL) != STATUS_OK) {
        assert(root == NULL);
        return 0;
    }
    assert(json_is_object(root) && length <= profile_payload.bytes);
    check(root, 0);
    json_decref(root);
    return 0;
}
