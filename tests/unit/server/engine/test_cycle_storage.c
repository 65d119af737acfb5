/* server/engine: a visit is stored whole or not at all, whatever fails and whoever else writes. */
#include <stdio.h>
#include <string.h>

#include "server/policy/fitness.h"
#include "tests/unit/server/engine/cycle_suite.h"

/* Two hosts' reports that end a unit, in one transaction. */
struct pair {
    struct village_visit visits[2];
    struct command commands[2];
};

static void begin_pair(struct pair *pair, int64_t anns, int64_t bobs)
{
    const size_t hosts[2] = {ann, bob};
    const int64_t tasks[2] = {anns, bobs};
    static char statements[2][40];

    for (int i = 0; i < 2; i++) {
        village_visit_begin(&village, &pair->visits[i], hosts[i]);
        village_visit_done(&village, &pair->visits[i], tasks[i], "42\n", true);
        (void)snprintf(statements[i], sizeof statements[i], "{\"of\":%d}", i);
        pair->commands[i] =
            (struct command){.kind = COMMAND_VISIT,
                             .visit = {.host = village.hosts[hosts[i]].id,
                                       .prefix = "192.0.2.0/24",
                                       .request = &pair->visits[i].request,
                                       .statement = statements[i],
                                       .statement_length = strlen(statements[i]),
                                       .request_digest = digest_of(statements[i], 8),
                                       .reply = &pair->visits[i].reply}};
    }
}

static void run_pair(struct pair *pair)
{
    struct command *commands[2] = {&pair->commands[0], &pair->commands[1]};

    engine_run(village.engine, commands, 2);
}

static void end_pair(struct pair *pair)
{
    village_visit_clear(&pair->visits[0]);
    village_visit_clear(&pair->visits[1]);
}

static bool is_untouched(void)
{
    return village_count(&village, "count(*) FROM task WHERE state = 1 AND outputs IS NULL") == 2 &&
           village_count(&village, "count(*) FROM unit WHERE state = 1") == 1 &&
           village_count(&village, "count(*) FROM report") == 0 &&
           village_count(&village, "count(*) FROM visit") == 0 &&
           village_count(&village, "count(*) FROM body") == 0 &&
           village_count(&village, "count(*) FROM journal WHERE kind IN (1, 4, 11, 12)") == 0;
}

/* One command: nothing shares its fate, and nothing of it is tried again. */
Test(cycle, a_failing_step_stores_nothing_and_says_nothing)
{
    struct village_visit visit;
    int64_t anns, bobs;
    int steps = 0, step = 1;

    send_one(&anns, &bobs);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, anns, "42\n", true);
    for (; step < 50 && steps == 0; step++) {
        village.store.steps_to_failure = step;
        if (village_visit_make(&village, &visit, ann) == STATUS_OK) {
            steps = step;
            break;
        }
        cr_expect(eq(int, visit.status, STATUS_STORAGE), "step %d", step);
        cr_expect(eq(sz, visit.reply.ack_count, 0), "step %d", step);
        cr_expect(is_untouched(), "step %d", step);
    }
    cr_expect(steps >= 5, "begin, load, load of others, save, time, commit: only %d", steps);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM report"), 1));
    village_visit_clear(&visit);
}

