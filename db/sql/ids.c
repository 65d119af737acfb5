#include "db/sql/ids.h"

#include <stdlib.h>

#include "db/sql/query.h"

void ids_clear(struct ids *ids)
{
    free(ids->values);
}

void ids_add(struct ids *ids, int64_t id)
{
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity > 0 ? ids->capacity * 2 : 64;
        ids->values = reallocarray(ids->values, ids->capacity, sizeof *ids->values);
        if (ids->values == NULL)
            abort();
    }
    ids->values[ids->count++] = id;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

void ids_settle(struct ids *ids)
{
    size_t kept = 0;

    if (ids->count == 0)
        return;
    qsort(ids->values, ids->count, sizeof *ids->values, compare);
    for (size_t i = 0; i < ids->count; i++)
        if (kept == 0 || ids->values[i] != ids->values[kept - 1])
            ids->values[kept++] = ids->values[i];
    ids->count = kept;
}

enum status ids_add_rows(struct ids *ids, struct query *query, struct error *err)
{
    while (query_next(query))
        ids_add(ids, get_integer(query));
    return query_status(query, err);
}
