/* server/engine: a site that was put back from an older copy, and nobody said so. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/text.h"
#include "tests/support/village.h"

#define HOSTS 4

static struct village village;
static size_t hosts[HOSTS];

static void set_up(void)
{
    village_open(&village, NULL);
    for (size_t i = 0; i < HOSTS; i++)
        hosts[i] = village_join(&village);
    village_add_units(&village, HOSTS, NULL);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(rollbacks, .init = set_up, .fini = tear_down, .timeout = 60);

static bool looks_restored(void)
{
    village_pass(&village, 2);
    return engine_counts(village.engine).looks_restored_now == 1;
}

/* A visit that holds the task (0: none) and refuses the thing (NULL: none). */
static void visit(size_t host, int64_t task, const struct refused_thing *thing)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    if (task != 0)
        village_visit_hold(&visit, task);
    if (thing != NULL)
        visit.request.refused[visit.request.refused_count++] = *thing;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK), "%s", visit.err.text);
    village_visit_clear(&visit);
}

static void visit_often(size_t host)
{
    for (int i = 0; i < 20; i++)
        visit(host, 0, NULL);
}

/* As the copy has it, of hosts that were there. */
static void come_back(void)
{
    village_change(&village, "UPDATE host SET visit = 1, visit_statement = NULL");
    village_restart(&village);
}

Test(rollbacks, hosts_of_three_volunteers_that_skipped_visits_tell_it)
{
    for (size_t i = 0; i < HOSTS; i++)
        visit_often(hosts[i]);
    cr_expect(not(looks_restored()));
    come_back();
    visit(hosts[0], 0, NULL);
    visit(village_join_as(&village, hosts[0]), 0, NULL);
    visit(hosts[1], 0, NULL);
    cr_expect(not(looks_restored()), "two volunteers may lie, with as many hosts as they like");
    visit(hosts[2], 0, NULL);
    cr_expect(looks_restored());
}

static void let_three_tell_it(void)
{
    for (size_t i = 0; i < HOSTS; i++)
        visit_often(hosts[i]);
    come_back();
    for (size_t i = 0; i < 3; i++)
        visit(hosts[i], 0, NULL);
}

/* Each tells it once: with its next visit this site knows its number. */
Test(rollbacks, what_they_told_stands_until_the_site_is_told_of_the_restore)
{
    CLEANUP(freep) char *sql = NULL;

    let_three_tell_it();
    cr_assert(looks_restored());
    village_restart(&village);
    cr_expect(looks_restored());
    village_pass(&village, 25 * INT64_C(3600));
    cr_expect(looks_restored(), "a day later nobody says so any more, and it is as true");
    sql = text_format("UPDATE site SET incarnation = incarnation + 1, restored_s = %lld",
                      (long long)village.env.now_s);
    village_change(&village, sql);
    village_restart(&village);
    cr_expect(not(looks_restored()));
}

Test(rollbacks, what_could_not_be_kept_at_first_is_kept_later)
{
    let_three_tell_it();
    village.store.steps_to_failure = 1;
    cr_expect(looks_restored());
    cr_assert(zero(int, village.store.steps_to_failure));
    village_pass(&village, 2);
    village_restart(&village);
    cr_expect(looks_restored());
}

Test(rollbacks, tasks_that_the_copy_does_not_know_tell_it)
{
    int64_t tasks[HOSTS];

    for (size_t i = 0; i < HOSTS; i++)
        tasks[i] = village_get(&village, hosts[i]);
    for (size_t i = 0; i < HOSTS; i++)
        visit(hosts[i], tasks[i], NULL);
    cr_expect(not(looks_restored()));
    village_change(&village, "DELETE FROM task");
    village_change(&village, "UPDATE unit SET copies_wanted = 2, version = version + 1");
    village_restart(&village);
    for (size_t i = 0; i < 3; i++)
        visit(hosts[i], tasks[i], NULL);
    cr_expect(looks_restored());
}

static struct digest newest_freshness(void)
{
    CLEANUP(envelope_clear) struct envelope envelope = sample_seal_freshness(&village.sample);

    return envelope.digest;
}

/* An older one comes from elsewhere: a cache, or a server that follows. */
Test(rollbacks, what_is_refused_as_old_tells_it_only_if_it_is_the_newest_here)
{
    struct refused_thing thing = {.what = REFUSED_FRESHNESS, .refusal = REFUSAL_FRESHNESS_ROLLBACK};

    thing.digest = newest_freshness();
    village_publish_freshness(&village);
    for (size_t i = 0; i < HOSTS; i++)
        visit(hosts[i], 0, &thing);
    cr_expect(not(looks_restored()));
    thing.digest = newest_freshness();
    for (size_t i = 0; i < HOSTS; i++)
        visit(hosts[i], 0, &thing);
    cr_expect(looks_restored());
}

/* Answers that are lost bring the same number again; clones bring lower ones. */
Test(rollbacks, lost_answers_and_clones_are_no_sign)
{
    for (size_t i = 0; i < HOSTS; i++) {
        struct village_visit again;

        visit_often(hosts[i]);
        village_visit_begin(&village, &again, hosts[i]);
        for (int j = 0; j < 20; j++)
            cr_assert(eq(int, village_visit_make(&village, &again, hosts[i]), STATUS_OK));
        village_visit_clear(&again);
        visit(hosts[i], 0, NULL);
        village.hosts[hosts[i]].visit = 3;
        village_visit_begin(&village, &again, hosts[i]);
        cr_assert(eq(int, village_visit_make(&village, &again, hosts[i]), STATUS_CONFLICT));
        village_visit_clear(&again);
    }
    cr_expect(not(looks_restored()));
}

Test(rollbacks, a_restore_that_was_told_is_none)
{
    CLEANUP(freep) char *sql = NULL;

    for (size_t i = 0; i < HOSTS; i++)
        visit_often(hosts[i]);
    sql = text_format("UPDATE site SET incarnation = 2, restored_s = %lld",
                      (long long)village.env.now_s);
    village_change(&village, sql);
    come_back();
    for (size_t i = 0; i < HOSTS; i++)
        visit(hosts[i], 0, NULL);
    cr_expect(not(looks_restored()));
}
