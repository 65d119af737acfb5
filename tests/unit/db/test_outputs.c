/* db/outputs: a task's outputs as one value. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "db/outputs.h"

static struct output some[] = {
    {.name = "a", .size_bytes = 0, .is_stored = true},
    {.name = "long_name.txt", .size_bytes = INT64_MAX},
};

Test(outputs, they_are_read_as_they_were_written)
{
    struct output *outputs = NULL;
    size_t length, count = 0;
    uint8_t *bytes;

    memset(some[1].digest.bytes, 0xee, DIGEST_BYTES);
    bytes = outputs_encode(some, 2, &length);
    cr_assert(outputs_decode(bytes, length, &outputs, &count));
    cr_assert(eq(sz, count, 2));
    cr_expect(eq(str, outputs[0].name, "a"));
    cr_expect(outputs[0].is_stored && !outputs[1].is_stored);
    cr_expect(eq(str, outputs[1].name, "long_name.txt"));
    cr_expect(eq(i64, outputs[1].size_bytes, INT64_MAX));
    cr_expect(digest_equals(&outputs[1].digest, &some[1].digest));
    outputs_free(outputs, count);
    free(bytes);
}

Test(outputs, none_are_nothing)
{
    struct output *outputs = some;
    size_t length = 7, count = 7;

    cr_expect(eq(ptr, outputs_encode(NULL, 0, &length), NULL));
    cr_expect(zero(sz, length));
    cr_assert(outputs_decode(NULL, 0, &outputs, &count));
    cr_expect(zero(sz, count));
    cr_expect(eq(ptr, outputs, NULL));
}

/* No prefix of a value is one, but where an output ends; and no byte may be added. */
Test(outputs, damaged_values_are_refused)
{
    struct output *outputs;
    size_t length, count;
    uint8_t *bytes = outputs_encode(some, 2, &length);
    size_t first = 1 + 1 + DIGEST_BYTES + 8 + 1;

    for (size_t cut = 1; cut < length; cut++)
        if (cut != first)
            cr_expect(not(outputs_decode(bytes, cut, &outputs, &count)), "%zu", cut);
    bytes[first - 1] = 2;
    cr_expect(not(outputs_decode(bytes, length, &outputs, &count)), "a flag nobody knows");
    bytes[first - 1] = 0;
    bytes[first - 2] = 0x80;
    cr_expect(not(outputs_decode(bytes, length, &outputs, &count)), "a negative size");
    bytes[first - 2] = 0;
    bytes[1] = '\0';
    cr_expect(not(outputs_decode(bytes, length, &outputs, &count)), "a NUL in a name");
    free(bytes);
}

Test(outputs, more_than_64_are_refused)
{
    static struct output many[UNIT_OUTPUTS_MAX];
    struct output *outputs;
    size_t length, count;
    uint8_t *bytes, *more;

    for (size_t i = 0; i < UNIT_OUTPUTS_MAX; i++)
        many[i] = some[0];
    bytes = outputs_encode(many, UNIT_OUTPUTS_MAX, &length);
    cr_assert(outputs_decode(bytes, length, &outputs, &count));
    outputs_free(outputs, count);
    more = must_alloc(length * 2, 1);
    memcpy(more, bytes, length);
    memcpy(more + length, bytes, length);
    cr_expect(not(outputs_decode(more, length + length / UNIT_OUTPUTS_MAX, &outputs, &count)));
    free(more);
    free(bytes);
}
