/* How a domain object's row reads: one list of columns and one reader each, for load and queries.
 */
#ifndef DB_SQL_ROWS_H
#define DB_SQL_ROWS_H

#include "db/sql/query.h"
#include "db/sql/store.h"
#include "db/work.h"
#include "work-units/unit.h"

/* `u` is unit. Without its tasks. */
#define UNIT_COLUMNS                                                                               \
    "u.id, u.version, u.state, u.failure, u.copies_wanted, u.extra, u.revision, u.batch,"          \
    " u.app_version, u.position, u.quorum, u.copies, u.max_failures, u.max_tasks, u.independence," \
    " u.deadline_span_s, u.declared_ops, u.memory_bytes, u.disk_bytes, u.output_bytes,"            \
    " u.not_before_s, u.not_after_s, u.signer, u.classes, u.platforms, u.pinned_class, u.digest"

void read_unit(struct query *query, struct unit *ret_unit);

/* `t` is task, `h` its host, `v` the host's volunteer of today, `n` its variant. */
#define TASK_COLUMNS                                                                               \
    "t.id, t.state, t.cause, t.cause_detail, t.host, t.volunteer, t.organisation, h.volunteer,"    \
    " coalesce(v.organisation, -v.id), t.visit, n.digest, t.sent_s, t.deadline_up_s,"              \
    " t.deadline_s, t.reported_s, t.cpu_ms, t.credit, t.asked, t.asked_up_s, t.told, t.live,"      \
    " t.prefix, t.result, t.outputs"
#define TASK_JOINS                                                                                 \
    " JOIN host h ON h.id = t.host JOIN volunteer v ON v.id = h.volunteer"                         \
    " JOIN variant n ON n.id = t.variant"

/* Appends to the unit's tasks. */
enum status read_task(struct query *query, struct unit *unit, struct error *err) MUST_USE;

/* `h` is host, `v` its volunteer. */
#define HOST_COLUMNS                                                                               \
    "h.id, h.version, h.kind, h.volunteer, coalesce(v.organisation, -v.id), h.visit,"              \
    " h.incarnation, h.withdrawn, h.enrolled_s, h.seen_s, h.seen_up_s, h.credit, h.agreed,"        \
    " h.outvoted, h.errors, h.refused_what, h.refused_code, h.refused_s, h.refused_digest, "       \
    "h.key, h.token, "                                                                             \
    "h.visit_statement, h.prefix, h.platform, h.client, h.cores, h.memory_bytes, "                 \
    "h.disk_bytes, h.layers, v.kind"

void read_host(struct query *query, struct host *ret_host);

/* `b` is batch. */
#define BATCH_COLUMNS                                                                              \
    "b.id, b.version, b.public_id, b.name, b.app_version, b.state, b.closed, b.why, b.priority,"   \
    " b.needed_by_s, b.created_s, b.units, b.units_accepted, b.units_failed, b.ended_tasks,"       \
    " b.failed_tasks, b.ended_hosts, b.begun, b.retry_reopened,"                                   \
    " b.retry_expired, b.retry_revoked, b.retry_spent"

void read_batch(struct query *query, struct batch *ret_batch);

/* The phase that the unit is in by its state and tasks. */
enum unit_phase phase_of(const struct unit *unit);

/* Would a visit of its host look at this task of the unit? */
bool task_is_live(const struct unit *unit, const struct task *task);

/* All tasks of these units, appended to `units`, sorted by id. */
enum status load_tasks(struct sql_store *self, struct unit *units, size_t count, struct error *err)
    MUST_USE;

#endif
