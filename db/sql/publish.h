/* publish_ops of back-ends that speak SQL, by subject. See db/publish.h. */
#ifndef DB_SQL_PUBLISH_H
#define DB_SQL_PUBLISH_H

#include "db/publish.h"
#include "db/sql/query.h"
#include "db/sql/store.h"

/* tables.c */
extern const struct publish_ops sql_publish_ops;

/* publish_site.c */
enum status publish_site_load(struct store *store, struct site *ret_site, struct error *err);
enum status publish_ids_leap(struct store *store, int64_t blocks, int64_t *ret_skipped,
                             struct error *err);
enum status publish_site_save(struct store *store, const struct site *site, struct error *err);
enum status publish_keyring_add(struct store *store, const struct keyring_record *record,
                                bool *ret_is_new, struct error *err);
enum status publish_freshness_add(struct store *store, const struct freshness_record *record,
                                  bool *ret_is_new, struct error *err);
enum status publish_notice_add(struct store *store, const struct notice_record *record,
                               bool *ret_is_new, struct error *err);

/* publish_revoked.c */
enum status publish_revoke(struct store *store, const struct revocation *revocations, size_t count,
                           int64_t time_s, struct error *err);
enum status publish_revoked_units(struct store *store, int64_t after, int64_t *ret_units,
                                  size_t capacity, size_t *ret_count, struct error *err);
enum status find_revoked(struct sql_store *self, enum revoked_kind kind,
                         const struct digest *subject, bool *ret_is_revoked, struct error *err);

/* publish_apps.c */
enum status publish_app_version_add(struct store *store, const struct app_version_record *record,
                                    int64_t *ret_id, bool *ret_is_new, struct error *err);
enum status publish_variant_add(struct store *store, const struct variant_record *record,
                                int64_t *ret_id, bool *ret_is_new, struct error *err);

enum status publish_app_envelope_replace(struct store *store, const struct digest *digest,
                                         struct span envelope, struct error *err);

/* STATUS_NOT_FOUND, in words that a foreign key has not. */
enum status require_app_version(struct sql_store *self, int64_t id, struct error *err) MUST_USE;

/* publish_files.c */
enum status publish_file_add(struct store *store, const struct file_record *record,
                             bool *ret_is_new, struct error *err);
enum status publish_file_refer(struct store *store, const struct digest *file, enum file_kind kind,
                               int64_t subject, struct error *err);
enum status publish_file_release(struct store *store, enum file_kind kind, int64_t subject,
                                 struct error *err);
enum status publish_files_unreferenced(struct store *store, const struct digest *after,
                                       const struct file_graces *graces, struct digest *ret_files,
                                       size_t capacity, size_t *ret_count, struct digest *ret_last,
                                       struct error *err);
enum status publish_details_forget(struct store *store, int64_t after, int64_t before_s,
                                   size_t limit, int64_t *ret_count, int64_t *ret_last,
                                   struct error *err);
enum status publish_files_forget(struct store *store, const struct digest *files, size_t count,
                                 struct digest *ret_forgotten, size_t *ret_count,
                                 struct error *err);
/* So many more files are here, of so many bytes. */
enum status tally_files(struct sql_store *self, int64_t number, int64_t bytes, struct error *err)
    MUST_USE;
/* STATUS_NOT_FOUND: the file is not here; `whose` names what wants it. */
enum status require_file(struct sql_store *self, const struct digest *file, const char *whose,
                         struct error *err) MUST_USE;

/* collect.c */
enum status publish_inputs_release(struct store *store, int64_t after, int64_t now_s, size_t limit,
                                   int64_t *ret_batch, size_t *ret_count, struct error *err);
enum status publish_bodies_mark(struct store *store, int64_t after, size_t limit, int64_t *ret_last,
                                struct error *err);
enum status publish_bodies_sweep(struct store *store, const struct digest *after, int64_t before_s,
                                 size_t limit, int64_t *ret_count, struct digest *ret_last,
                                 struct error *err);

/* publish_batches.c */
enum status publish_batch_create(struct store *store, const struct batch_record *record,
                                 int64_t *ret_id, bool *ret_is_new, struct error *err);
enum status publish_units_of_batch(struct store *store, int64_t batch, enum live_scope scope,
                                   int64_t after, int64_t *ret_units, size_t capacity,
                                   size_t *ret_count, struct error *err);

/* publish_units.c */
enum status publish_signers_put(struct store *store, const struct signer_set *signers,
                                struct error *err);
enum status publish_units_add(struct store *store, int64_t batch, struct unit_record *records,
                              size_t count, size_t *ret_new, struct error *err);

/* publish_people.c */
enum status publish_volunteer_add(struct store *store, const struct volunteer *volunteer,
                                  int64_t *ret_id, struct error *err);
enum status publish_volunteer_of_prefix(struct store *store, const char *prefix, int64_t time_s,
                                        int64_t *ret_id, struct error *err);
enum status publish_volunteer_load(struct store *store, int64_t id, struct volunteer *ret_volunteer,
                                   struct error *err);
enum status publish_credential_add(struct store *store, const struct credential *credential,
                                   int64_t *ret_id, struct error *err);
enum status publish_credential_find(struct store *store, const struct digest *hash,
                                    struct credential *ret_credential, struct error *err);
enum status publish_credential_revoke(struct store *store, int64_t id, int64_t time_s,
                                      struct error *err);
enum status publish_credentials(struct store *store, enum credential_kind kind, int64_t after,
                                struct credential *ret_credentials, size_t capacity,
                                size_t *ret_count, struct error *err);

/* Ids that one-column rows say, into an array as large as the statement's limit. */
enum status read_ids(struct query *query, int64_t *ret_ids, size_t *ret_count, struct error *err)
    MUST_USE;

#endif
