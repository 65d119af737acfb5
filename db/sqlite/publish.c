#include "db/sqlite/publish.h"

enum status read_ids(struct query *query, int64_t *ret_ids, size_t *ret_count, struct error *err)
{
    size_t count = 0;

    while (query_next(query))
        ret_ids[count++] = get_integer(query);
    TRY(query_status(query, err));
    *ret_count = count;
    return STATUS_OK;
}

const struct publish_ops sqlite_publish_ops = {
    .site_load = publish_site_load,
    .site_save = publish_site_save,
    .keyring_add = publish_keyring_add,
    .freshness_add = publish_freshness_add,
    .notice_add = publish_notice_add,
    .revoke = publish_revoke,
    .revoked_units = publish_revoked_units,
    .app_version_add = publish_app_version_add,
    .variant_add = publish_variant_add,
    .file_add = publish_file_add,
    .file_refer = publish_file_refer,
    .file_release = publish_file_release,
    .inputs_release = publish_inputs_release,
    .files_unreferenced = publish_files_unreferenced,
    .files_forget = publish_files_forget,
    .bodies_mark = publish_bodies_mark,
    .bodies_sweep = publish_bodies_sweep,
    .batch_create = publish_batch_create,
    .units_add = publish_units_add,
    .units_of_batch = publish_units_of_batch,
    .volunteer_add = publish_volunteer_add,
    .volunteer_of_prefix = publish_volunteer_of_prefix,
    .volunteer_load = publish_volunteer_load,
    .credential_add = publish_credential_add,
    .credential_find = publish_credential_find,
    .credential_revoke = publish_credential_revoke,
    .credentials = publish_credentials,
};
