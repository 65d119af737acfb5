#include "operator/slice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct slice *slice_new(int64_t first)
{
    struct slice *slice = must_alloc(1, sizeof *slice);

    slice->first = first;
    buffer_init(&slice->lines, SLICE_BYTES + ENVELOPE_MAX(ENVELOPE_PAYLOAD_MAX) + 1);
    return slice;
}

void slice_free(struct slice *slice)
{
    if (slice == NULL)
        return;
    for (size_t i = 0; i < slice->file_count; i++)
        local_file_clear(&slice->files[i]);
    for (size_t i = 0; i < slice->count; i++)
        free(slice->listed[i].renamed);
    free(slice->files);
    buffer_clear(&slice->lines);
    free(slice);
}

bool slice_is_full(const struct slice *slice)
{
    return slice->count == SLICE_UNITS || slice->lines.length >= SLICE_BYTES ||
           slice->file_count >= SLICE_FILES;
}

static void take_files(struct slice *slice, struct prepared_unit *prepared)
{
    size_t all = slice->file_count + prepared->file_count;

    if (prepared->file_count == 0)
        return;
    slice->files = realloc(slice->files, all * sizeof *slice->files);
    if (slice->files == NULL)
        abort();
    memcpy(slice->files + slice->file_count, prepared->files,
           prepared->file_count * sizeof *slice->files);
    slice->file_count = all;
    prepared->file_count = 0;
}

void slice_take(struct slice *slice, struct prepared_unit *prepared)
{
    assert(slice->count < SLICE_UNITS);
    slice->listed[slice->count++] =
        (struct listed_unit){.digest = prepared->digest,
                             .name = unit_name_key(prepared->unit.name.text),
                             .renamed = TAKE(prepared->renamed)};
    take_files(slice, prepared);
}
