/* store.check: each inconsistency that could be is found. Faults are made with SQL: no function of
 * the store makes them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "db/store.h"
#include "tests/support/many_units.h"

static struct test_site site;
static struct error err;
static char said[4096];

static void set_up(void)
{
    site_open(&site, NULL);
    site_play(&site);
    said[0] = '\0';
}

static void tear_down(void)
{
    site_close(&site);
}

static void keep(void *context, const char *complaint)
{
    (void)context;
    (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", complaint);
}

static int64_t faults_of(const struct store_check *how)
{
    int64_t count = -1;

    cr_assert(eq(int, site.store->check(site.store, how, &count, &err), STATUS_OK), "%s",
              err.detail);
    return count;
}

static int64_t faults(void)
{
    return faults_of(&(struct store_check){.say = keep});
}

/* Behind the store's back, without foreign keys. */
static void spoil(const char *sql)
{
    struct database_view *view = database_look(site.path);

    cr_assert(lt(i64, 0, database_change(view, sql)), "%s changes nothing", sql);
    database_leave(view);
}

TestSuite(check, .init = set_up, .fini = tear_down);

Test(check, a_played_site_is_sound)
{
    cr_expect(zero(i64, faults()), "%s", said);
    site_give_up(&site, 1, FAILURE_ERRORS);
    site_reopen(&site, 0);
    cr_expect(zero(i64, faults()), "%s", said);
}

/* And got again: it is no copy that shares. */
Test(check, a_copy_handed_back_unstarted_shares_with_none)
{
    spoil("UPDATE task SET state = 9, cause = 7, reported_s = 1 WHERE id = 32");
    spoil("INSERT INTO task SELECT 33, 1, 0, 0, host, volunteer, organisation, server, incarnation,"
          " visit, variant, sent_s, deadline_up_s, deadline_s, 0, 0, 0, 0, 0, 0, 1, prefix, NULL,"
          " NULL FROM task WHERE id = 32");
    (void)faults();
    cr_expect(strstr(said, "share") == NULL, "%s", said);
    spoil("UPDATE task SET cause = 0 WHERE id = 32");
    (void)faults();
    cr_expect(strstr(said, "share the identity") != NULL, "%s", said);
}

struct fault {
    const char *sql;
    const char *words; /* that the complaint holds */
};

/* As if that row had been there. */
#define TOLD(kind, subject)                                                                        \
    "INSERT INTO journal SELECT 1, max(seq) + 1, 0, " kind ", " subject ", 0 FROM journal"

