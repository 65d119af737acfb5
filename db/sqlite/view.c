#include "db/sqlite/view.h"

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

const struct query_ops sqlite_query_ops = {
    .batches = view_batches,
    .batch_by_id = view_batch_by_id,
    .batch_by_name = view_batch_by_name,
    .batch = view_batch,
    .failures = view_failures,
    .supply = view_supply,
    .unit = view_unit,
    .units = view_units,
    .tasks = view_tasks,
    .results = view_results,
    .hosts = view_hosts,
    .app_versions = view_app_versions,
    .variants = view_variants,
    .app_version_by_digest = view_app_version_by_digest,
    .unit_envelopes = view_unit_envelopes,
    .app_envelopes = view_app_envelopes,
    .keyrings = view_keyrings,
    .news = view_news,
    .files_missing = view_files_missing,
    .file = view_file,
    .files = view_files,
    .metrics = view_metrics,
};
