/* query_ops of back-ends that speak SQL, by subject. See db/query.h. */
#ifndef DB_SQL_VIEW_H
#define DB_SQL_VIEW_H

#include "db/query.h"
#include "db/sql/query.h"
#include "db/sql/store.h"

/* tables.c */
extern const struct query_ops sql_query_ops;

/* view_batches.c */
enum status view_batches(struct store *store, const struct batch_filter *filter, size_t limit,
                         bool (*row)(void *context, const struct batch_view *batch), void *context,
                         struct error *err);
enum status view_batch_by_id(struct store *store, const struct batch_id *id, int64_t *ret_batch,
                             struct error *err);
enum status view_batch_by_name(struct store *store, const char *name, int64_t *ret_batch,
                               struct error *err);
enum status view_batch(struct store *store, int64_t batch,
                       bool (*row)(void *context, const struct batch_view *batch), void *context,
                       struct error *err);

/* view_explain.c */
enum status view_failures(struct store *store, int64_t batch,
                          bool (*row)(void *context, const struct failure_group *group),
                          void *context, struct error *err);
enum status view_endings(struct store *store, int64_t batch, int64_t most,
                         bool (*row)(void *context, const struct ending_group *group),
                         void *context, struct error *err);
enum status view_app_units(struct store *store, int64_t app_version, int64_t *ret_units,
                           struct error *err);
enum status view_supply(struct store *store, int64_t app_version, int64_t seen_s, int64_t day,
                        struct supply *ret_supply, struct error *err);
enum status view_offers(struct store *store, int64_t app_version, int64_t seen_s,
                        const struct host_offer *enough,
                        bool (*row)(void *context, const struct offer_group *group), void *context,
                        struct error *err);
enum status view_standing(struct store *store, int64_t batch, const struct supply *supply,
                          int64_t most, struct standing *ret_standing, struct error *err);
enum status view_refused(struct store *store, int64_t app_version, int64_t since_s, size_t most,
                         bool (*row)(void *context, const struct refused_group *group),
                         void *context, struct error *err);
enum status view_signer_sets(struct store *store,
                             bool (*row)(void *context, const struct signer_set *signers),
                             void *context, struct error *err);
enum status view_signers(struct store *store, int64_t batch, int64_t most,
                         bool (*row)(void *context, const struct signer_group *group),
                         void *context, struct error *err);

/* view_servers.c */
enum status view_other_servers(struct store *store,
                               bool (*row)(void *context, const struct other_server *server),
                               void *context, struct error *err);
enum status view_other_entries(struct store *store, int64_t after, size_t limit,
                               bool (*row)(void *context, const struct other_entry *entry),
                               void *context, int64_t *ret_newest, struct error *err);

/* view_units.c */
enum status view_unit_rows(struct store *store, const struct digest *digests, size_t count,
                           int64_t *ret_units, struct error *err);
enum status view_unit(struct store *store, const struct digest *unit,
                      bool (*row)(void *context, const struct unit_view *unit), void *context,
                      struct error *err);
enum status view_units(struct store *store, int64_t batch, enum unit_state state, int64_t after,
                       size_t limit, bool (*row)(void *context, const struct unit_line *unit),
                       void *context, struct error *err);
enum status view_tasks(struct store *store, int64_t batch, enum task_state state, int64_t after,
                       size_t limit, bool (*row)(void *context, const struct task_line *task),
                       void *context, struct error *err);

/* view_results.c */
enum status view_results(struct store *store, int64_t batch, int64_t cursor, size_t limit,
                         bool (*row)(void *context, const struct result_view *result),
                         void *context, struct error *err);

/* view_site.c */
enum status view_hosts(struct store *store, int64_t after, size_t limit,
                       bool (*row)(void *context, const struct host_line *host), void *context,
                       struct error *err);
enum status view_keyrings(struct store *store, int64_t version,
                          bool (*row)(void *context, const struct keyring_view *keyring),
                          void *context, struct error *err);
enum status view_news(struct store *store, int64_t now_s,
                      bool (*row)(void *context, const struct news_view *news), void *context,
                      struct error *err);
enum status view_metrics(struct store *store, struct metrics *ret_metrics, struct error *err);

/* view_apps.c */
enum status view_app_versions(struct store *store, int64_t after, size_t limit,
                              bool (*row)(void *context, const struct app_version_view *version),
                              void *context, struct error *err);
enum status view_variants(struct store *store, int64_t app_version, int64_t after, size_t limit,
                          bool (*row)(void *context, const struct variant_view *variant),
                          void *context, struct error *err);
enum status view_app_version_by_digest(struct store *store, const struct digest *digest,
                                       int64_t *ret_id, struct error *err);
enum status view_unit_envelopes(struct store *store, const int64_t *units, size_t count,
                                bool (*row)(void *context, int64_t id, struct span envelope),
                                void *context, struct error *err);
enum status view_app_envelopes(struct store *store, const struct digest *digests, size_t count,
                               bool (*row)(void *context, const struct digest *digest,
                                           struct span envelope),
                               void *context, struct error *err);

/* view_results.c */
enum status view_answers(struct store *store, const int64_t *hosts, size_t count,
                         bool (*row)(void *context, int64_t host, struct span reply), void *context,
                         struct error *err);

/* view_files.c */
enum status view_files_missing(struct store *store, const struct digest *digests, size_t count,
                               bool *ret_is_missing, struct error *err);
enum status view_file(struct store *store, const struct digest *digest,
                      bool (*row)(void *context, const struct file_view *file), void *context,
                      struct error *err);

enum status view_files(struct store *store, const struct digest *after, size_t limit,
                       bool (*row)(void *context, const struct file_line *file), void *context,
                       struct error *err);

/* For a query of one row with one value: it, or STATUS_NOT_FOUND in words of `what`. */
enum status take_one(struct query *query, int64_t *ret_value, const char *what, struct error *err)
    MUST_USE;

/* A copy of bytes that outlives their row; free() it. NULL for none. */
void *span_copy(struct span span);

#endif
