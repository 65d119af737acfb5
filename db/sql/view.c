#include "db/sql/view.h"

#include <stdlib.h>
#include <string.h>

enum status take_one(struct query *query, int64_t *ret_value, const char *what, struct error *err)
{
    if (query_next(query)) {
        *ret_value = get_integer(query);
        return STATUS_OK;
    }
    TRY(query_status(query, err));
    return error_set(err, STATUS_NOT_FOUND, "no such %s", what);
}

void *span_copy(struct span span)
{
    return span.length > 0 ? memcpy(must_alloc(span.length, 1), span.bytes, span.length) : NULL;
}
