/* store.check, as far as statements can tell: each back-end adds its own. */
#ifndef DB_SQL_CHECK_H
#define DB_SQL_CHECK_H

#include "db/sql/store.h"

#define COMPLAINTS_MAX 20 /* said per rule; all are counted */

struct checker {
    struct sql_store *store; /* borrowed */
    void (*say)(void *context, const char *complaint);
    void *context;
    int64_t faults;
    int64_t said; /* by the rule at work */
};

/* One more fault, in words. */
void complain(struct checker *checker, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* All there is, in the caller's snapshot. */
enum status sql_check(struct checker *checker, struct error *err) MUST_USE;

/* What SQL alone can tell. */
enum status check_rules(struct checker *checker, struct error *err) MUST_USE;

/* What needs values read: outputs, results, bodies. */
enum status check_values(struct checker *checker, struct error *err) MUST_USE;

#endif
