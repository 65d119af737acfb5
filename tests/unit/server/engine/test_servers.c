/*
 * server/engine: two servers on one database, each with its own, stale, memory; hosts go to either,
 * repeat visits at the other, and lie. What must hold is read off the database at the end.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/site.h"
#include "tests/support/village.h"

enum { HOSTS = 8, UNITS = 40, STEPS = 1200, HELD_MAX = 16, LIAR = 0 };

static struct village village;
static struct store *other_store;
static struct engine *engines[2];

static struct holder {
    size_t place;
    int64_t held[HELD_MAX];
    size_t count;
} holders[HOSTS];

static void set_up(void)
{
    village_open(&village, NULL);
    for (size_t i = 0; i < HOSTS; i++)
        holders[i].place =
            i < HOSTS - 2 ? village_join(&village) : village_join_as(&village, i - 2);
    village_add_units(&village, UNITS, NULL);
    SITE_MUST(store_open(village.path, &other_store, err));
    if (database_is_postgres()) /* an embedded one has no numbers to give */
        SITE_MUST(other_store->join(other_store, 2, true, err));
    engines[0] = village.engine;
    SITE_MUST(engine_open(other_store, &village.env.base, &village.config, &engines[1], err));
}

static void tear_down(void)
{
    village.engine = engines[0];
    engine_close(engines[1]);
    store_close(other_store);
    village_close(&village);
}

TestSuite(servers, .init = set_up, .fini = tear_down);

static void report_some(struct holder *holder, struct village_visit *visit)
{
    size_t reported = (size_t)fake_env_below(&village.env, holder->count + 1);
    bool is_liar = holder->place == LIAR;

    for (size_t i = 0; i < holder->count; i++) {
        if (i >= reported)
            village_visit_hold(visit, holder->held[i]);
        else if (fake_env_below(&village.env, 20) == 0)
            village_visit_failed(&village, visit, holder->held[i], VISIT_ERROR)->exit_status = 1;
        else
            village_visit_done(&village, visit, holder->held[i], is_liar ? "666\n" : "42\n", true);
    }
    for (size_t i = reported; i < holder->count; i++)
        holder->held[i - reported] = holder->held[i];
    holder->count -= reported;
}

static void take_grants(struct holder *holder, const struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->grant_count && holder->count < HELD_MAX; i++)
        holder->held[holder->count++] = reply->grants[i].task;
}

static void visit_somewhere(struct holder *holder)
{
    struct village_visit visit;
    size_t first;

    village_visit_begin(&village, &visit, holder->place);
    report_some(holder, &visit);
    village_visit_want(&visit, holder->count + 4 < HELD_MAX ? 3 : 0);
    village.engine = engines[fake_env_below(&village.env, 2)];
    village.store.stale_loads = fake_env_below(&village.env, 10) == 0;
    cr_assert(eq(int, village_visit_make(&village, &visit, holder->place), STATUS_OK), "%s",
              visit.err.text);
    first = visit.reply.grant_count;
    if (fake_env_below(&village.env, 3) == 0) { /* the reply was lost: again, at whichever */
        village.engine = engines[fake_env_below(&village.env, 2)];
        cr_assert(eq(int, village_visit_make(&village, &visit, holder->place), STATUS_OK));
        cr_expect(eq(sz, visit.reply.grant_count, first), "I5");
    }
    if (fake_env_below(&village.env, 10) != 0) /* else it is lost for good, and sent again */
        take_grants(holder, &visit.reply);
    village_visit_clear(&visit);
}

static void expect_none(const char *what, const char *sql)
{
    cr_expect(eq(i64, village_count(&village, sql), 0), "%s", what);
}

static void audit(void)
{
    expect_none("I2: accepted without a quorum of equal results",
                "count(*) FROM unit u WHERE state = 4 AND (SELECT count(*) FROM acceptance_task a"
                " JOIN task t ON t.id = a.task WHERE t.id / 16 = u.id AND t.state = 3) < u.quorum");
    expect_none("I2: two results in one agreement",
                "count(*) FROM (SELECT 1 FROM acceptance_task a JOIN task t ON t.id = a.task"
                " GROUP BY t.id / 16, a.revision HAVING count(DISTINCT t.result) > 1) x");
    expect_none("I3: two tasks of a unit share a volunteer",
                "count(*) FROM (SELECT 1 FROM task GROUP BY id / 16, volunteer"
                " HAVING count(*) > 1) x");
    expect_none("I4: credit given twice",
                "count(*) FROM (SELECT 1 FROM journal WHERE kind = 12 GROUP BY subject"
                " HAVING count(*) > 1) x");
    expect_none("I4: hosts' credit is not their tasks'",
                "count(*) FROM host h WHERE credit <> coalesce((SELECT sum(t.credit) FROM task t"
                " WHERE t.host = h.id), 0)");
    expect_none("I4: a unit accepted twice without being reopened",
                "count(*) FROM (SELECT 1 FROM acceptance GROUP BY unit HAVING count(*) > 1) x");
    expect_none("copies nobody wanted",
                "count(*) FROM unit u WHERE (SELECT count(*) FROM task WHERE id / 16 = u.id"
                " AND state <> 9) > u.max_tasks");
    expect_none("the batch's counters are not its units'",
                "count(*) FROM batch b WHERE units_accepted <> (SELECT count(*) FROM unit"
                " WHERE state = 4) OR units_failed <> (SELECT count(*) FROM unit WHERE state = 5)");
}

Test(servers, two_on_one_database_keep_what_must_hold)
{
    for (int i = 0; i < STEPS; i++) {
        visit_somewhere(&holders[fake_env_below(&village.env, HOSTS)]);
        if (i % 50 == 0)
            fake_env_pass(&village.env, 60000);
    }
    audit();
    cr_expect(village_count(&village, "count(*) FROM unit WHERE state = 4") >= UNITS * 3 / 4,
              "the grid did its work: %lld",
              (long long)village_count(&village, "count(*) FROM unit WHERE state = 4"));
    expect_none("a lie was accepted",
                "count(*) FROM acceptance_task a JOIN task t ON t.id = a.task WHERE t.volunteer ="
                " (SELECT volunteer FROM host ORDER BY id LIMIT 1)");
}
