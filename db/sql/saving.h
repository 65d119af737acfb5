/* What saving a working set decides, whatever way the back-end writes it. Pure. */
#ifndef DB_SQL_SAVING_H
#define DB_SQL_SAVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/sql/store.h"
#include "db/work.h"

/* How the tallies of one batch change. */
struct unit_deltas {
    int64_t phases[PHASE_CANCELLED + 1];
    int64_t states[TASK_ABANDONED + 1];
};

/* The host's version guards its allowances: one that changed counts as the host's change. */
void saving_mark_hosts(struct work_set *set);

/* The unit, or one of its tasks, is to be written. */
bool saving_wants_unit(const struct unit *unit);
bool saving_wants_task(const struct task *task);

/* The task has no id yet: it gets the one of its place. */
void saving_name_task(const struct unit *unit, struct task *task);
/* The task, or the unit, was written: count it, and remember how it stands. */
void saving_count_task(const struct unit *unit, struct task *task, struct unit_deltas *deltas);
void saving_count_unit(struct unit *unit, struct unit_deltas *deltas);

/* The batch's hosts as a JSON array, up to the first that is none. */
struct hosts_text {
    char text[BATCH_HOSTS_SEEN * 21 + 3];
};
struct hosts_text saving_format_hosts(const int64_t *hosts);

/* Row id of the visit that carried the report, the set's visits having ids from `first_id` on; 0:
 * it is not in the set. */
int64_t saving_visit_of(const struct work_set *set, int64_t first_id,
                        const struct report_record *report);

/* A body has no time of its own: it came with a visit, or what the journal tells of. */
int64_t saving_time_of(const struct work_set *set);

/* Told in batch_result, too. */
bool saving_is_result(enum journal_kind kind);

/* What tasks of the unit delivered may be kept by references of kind FILE_REPORT. */
bool saving_may_have_reports(const struct unit *unit);
/* The unit has ended for good: nothing that its tasks delivered is needed. */
bool saving_ends_reports(const struct journal_entry *entry);

#endif
