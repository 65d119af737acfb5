/* Rules that rows keep between each other. Each statement yields the rows that break one. */
#include "db/sql/check.h"
#include "db/sql/query.h"
#include "db/work.h"

/*
 * A task's unit is its id / 16. Asked for by that (never by a range of ids) PostgreSQL can hash or
 * merge, whatever it thinks of the sizes; SQLite walks the first table of a CROSS JOIN in its order
 * and finds the others' rows beside each other. Where one of them would do it badly, each is asked
 * in its own words. No NOT IN: PostgreSQL reads all of the list for each row once it is long.
 */
#define PHASE                                                                                      \
    "CASE u.state WHEN 1 THEN CASE WHEN o.unit IS NOT NULL THEN 2 ELSE 1 END"                      \
    " WHEN 2 THEN 3 WHEN 3 THEN 4 WHEN 4 THEN 5 ELSE CASE u.failure WHEN 5 THEN 7 ELSE 6 END END"
#define TASKS_OUT "(SELECT DISTINCT id / 16 AS unit FROM task WHERE state = 1)"

/* The acceptance that stands, with its tasks. */
#define STANDING                                                                                   \
    " FROM acceptance_task a CROSS JOIN unit u ON u.id = a.task / 16 AND a.revision = u.revision"  \
    " JOIN task t ON t.id = a.task WHERE u.state = 4"

/* As unit_tasks_charged() has it. */
#define CHARGED "t.state <> 9 AND NOT (t.state = 8 AND t.reported_s = 0)"

/* As quorum_is_unstarted() has it: what its volunteer handed back so may come to it once more. */
#define UNSTARTED "(t.state = 9 AND t.cause = 7)"

/* A stored enum: no row has a value beyond its first and last. */
#define WITHIN(table, column, first, last, complaint)                                              \
    {                                                                                              \
        .noun = table, .words = complaint,                                                         \
        .sql = "SELECT id FROM " table " WHERE " column " NOT BETWEEN " #first " AND " #last       \
    }
#define NO_STATE "is in a state that does not exist"
#define NO_KIND  "is of a kind that does not exist"

