#include "work-units/batch_id.h"

#include <string.h>

#include "common/base/text.h"

bool batch_parse(const char *text, struct batch_id *ret_batch)
{
    return text_to_exact_bytes(text, BATCH_BYTES, ret_batch->bytes);
}

bool batch_is_name(const char *text)
{
    return text_is_file_name(text) && strlen(text) <= BATCH_NAME_MAX &&
           (strlen(text) != BATCH_CHARS || strspn(text, "0123456789abcdefABCDEF") != BATCH_CHARS);
}

struct batch_text batch_format(const struct batch_id *batch)
{
    struct batch_text written;

    text_from_bytes(batch->bytes, BATCH_BYTES, written.text);
    return written;
}

int batch_compare(const struct batch_id *a, const struct batch_id *b)
{
    return memcmp(a->bytes, b->bytes, BATCH_BYTES);
}