Test(cycle, what_fails_together_is_tried_alone)
{
    struct pair pair;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    begin_pair(&pair, anns, bobs);
    village.store.steps_to_failure = 1;
    run_pair(&pair);
    cr_expect(eq(int, pair.commands[0].status, STATUS_OK));
    cr_expect(eq(int, pair.commands[1].status, STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    end_pair(&pair);
}

Test(cycle, one_that_cannot_be_saved_fails_alone)
{
    struct pair pair;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    begin_pair(&pair, anns, bobs);
    database_break(village.db, "UPDATE ON host",
                   "new.visit = 2 AND new.id = (SELECT min(id) FROM host)");
    run_pair(&pair);
    cr_expect(eq(int, pair.commands[0].status, STATUS_STORAGE));
    cr_expect(eq(sz, pair.visits[0].reply.ack_count, 0));
    cr_expect(eq(int, pair.commands[1].status, STATUS_OK));
    cr_expect(eq(sz, pair.visits[1].reply.ack_count, 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM report"), 1));
    end_pair(&pair);
}

Test(cycle, a_failing_write_takes_all_others_back)
{
    static const char *const writes[] = {
        "UPDATE ON unit",   "UPDATE ON task",      "UPDATE ON host",   "INSERT ON journal",
        "INSERT ON report", "INSERT ON visit",     "INSERT ON body",   "INSERT ON acceptance",
        "UPDATE ON batch",  "INSERT ON allowance", "UPDATE ON server", "INSERT ON acceptance_task"};
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_report(&village, ann, anns, "42\n");
    village_visit_begin(&village, &visit, bob);
    village_visit_done(&village, &visit, bobs, "42\n", true);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        if (strstr(writes[i], "body") != NULL || strstr(writes[i], "allowance") != NULL)
            continue; /* another's row is there already, and stays */
        database_break(village.db, writes[i], NULL);
        cr_expect(eq(int, village_visit_make(&village, &visit, bob), STATUS_STORAGE), "%s",
                  writes[i]);
        cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 1"), 1));
        cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance"), 0));
        cr_expect(eq(i64, village_count(&village, "sum(credit) FROM host"), 0));
        database_mend(village.db);
    }
    cr_expect(eq(int, village_visit_make(&village, &visit, bob), STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "sum(credit) FROM host"), 2000000));
    village_visit_clear(&visit);
}

Test(cycle, a_second_writer_makes_it_run_again)
{
    struct village_visit visit;
    int64_t anns, bobs, conflicts = engine_counts(village.engine).cycle_conflicts;

    send_one(&anns, &bobs);
    village_report(&village, ann, anns, "42\n");
    village_visit_begin(&village, &visit, bob);
    village_visit_done(&village, &visit, bobs, "42\n", true);
    village.store.stale_loads = 1;
    cr_expect(eq(int, village_visit_make(&village, &visit, bob), STATUS_OK));
    cr_expect(eq(i64, engine_counts(village.engine).cycle_conflicts, conflicts + 1));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 2));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance"), 1));
    village_visit_clear(&visit);
}

Test(cycle, endless_conflicts_end)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, anns, "42\n", true);
    village.store.stale_loads = 1000;
    cr_expect(eq(int, village_visit_make(&village, &visit, ann), STATUS_BUSY));
    cr_expect(visit.err.retry_after_s > 0);
    cr_expect(eq(sz, visit.reply.ack_count, 0));
    cr_expect(is_untouched());
    village_visit_clear(&visit);
}

Test(cycle, a_restart_forgets_nothing_that_matters)
{
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_add_units(&village, 3, NULL);
    village_restart(&village);
    cr_expect(eq(i64, engine_counts(village.engine).ready_now, 3));
    cr_expect(eq(i64, engine_counts(village.engine).deadlines_now, 2));
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), 1));
    cr_expect(village_get(&village, ann) != 0);
}

/* Regression: /healthz said "ok" while no visit could be stored. */
Test(cycle, what_cannot_be_committed_makes_it_unfit_until_a_commit)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    cr_expect(engine_fitness(village.engine).lack == NULL);
    village_visit_begin(&village, &visit, ann);
    village.store.steps_to_failure = 1;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_STORAGE));
    cr_expect(engine_fitness(village.engine).lack != NULL);
    village_pass(&village, 1);
    cr_expect(engine_fitness(village.engine).lack == NULL, "it proved itself on its tick");
    village_visit_clear(&visit);
}

Test(cycle, an_idle_engine_stays_fit_by_few_commits)
{
    int64_t before;

    village_pass(&village, 1);
    before = engine_counts(village.engine).cycles;
    for (int i = 0; i < 600; i++) {
        village_pass(&village, 1);
        cr_assert(engine_fitness(village.engine).lack == NULL, "after %d s", i);
    }
    cr_expect(lt(i64, 0, engine_counts(village.engine).cycles - before));
    cr_expect(le(i64, engine_counts(village.engine).cycles - before,
                 600 / (FITNESS_PROBE_EVERY_MS / 1000)));
}
