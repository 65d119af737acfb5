#include "db/sql/publish.h"

enum status read_ids(struct query *query, int64_t *ret_ids, size_t *ret_count, struct error *err)
{
    size_t count = 0;

    while (query_next(query))
        ret_ids[count++] = get_integer(query);
    TRY(query_status(query, err));
    *ret_count = count;
    return STATUS_OK;
}
