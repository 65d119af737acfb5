/* Which function is which of the contract's. */
#include "db/sql/publish.h"
#include "db/sql/view.h"
#include "db/sql/work.h"
#include "db/sqlite/save.h"

const struct work_ops sqlite_work_ops = {
    .load = sql_load,
    .save = sqlite_save,
    .scan_ready = sql_scan_ready,
    .scan_sent = sql_scan_sent,
    .scan_expired = sql_scan_expired,
    .granted_at = sql_granted_at,
};

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

const struct query_ops sqlite_query_ops = {
    .batches = view_batches,
    .batch_by_id = view_batch_by_id,
    .batch_by_name = view_batch_by_name,
    .batch = view_batch,
    .failures = view_failures,
    .endings = view_endings,
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