/* In the fixture: units 1 (accepted on tasks 16 and 17) and 2 (open, its task 32 failed). */
static const struct fault known[] = {
    {"UPDATE batch SET units = 3", "does not count as many units"},
    {"UPDATE batch SET units_accepted = 0", "accepted units"},
    {"UPDATE batch SET units_failed = 1", "failed units"},
    {"UPDATE batch SET last_unit = 1", "outside of the range"},
    {"UPDATE tally SET count = count + 1 WHERE kind = 1 AND what = 5", "tally of units"},
    {"DELETE FROM tally WHERE kind = 2 AND what = 3", "tally of tasks"},
    {"UPDATE tally SET count = 0 WHERE kind = 3 AND what = 2", "file tally 2"},
    {"UPDATE unit SET revision = 2 WHERE id = 1", "without a record"},
    {"UPDATE acceptance SET quorum = 1", "another rule"},
    {"UPDATE acceptance SET independence = 1", "another rule"},
    {"DELETE FROM acceptance_task WHERE task = 17", "fewer tasks than its quorum"},
    {"UPDATE task SET state = 4 WHERE id = 17", "did not agree"},
    {"UPDATE task SET result = zeroblob(32) WHERE id = 17", "different results"},
    {"UPDATE task SET volunteer = 1 WHERE id = 17", "share the identity"},
    {"UPDATE unit SET copies_wanted = 1 WHERE id = 1", "wants copies"},
    {"UPDATE unit SET copies_wanted = 10 WHERE id = 2", "wants copies"},
    {"UPDATE unit SET copies_wanted = 0 WHERE id = 2", "waits for nothing"},
    {"DELETE FROM batch_result", "no result says so"},
    {"DELETE FROM manifest WHERE unit = 2", "has no manifest"},
    {"UPDATE manifest SET batch = 9 WHERE unit = 2", "a manifest of another batch"},
    {"UPDATE task SET id = 16 * 99 WHERE id = 32", "belongs to no unit"},
    {"UPDATE task SET id = 33 WHERE id = 32", "gap among its tasks"},
    {"UPDATE task SET told = 0 WHERE id = 32", "hidden from its host"},
    {"UPDATE host SET visit = visit + 1 WHERE id = 1", "host 1 has no answer"},
    {"UPDATE host SET credit = credit + 1 WHERE id = 1", "host 1 has another credit"},
    {"UPDATE task SET credit = 5 WHERE id = 32", "than the journal tells"},
    {"INSERT INTO journal SELECT 1, seq + 100, time_s, kind, subject, 0 FROM journal"
     " WHERE kind = 12 AND subject = 16",
     "credit twice"},
    {"DELETE FROM journal WHERE seq = 3", "gaps in its journal"},
    {"UPDATE batch_result SET detail = 7", "that the journal does not tell"},
    {"DELETE FROM file", "refers to a file that is not here"},
    {"DELETE FROM body", "the body of its out.txt is not here"},
    {"DELETE FROM file_reference WHERE kind = 3", "nothing keeps the body"},
    {"UPDATE body SET bytes = x'00'", "has other bytes"},
    {"UPDATE task SET outputs = x'00' WHERE id = 16", "damaged outputs"},
    {"UPDATE task SET result = randomblob(32) WHERE id = 16", "not that of its outputs"},
    {"DELETE FROM site", "the row of the site is not there"},
    {"UPDATE site SET project = zeroblob(32)", "keyring version 1 is not the one"},
    {"UPDATE server SET looks_restored = 1", "site 1 was put back from an older copy"},
    {"DELETE FROM id_block", "server 1 has no block"},
    {"DELETE FROM id_block WHERE kind = 9", "server 1 has no block"},
    {"UPDATE batch SET state = 77", "batch 1 is in a state that does not exist"},
    {"UPDATE batch SET state = 0", "batch 1 is in a state that does not exist"},
    {"UPDATE unit SET state = 6 WHERE id = 2", "unit 2 is in a state that does not exist"},
    {"UPDATE unit SET failure = 7 WHERE id = 2", "unit 2 failed in a way that does not exist"},
    {"UPDATE task SET state = 10 WHERE id = 32", "task 32 is in a state that does not exist"},
    {"UPDATE host SET kind = 3 WHERE id = 1", "host 1 is of a kind that does not exist"},
    {"UPDATE volunteer SET kind = 4", "is of a kind that does not exist"},
    {"UPDATE task SET host = 77 WHERE id = 32", "refers to a row of host"},
    {TOLD("20", "99"), "host 99 is lost"},
    {TOLD("30", "99"), "batch 99 is lost"},
    {TOLD("40", "99"), "keyring 99 is lost"},
    {TOLD("41", "99"), "freshness 99 is lost"},
    {TOLD("42", "99"), "app version 99 is lost"},
    {TOLD("43", "99"), "variant 99 is lost"},
    {TOLD("44", "99"), "notice of time 99 is lost"},
};

Test(check, each_fault_is_found)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        spoil(known[i].sql);
        cr_expect(lt(i64, 0, faults()), "%s", known[i].sql);
        cr_expect(ne(ptr, strstr(said, known[i].words), NULL), "%s: said\n%s", known[i].sql, said);
        tear_down();
        set_up();
    }
}

Test(check, complaints_are_counted_beyond_those_said)
{
    static int64_t ids[64];
    size_t lines = 0;

    site_add_units(&site, site.batch, 100, 64, NULL, ids);
    spoil("UPDATE unit SET copies_wanted = 0 WHERE state = 1");
    cr_expect(ge(i64, faults(), 65));
    for (const char *at = said; *at != '\0'; at++)
        lines += *at == '\n';
    cr_expect(eq(sz, lines, 20));
}

