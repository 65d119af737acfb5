/* store.check, as far as statements can tell: each back-end adds its own. */
#ifndef DB_SQL_CHECK_H
#define DB_SQL_CHECK_H

#include "db/sql/store.h"

#define COMPLAINTS_MAX 20 /* said per rule; all are counted */

struct checker {
    struct sql_store *store;       /* borrowed */
    const struct store_check *how; /* borrowed */
    int64_t faults;
    int64_t said; /* by the rule at work */
};

/* One more fault, in words. */
void complain(struct checker *checker, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Another part begins, or has come so far. */
void check_progress(struct checker *checker, const char *part, int64_t done);

/* One statement of one column: each row is a fault, said as "noun NUMBER words". */
struct check_rule {
    const char *sql;
    const char *postgres; /* what PostgreSQL is asked in its place; NULL: the same */
    const char *noun;     /* what the column numbers */
    const char *words;    /* that follow it */
};
enum status check_rule(struct checker *checker, const struct check_rule *rule, struct error *err)
    MUST_USE;

/* What SQL alone can tell, in the caller's snapshot. The planner may join whole tables. */
enum status check_rules(struct checker *checker, struct error *err) MUST_USE;

/* What needs values read: outputs, results, bodies; page by page along the keys of the tables. */
enum status check_values(struct checker *checker, struct error *err) MUST_USE;

#endif
