#include "db/outputs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define FIXED_BYTES (1 + DIGEST_BYTES + 8 + 1)
#define IS_STORED   1

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static uint8_t *put_output(uint8_t *at, const struct output *output)
{
    size_t length = strlen(output->name);
    uint64_t size = (uint64_t)output->size_bytes;

    assert(length >= 1 && length <= TEXT_FILE_NAME_MAX && output->size_bytes >= 0);
    *at++ = (uint8_t)length;
    at = put(at, output->name, length);
    at = put(at, output->digest.bytes, DIGEST_BYTES);
    for (int i = 0; i < 8; i++)
        *at++ = (uint8_t)(size >> (8 * i));
    *at++ = output->is_stored ? IS_STORED : 0;
    return at;
}

void *outputs_encode(const struct output *outputs, size_t count, size_t *ret_length)
{
    size_t length = 0;
    uint8_t *bytes, *end;

    assert(count <= UNIT_OUTPUTS_MAX);
    *ret_length = 0;
    if (count == 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        length += FIXED_BYTES + strlen(outputs[i].name);
    end = bytes = must_alloc(length, 1);
    for (size_t i = 0; i < count; i++)
        end = put_output(end, &outputs[i]);
    assert((size_t)(end - bytes) == length);
    *ret_length = length;
    return bytes;
}

/* How many bytes the output at `at` takes; 0: damaged. */
static size_t measure(const uint8_t *at, size_t rest)
{
    size_t name = rest > 0 ? at[0] : 0;

    if (name == 0 || name > TEXT_FILE_NAME_MAX || rest < FIXED_BYTES + name)
        return 0;
    /* A size beyond 2^63 or a flag nobody knows was not written by us. */
    if ((at[name + DIGEST_BYTES + 8] & 0x80) != 0 || at[name + DIGEST_BYTES + 9] > IS_STORED)
        return 0;
    return memchr(at + 1, '\0', name) == NULL ? FIXED_BYTES + name : 0;
}

static struct output read_output(const uint8_t *at)
{
    size_t name = at[0];
    const uint8_t *size = at + 1 + name + DIGEST_BYTES;
    struct output output = {.name = text_copy_n((const char *)at + 1, name)};
    uint64_t value = 0;

    memcpy(output.digest.bytes, at + 1 + name, DIGEST_BYTES);
    for (int i = 7; i >= 0; i--)
        value = value << 8 | size[i];
    output.size_bytes = (int64_t)value;
    output.is_stored = size[8] == IS_STORED;
    return output;
}

bool outputs_decode(const void *bytes, size_t length, struct output **ret_outputs,
                    size_t *ret_count)
{
    const uint8_t *at = bytes;
    size_t count = 0;

    for (size_t used = 0, step; used < length; used += step, count++) {
        step = measure(at + used, length - used);
        if (step == 0 || count == UNIT_OUTPUTS_MAX)
            return false;
    }
    *ret_count = count;
    *ret_outputs = count > 0 ? must_alloc(count, sizeof **ret_outputs) : NULL;
    for (size_t i = 0; i < count; i++) {
        (*ret_outputs)[i] = read_output(at);
        at += FIXED_BYTES + at[0];
    }
    return true;
}

void outputs_free(struct output *outputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(outputs[i].name);
    free(outputs);
}