static const struct check_rule rules[] = {
    {.noun = "site",
     .words = "is not known: the row of the site is not there",
     .sql = "SELECT CAST(1 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM site)"},
    {.noun = "server",
     .words = "is not there, as the first of each site is",
     .sql = "SELECT CAST(1 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM server WHERE id = 1)"},
    {.noun = "server",
     .words = "has no block of numbers for each kind of row",
     .sql = "SELECT s.id FROM server s WHERE 10 <> (SELECT count(*) FROM id_block b"
            " WHERE b.server = s.id AND b.kind BETWEEN 1 AND 10)"},
    {.noun = "site",
     .words = "has a project, and its keyring version 1 is not the one that names the project",
     .sql = "SELECT id FROM site s WHERE project IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM keyring k WHERE k.version = 1 AND k.digest = s.project)"},
    {.noun = "site",
     .words =
         "was put back from an older copy, as hosts showed, and nobody said so: if that is so, "
         "give 'dugnad-server restore'",
     .sql = "SELECT id FROM site s WHERE EXISTS"
            " (SELECT 1 FROM server v WHERE v.looks_restored = s.incarnation)"},
    {.noun = "keyring",
     .words = "is the last, and one before it is missing",
     .sql = "SELECT max(version) FROM keyring HAVING max(version) <> count(*)"},
    WITHIN("batch", "state", 1, 6, NO_STATE),
    WITHIN("unit", "state", 1, 5, NO_STATE),
    WITHIN("unit", "failure", 0, 6, "failed in a way that does not exist"),
    WITHIN("task", "state", 1, 9, NO_STATE),
    WITHIN("host", "kind", 1, 2, NO_KIND),
    WITHIN("volunteer", "kind", 1, 3, NO_KIND),
    WITHIN("credential", "kind", 1, 2, NO_KIND),

    {.noun = "batch",
     .words = "does not count as many units as it has",
     .sql = "SELECT id FROM batch b WHERE units <> (SELECT count(*) FROM unit u WHERE u.batch = "
            "b.id)"},
    {.noun = "batch",
     .words = "does not count as many accepted units as it has",
     .sql = "SELECT id FROM batch b WHERE units_accepted <>"
            " (SELECT count(*) FROM unit u WHERE u.batch = b.id AND u.state = 4)"},
    {.noun = "batch",
     .words = "does not count as many failed units as it has",
     .sql = "SELECT id FROM batch b WHERE units_failed <>"
            " (SELECT count(*) FROM unit u WHERE u.batch = b.id AND u.state = 5)"},
    {.noun = "batch",
     .words = "has units outside of the range it states",
     .sql = "SELECT DISTINCT b.id FROM batch b JOIN unit u ON u.batch = b.id"
            " WHERE u.id < b.first_unit OR u.id > b.last_unit"},
    {.noun = "batch",
     .words = "has a tally of units that is wrong",
     .sql = "SELECT DISTINCT batch FROM (SELECT u.batch, " PHASE " AS what, 1 AS n FROM unit u"
            " LEFT JOIN " TASKS_OUT " o ON o.unit = u.id"
            " UNION ALL SELECT batch, what, -count FROM tally WHERE kind = 1) x"
            " GROUP BY batch, what HAVING sum(n) <> 0"},
    {.noun = "batch",
     .words = "has a tally of tasks that is wrong",
     .sql = "SELECT DISTINCT batch FROM (SELECT u.batch, t.state AS what, 1 AS n"
            " FROM task t CROSS JOIN unit u ON u.id = t.id / 16"
            " UNION ALL SELECT batch, what, -count FROM tally WHERE kind = 2) x"
            " GROUP BY batch, what HAVING sum(n) <> 0"},
    {.noun = "file tally",
     .words = "is wrong",
     .sql = "SELECT what FROM (SELECT 1 AS what, count(*) AS n FROM file"
            " UNION ALL SELECT 2, coalesce(sum(size_bytes), 0) FROM file"
            " UNION ALL SELECT what, -count FROM tally WHERE kind = 3) x GROUP BY what HAVING "
            "sum(n) <> "
            "0"},

    {.noun = "unit",
     .words = "is accepted without a record of it",
     .sql = "SELECT id FROM unit u WHERE state = 4 AND NOT EXISTS"
            " (SELECT 1 FROM acceptance a WHERE a.unit = u.id AND a.revision = u.revision)"},
    {.noun = "unit",
     .words = "was accepted by another rule than the signed one",
     .sql = "SELECT u.id FROM unit u JOIN acceptance a ON a.unit = u.id AND a.revision = u.revision"
            " WHERE u.state = 4 AND (a.quorum <> u.quorum OR a.independence <> u.independence)"},
    {.noun = "unit",
     .words = "was accepted on fewer tasks than its quorum",
     .sql = "SELECT u.id FROM unit u WHERE u.state = 4 AND u.quorum > (SELECT count(*)"
            " FROM acceptance_task a WHERE a.task BETWEEN u.id * 16 AND u.id * 16 + 15"
            " AND a.revision = u.revision)",
     .postgres = "SELECT u.id FROM unit u LEFT JOIN (SELECT task / 16 AS unit, revision,"
                 " count(*) AS n FROM acceptance_task GROUP BY 1, 2) a"
                 " ON a.unit = u.id AND a.revision = u.revision"
                 " WHERE u.state = 4 AND u.quorum > coalesce(a.n, 0)"},
    {.noun = "task",
     .words = "is what an acceptance rests on, and did not agree",
     .sql = "SELECT t.id" STANDING " AND t.state <> 3"},
    {.noun = "unit",
     .words = "was accepted on tasks of different results",
     .sql = "SELECT u.id" STANDING
            " GROUP BY u.id HAVING count(DISTINCT t.result) <> 1 OR count(t.result) <> count(*)"},
    {.noun = "unit",
     .words = "has tasks that share the identity its signed independence names",
     .sql = "SELECT DISTINCT u.id FROM task t CROSS JOIN unit u ON u.id = t.id / 16"
            " WHERE NOT " UNSTARTED
            " GROUP BY u.id, CASE u.independence WHEN 1 THEN t.host WHEN 2 THEN t.volunteer"
            " ELSE t.organisation END HAVING count(*) > 1"},
    {.noun = "unit",
     .words = "has tasks of hosts without accounts that share an address prefix",
     .sql = "SELECT DISTINCT u.id FROM task t CROSS JOIN unit u ON u.id = t.id / 16"
            " WHERE NOT " UNSTARTED
            " AND u.independence > 1 AND t.prefix <> '' GROUP BY u.id, t.prefix HAVING count(*) "
            "> 1"},
    {.noun = "unit",
     .words = "wants copies though it is not open, or more than it may have",
     .sql = "SELECT id FROM unit u WHERE copies_wanted > 0 AND (state <> 1 OR copies_wanted +"
            " (SELECT count(*) FROM task t WHERE t.id BETWEEN u.id * 16 AND u.id * 16 + 15"
            " AND " CHARGED ") > max_tasks)",
     .postgres =
         "SELECT u.id FROM unit u LEFT JOIN (SELECT id / 16 AS unit, count(*) AS n FROM task"
         " t WHERE " CHARGED " GROUP BY 1) t ON t.unit = u.id WHERE u.copies_wanted > 0"
         " AND (u.state <> 1 OR u.copies_wanted + coalesce(t.n, 0) > u.max_tasks)"},
    {.noun = "unit",
     .words = "is open and waits for nothing",
     .sql = "SELECT id FROM unit u WHERE state = 1 AND copies_wanted = 0 AND NOT EXISTS (SELECT 1"
            " FROM task t WHERE t.id BETWEEN u.id * 16 AND u.id * 16 + 15 AND t.state = 1)",
     .postgres = "SELECT id FROM unit u WHERE state = 1 AND copies_wanted = 0 AND NOT EXISTS"
                 " (SELECT 1 FROM task t WHERE t.id / 16 = u.id AND t.state = 1)"},
    {.noun = "unit",
     .words = "ended and no result says so",
     .sql = "SELECT id FROM (SELECT batch, id, CASE state WHEN 4 THEN 1 ELSE 3 END,"
            " CASE state WHEN 4 THEN revision ELSE failure END FROM unit WHERE state >= 4"
            " EXCEPT SELECT batch, unit, kind, detail FROM batch_result) AS untold"},
    {.noun = "unit",
     .words = "has no manifest",
     .sql =
         "SELECT id FROM unit u WHERE NOT EXISTS (SELECT 1 FROM manifest m WHERE m.unit = u.id)"},
    {.noun = "unit",
     .words = "has a manifest of another batch",
     .sql = "SELECT unit FROM manifest m JOIN unit u ON u.id = m.unit WHERE m.batch <> u.batch"},
    {.noun = "task",
     .words = "belongs to no unit",
     .sql = "SELECT id FROM task t WHERE NOT EXISTS (SELECT 1 FROM unit u WHERE u.id = t.id / 16)"},
    {.noun = "unit",
     .words = "has a gap among its tasks",
     .sql = "SELECT id / 16 FROM task GROUP BY id / 16 HAVING max(id % 16) + 1 <> count(*)"},
    {.noun = "task",
     .words = "is hidden from its host's visits",
     .sql = "SELECT id FROM task WHERE live = 0 AND (state = 1 OR told = 0)"},

    {.noun = "host",
     .words = "has no answer that is its last visit's",
     .sql = "SELECT h.id FROM host h LEFT JOIN answer a ON a.host = h.id AND a.visit = h.visit"
            " WHERE h.visit > 0 AND a.host IS NULL"},
    {.noun = "host",
     .words = "has another credit than its tasks have together",
     .sql = "SELECT id FROM (SELECT id, credit AS n FROM host UNION ALL SELECT host, -credit FROM "
            "task) x"
            " GROUP BY id HAVING sum(n) <> 0"},
    {.noun = "task",
     .words = "has another credit than the journal tells",
     .sql =
         "SELECT id FROM (SELECT id, credit AS n FROM task UNION ALL"
         " SELECT subject, -detail FROM journal WHERE kind = 12) x GROUP BY id HAVING sum(n) <> 0"},
    {.noun = "task",
     .words = "was given credit twice",
     .sql = "SELECT subject FROM journal WHERE kind = 12 GROUP BY subject HAVING count(*) > 1"},
    {.noun = "server",
     .words = "has gaps in its journal",
     .sql = "SELECT min(server) FROM journal HAVING max(seq) <>"
            " count(*) + coalesce(sum(CASE WHEN kind = 51 THEN detail END), 0)"},
    {.noun = "batch",
     .words = "has a result that the journal does not tell",
     .sql = "SELECT DISTINCT r.batch FROM batch_result r LEFT JOIN journal j ON j.server = r.server"
            " AND j.seq = r.seq AND j.kind = r.kind AND j.subject = r.unit AND j.detail = r.detail"
            " WHERE j.seq IS NULL"},
    {.noun = "batch or variant",
     .words = "refers to a file that is not here",
     .sql = "SELECT DISTINCT subject FROM file_reference r WHERE kind IN (1, 2)"
            " AND NOT EXISTS (SELECT 1 FROM file f WHERE f.digest = r.file)"},
};

