/* Rules that rows keep between each other. Each statement yields the rows that break one. */
#include "db/sql/check.h"
#include "db/sql/query.h"

/* `sql` yields one column: whose fault it is, in the numbers of `noun`. */
struct rule {
    const char *noun;
    const char *words;
    const char *sql;
};

#define PHASE                                                                                      \
    "CASE u.state WHEN 1 THEN CASE WHEN EXISTS (SELECT 1 FROM task t WHERE t.id BETWEEN"           \
    " u.id * 16 AND u.id * 16 + 15 AND t.state = 1) THEN 2 ELSE 1 END"                             \
    " WHEN 2 THEN 3 WHEN 3 THEN 4 WHEN 4 THEN 5 ELSE CASE u.failure WHEN 5 THEN 7 ELSE 6 END END"

/* The acceptance that stands, with its tasks. */
#define STANDING                                                                                   \
    " FROM unit u JOIN acceptance_task a ON a.task BETWEEN u.id * 16 AND u.id * 16 + 15"           \
    " AND a.revision = u.revision JOIN task t ON t.id = a.task WHERE u.state = 4"

static const struct rule rules[] = {
    {"batch", "does not count as many units as it has",
     "SELECT id FROM batch b WHERE units <> (SELECT count(*) FROM unit u WHERE u.batch = b.id)"},
    {"batch", "does not count as many accepted units as it has",
     "SELECT id FROM batch b WHERE units_accepted <>"
     " (SELECT count(*) FROM unit u WHERE u.batch = b.id AND u.state = 4)"},
    {"batch", "does not count as many failed units as it has",
     "SELECT id FROM batch b WHERE units_failed <>"
     " (SELECT count(*) FROM unit u WHERE u.batch = b.id AND u.state = 5)"},
    {"batch", "has units outside of the range it states",
     "SELECT DISTINCT b.id FROM batch b JOIN unit u ON u.batch = b.id"
     " WHERE u.id < b.first_unit OR u.id > b.last_unit"},
    {"batch", "has a tally of units that is wrong",
     "SELECT DISTINCT batch FROM (SELECT u.batch, " PHASE " AS what, 1 AS n FROM unit u"
     " UNION ALL SELECT batch, what, -count FROM tally WHERE kind = 1) x"
     " GROUP BY batch, what HAVING sum(n) <> 0"},
    {"batch", "has a tally of tasks that is wrong",
     "SELECT DISTINCT batch FROM (SELECT u.batch, t.state AS what, 1 AS n"
     " FROM task t JOIN unit u ON u.id = t.id / 16"
     " UNION ALL SELECT batch, what, -count FROM tally WHERE kind = 2) x"
     " GROUP BY batch, what HAVING sum(n) <> 0"},
    {"file tally", "is wrong",
     "SELECT what FROM (SELECT 1 AS what, count(*) AS n FROM file"
     " UNION ALL SELECT 2, coalesce(sum(size_bytes), 0) FROM file"
     " UNION ALL SELECT what, -count FROM tally WHERE kind = 3) x GROUP BY what HAVING sum(n) <> "
     "0"},

    {"unit", "is accepted without a record of it",
     "SELECT id FROM unit u WHERE state = 4 AND NOT EXISTS"
     " (SELECT 1 FROM acceptance a WHERE a.unit = u.id AND a.revision = u.revision)"},
    {"unit", "was accepted by another rule than the signed one",
     "SELECT u.id FROM unit u JOIN acceptance a ON a.unit = u.id AND a.revision = u.revision"
     " WHERE u.state = 4 AND (a.quorum <> u.quorum OR a.independence <> u.independence)"},
    {"unit", "was accepted on fewer tasks than its quorum",
     "SELECT u.id FROM unit u WHERE u.state = 4 AND u.quorum > (SELECT count(*)"
     " FROM acceptance_task a WHERE a.task BETWEEN u.id * 16 AND u.id * 16 + 15"
     " AND a.revision = u.revision)"},
    {"task", "is what an acceptance rests on, and did not agree",
     "SELECT t.id" STANDING " AND t.state <> 3"},
    {"unit", "was accepted on tasks of different results",
     "SELECT u.id" STANDING
     " GROUP BY u.id HAVING count(DISTINCT t.result) <> 1 OR count(t.result) <> count(*)"},
    {"unit", "has tasks that share the identity its signed independence names",
     "SELECT DISTINCT u.id FROM unit u JOIN task t ON t.id BETWEEN u.id * 16 AND u.id * 16 + 15"
     " GROUP BY u.id, CASE u.independence WHEN 1 THEN t.host WHEN 2 THEN t.volunteer"
     " ELSE t.organisation END HAVING count(*) > 1"},
    {"unit", "has tasks of hosts without accounts that share an address prefix",
     "SELECT DISTINCT u.id FROM unit u JOIN task t ON t.id BETWEEN u.id * 16 AND u.id * 16 + 15"
     " WHERE u.independence > 1 AND t.prefix <> '' GROUP BY u.id, t.prefix HAVING count(*) > 1"},
    {"unit", "wants copies though it is not open, or more than it may have",
     "SELECT id FROM unit u WHERE copies_wanted > 0 AND (state <> 1 OR copies_wanted +"
     " (SELECT count(*) FROM task t WHERE t.id BETWEEN u.id * 16 AND u.id * 16 + 15) > max_tasks)"},
    {"unit", "is open and waits for nothing",
     "SELECT id FROM unit u WHERE state = 1 AND copies_wanted = 0 AND NOT EXISTS (SELECT 1"
     " FROM task t WHERE t.id BETWEEN u.id * 16 AND u.id * 16 + 15 AND t.state = 1)"},
    {"unit", "ended and no result says so",
     "SELECT id FROM (SELECT batch, id, CASE state WHEN 4 THEN 1 ELSE 3 END,"
     " CASE state WHEN 4 THEN revision ELSE failure END FROM unit WHERE state >= 4"
     " EXCEPT SELECT batch, unit, kind, detail FROM batch_result) AS untold"},
    {"unit", "has no manifest", "SELECT id FROM unit WHERE id NOT IN (SELECT unit FROM manifest)"},
    {"unit", "has a manifest of another batch",
     "SELECT unit FROM manifest m JOIN unit u ON u.id = m.unit WHERE m.batch <> u.batch"},
    {"task", "belongs to no unit",
     "SELECT id FROM task t WHERE NOT EXISTS (SELECT 1 FROM unit u WHERE u.id = t.id / 16)"},
    {"unit", "has a gap among its tasks",
     "SELECT id / 16 FROM task GROUP BY id / 16 HAVING max(id % 16) + 1 <> count(*)"},
    {"task", "is hidden from its host's visits",
     "SELECT id FROM task WHERE live = 0 AND (state = 1 OR told = 0)"},

    {"host", "has another credit than its tasks have together",
     "SELECT id FROM (SELECT id, credit AS n FROM host UNION ALL SELECT host, -credit FROM task) x"
     " GROUP BY id HAVING sum(n) <> 0"},
    {"task", "has another credit than the journal tells",
     "SELECT id FROM (SELECT id, credit AS n FROM task UNION ALL"
     " SELECT subject, -detail FROM journal WHERE kind = 12) x GROUP BY id HAVING sum(n) <> 0"},
    {"task", "was given credit twice",
     "SELECT subject FROM journal WHERE kind = 12 GROUP BY subject HAVING count(*) > 1"},
    {"server", "has gaps in its journal",
     "SELECT min(server) FROM journal HAVING max(seq) <> count(*)"},
    {"batch", "has a result that the journal does not tell",
     "SELECT DISTINCT r.batch FROM batch_result r LEFT JOIN journal j ON j.server = r.server"
     " AND j.seq = r.seq AND j.kind = r.kind AND j.subject = r.unit AND j.detail = r.detail"
     " WHERE j.seq IS NULL"},
    {"batch or variant", "refers to a file that is not here",
     "SELECT DISTINCT subject FROM file_reference WHERE kind IN (1, 2)"
     " AND file NOT IN (SELECT digest FROM file)"},
};

static enum status check_rule(struct checker *checker, const struct rule *rule, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    checker->said = 0;
    TRY(query_begin(&query, checker->store, rule->sql, err));
    while (query_next(&query))
        complain(checker, "%s %lld %s", rule->noun, (long long)get_integer(&query), rule->words);
    return query_status(&query, err);
}

enum status check_rules(struct checker *checker, struct error *err)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        TRY(check_rule(checker, &rules[i], err));
    return STATUS_OK;
}