/* It compared each ended unit with all results of its batch: hours for a million. */
Test(check, many_ended_units_are_no_more_work_than_they_are)
{
    (void)alarm(15); /* Criterion's own timeouts leak where several tests have one */
    spoil(
        "WITH RECURSIVE n (i) AS (VALUES (1000) UNION ALL SELECT i + 1 FROM n WHERE i < 61000)"
        " INSERT INTO unit SELECT i, version, 5, 5, 0, 0, 0, batch, app_version, i, quorum, copies,"
        " max_failures, max_tasks, independence, deadline_span_s, declared_ops, memory_bytes,"
        " disk_bytes, output_bytes, not_before_s, not_after_s, signer, classes, platforms, '',"
        " CAST(printf('%032d', i) AS BLOB) FROM unit, n WHERE id = 2");
    spoil("INSERT INTO batch_result SELECT batch, 1, 1000000 - id, 3, id, 5, 1 FROM unit"
          " WHERE id >= 1000");
    cr_expect(lt(i64, 0, faults()));
    cr_expect(eq(ptr, strstr(said, "no result says so"), NULL), "%s", said);
}

/* PostgreSQL compared each acceptance with each unit: 13 s for 10,000, 52 for these. */
Test(check, many_accepted_units_are_no_more_work_than_they_are)
{
    (void)alarm(40);
    site_add_accepted(&site, 20000);
    cr_expect(zero(i64, faults()), "%s", said);
    spoil("DELETE FROM body WHERE digest = (SELECT digest FROM body ORDER BY digest LIMIT 1)");
    cr_expect(eq(i64, faults(), 2)); /* of two tasks */
    cr_expect(ne(ptr, strstr(said, "is not here"), NULL), "%s", said);
}

static int64_t furthest;

static void keep_progress(void *context, const char *part, int64_t done)
{
    (void)part;
    ++*(int *)context;
    if (done > furthest)
        furthest = done;
}

Test(check, it_says_how_far_it_is)
{
    int heard = 0;
    const struct store_check how = {
        .say = keep, .progress = keep_progress, .context = &heard, .is_deep = true};

    site_add_accepted(&site, 2500);
    cr_expect(zero(i64, faults_of(&how)), "%s", said);
    cr_expect(lt(int, 20, heard));
    cr_expect(le(i64, 4000, furthest), "two pages of tasks were looked at");
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Which parts take long, as each next one begins. */
static void time_part(void *context, const char *part, int64_t done)
{
    static const char *last = "";
    static double since;
    double now = seconds_of(CLOCK_MONOTONIC);

    (void)context;
    (void)done;
    if (part == last)
        return;
    if (now - since > 0.5 && *last != '\0')
        cr_log_warn("  %.2f s: %s", now - since, last);
    last = part;
    since = now;
}

/* For a person: DUGNAD_CHECK_UNITS=1000000 [DUGNAD_CHECK_FILE=site.db] test_check --filter … */
Test(check, a_large_site_is_measured, .timeout = 0)
{
    const char *units = getenv("DUGNAD_CHECK_UNITS"), *file = getenv("DUGNAD_CHECK_FILE");
    double wall, cpu;

    if (units == NULL)
        cr_skip_test("measures only what DUGNAD_CHECK_UNITS asks for");
    if (file != NULL) {
        tear_down();
        site_open(&site, &(struct site_plan){.path = file});
        site_play(&site);
    }
    site_add_accepted(&site, strtoll(units, NULL, 10));
    for (int is_deep = 0; is_deep <= 1; is_deep++) {
        wall = seconds_of(CLOCK_MONOTONIC);
        cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        cr_expect(zero(i64, faults_of(&(struct store_check){
                                .say = keep, .progress = time_part, .is_deep = is_deep})),
                  "%s", said);
        cr_log_warn("%s units%s: %.2f s, %.2f s of CPU here", units, is_deep ? ", deep" : "",
                    seconds_of(CLOCK_MONOTONIC) - wall, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
}