static const char *noun_told(enum journal_kind kind)
{
    switch (kind) {
    case JOURNAL_HOST_ENROLLED:
        return "host";
    case JOURNAL_BATCH_STATE:
        return "batch";
    case JOURNAL_KEYRING:
        return "keyring";
    case JOURNAL_FRESHNESS:
        return "freshness";
    case JOURNAL_APP_VERSION:
        return "app version";
    case JOURNAL_VARIANT:
        return "variant";
    default:
        return "notice of time";
    }
}

/*
 * What the journal tells of stays: a row that is lost, and that no other row refers to, is known by
 * it alone. In one pass; CASE keeps it from asking for the rows of other kinds. Of freshness the
 * last alone: a new key may begin anew below what was there.
 */
static enum status check_told(struct checker *checker, struct error *err)
{
    static const char sql[] =
        "SELECT DISTINCT kind, subject FROM journal j WHERE CASE kind"
        " WHEN 20 THEN NOT EXISTS (SELECT 1 FROM host x WHERE x.id = j.subject)"
        " WHEN 30 THEN NOT EXISTS (SELECT 1 FROM batch x WHERE x.id = j.subject)"
        " WHEN 40 THEN NOT EXISTS (SELECT 1 FROM keyring x WHERE x.version = j.subject)"
        " WHEN 41 THEN j.seq = (SELECT max(seq) FROM journal WHERE kind = 41)"
        " AND NOT EXISTS (SELECT 1 FROM freshness x WHERE x.sequence = j.subject)"
        " WHEN 42 THEN NOT EXISTS (SELECT 1 FROM app_version x WHERE x.id = j.subject)"
        " WHEN 43 THEN NOT EXISTS (SELECT 1 FROM variant x WHERE x.id = j.subject)"
        " WHEN 44 THEN NOT EXISTS (SELECT 1 FROM notice x WHERE x.time_s = j.subject)"
        " ELSE 1 = 0 END ORDER BY kind, subject";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(JOURNAL_HOST_ENROLLED == 20 && JOURNAL_BATCH_STATE == 30 &&
                       JOURNAL_KEYRING == 40 && JOURNAL_FRESHNESS == 41 &&
                       JOURNAL_APP_VERSION == 42 && JOURNAL_VARIANT == 43 && JOURNAL_NOTICE == 44,
                   "as in the statement above");
    checker->said = 0;
    check_progress(checker, "what the journal tells of", 0);
    TRY(query_begin(&query, checker->store, sql, err));
    while (query_next(&query)) {
        const char *noun = noun_told((enum journal_kind)get_integer(&query));

        complain(checker, "%s %lld is lost: the journal tells of it, and it is not there", noun,
                 (long long)get_integer(&query));
    }
    return query_status(&query, err);
}

enum status check_rules(struct checker *checker, struct error *err)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        TRY(check_rule(checker, &rules[i], err));
    return check_told(checker, err);
}
