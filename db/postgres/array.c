#include "db/postgres/array.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* Dimensions, whether one is NULL, the element's type, and of the dimension: length, first index.
 */
struct head {
    uint32_t dimensions, has_none, element, count, first;
};

static void add(struct array *array, const void *bytes, size_t length)
{
    if (buffer_append(&array->bytes, bytes, length, NULL) != STATUS_OK)
        abort(); /* a working set is far smaller: its parts have limits */
}

void array_init(struct array *array, enum pg_type element)
{
    const struct head none = {0};

    *array = (struct array){.element = element};
    buffer_init(&array->bytes, ARRAY_MAX_BYTES);
    add(array, &none, sizeof none);
}

void array_clear(struct array *array)
{
    buffer_clear(&array->bytes);
}

void array_add_bytes(struct array *array, const void *bytes, size_t length)
{
    uint32_t size = bytes != NULL ? htobe32((uint32_t)length) : UINT32_MAX;

    add(array, &size, sizeof size);
    if (bytes != NULL && length > 0)
        add(array, bytes, length);
    array->count++;
    if (bytes == NULL)
        array->has_none = 1;
}

void array_add_integer(struct array *array, const int64_t *value)
{
    int64_t there = value != NULL ? to_network(*value) : 0;

    array_add_bytes(array, value != NULL ? &there : NULL, sizeof there);
}

size_t array_finish(struct array *array)
{
    const struct head head = {.dimensions = htobe32(1),
                              .has_none = htobe32(array->has_none),
                              .element = htobe32((uint32_t)array->element),
                              .count = htobe32(array->count),
                              .first = htobe32(1)};

    memcpy(array->bytes.bytes, &head, sizeof head);
    return array->bytes.length;
}

char *array_take(struct array *array)
{
    return buffer_take(&array->bytes);
}
