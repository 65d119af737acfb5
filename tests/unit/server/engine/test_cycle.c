/* server/engine: whole visits on the real store. All or nothing, and nothing said before it is. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob, eve;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(cycle, .init = set_up, .fini = tear_down);

Test(cycle, equal_reports_of_two_volunteers_are_accepted)
{
    int64_t anns, bobs;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_assert(anns != 0 && bobs != 0 && anns != bobs);
    cr_expect(eq(i64, village_get(&village, eve), 0), "two copies are enough");

    village_report(&village, ann, anns, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    village_report(&village, bob, bobs, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance_task"), 2));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 3"), 2));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 2));
    cr_expect(eq(i64, village_count(&village, "sum(credit) FROM host"), 2000000));
}

/* Granted to both, nothing reported yet. */
static void send_one(int64_t *ret_anns, int64_t *ret_bobs)
{
    village_add_units(&village, 1, NULL);
    *ret_anns = village_get(&village, ann);
    *ret_bobs = village_get(&village, bob);
    cr_assert(0 != *ret_anns && 0 != *ret_bobs);
}

Test(cycle, a_repeated_visit_is_answered_like_the_first)
{
    struct village_visit visit;
    int64_t task;

    village_add_units(&village, 20, NULL);
    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 3);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_assert(eq(sz, visit.reply.grant_count, 3));
    cr_expect(eq(sz, visit.reply.envelopes.count, 2), "the app version and its variant");
    task = visit.reply.grants[0].task;

    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
        cr_assert(eq(sz, visit.reply.grant_count, 3));
        cr_expect(eq(i64, visit.reply.grants[0].task, task));
        cr_expect(eq(int, visit.reply.why[0], 0));
    }
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task"), 3));
    village_visit_clear(&visit);
}

Test(cycle, a_repeated_report_changes_nothing_and_is_acknowledged_again)
{
    struct village_visit visit;
    int64_t anns, bobs, journal;

    send_one(&anns, &bobs);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, anns, "42\n", true);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(int, visit.reply.acks[0].state, ACK_STORED));
    journal = village_count(&village, "count(*) FROM journal");

    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(int, visit.reply.acks[0].state, ACK_STORED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal"), journal));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM report"), 1));
    village_visit_clear(&visit);
}

Test(cycle, the_first_report_of_a_task_stands)
{
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_report(&village, ann, anns, "42\n");
    village_report(&village, ann, anns, "43\n");
    village_report(&village, bob, bobs, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(cycle, nobody_reports_for_another)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_visit_begin(&village, &visit, eve);
    village_visit_done(&village, &visit, anns, "666\n", true);
    village_visit_done(&village, &visit, bobs, "666\n", true);
    cr_assert(eq(int, village_visit_make(&village, &visit, eve), STATUS_OK));
    cr_expect(eq(int, visit.reply.acks[0].state, ACK_DROPPED));
    cr_expect(eq(int, visit.reply.acks[1].state, ACK_DROPPED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 1"), 2));
    village_visit_clear(&visit);
}

Test(cycle, a_report_that_names_another_unit_is_dropped)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, anns, "42\n", true);
    visit.finished[0].unit.bytes[0] ^= 1;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(int, visit.reply.acks[0].state, ACK_DROPPED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 1"), 2));
    village_visit_clear(&visit);
}

Test(cycle, two_hosts_of_one_volunteer_never_share_a_unit)
{
    size_t anns_other = village_join_as(&village, ann);

    village_add_units(&village, 1, NULL);
    cr_assert(village_get(&village, ann) != 0);
    cr_expect(eq(i64, village_get(&village, anns_other), 0));
    cr_expect(village_get(&village, bob) != 0);
}

static void make_hosts_enough(struct work_unit *unit)
{
    unit->independence = INDEPENDENCE_HOST;
}

Test(cycle, two_hosts_of_one_volunteer_agree_where_hosts_are_enough)
{
    size_t anns_other = village_join_as(&village, ann);
    int64_t first, second;

    village_add_units(&village, 1, make_hosts_enough);
    first = village_get(&village, ann);
    cr_assert(first != 0);
    second = village_get(&village, anns_other);
    cr_assert(second != 0);
    village_report(&village, ann, first, "42\n");
    village_report(&village, anns_other, second, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(cycle, accounts_merged_after_dispatch_do_not_agree)
{
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_change(&village, "UPDATE host SET volunteer = (SELECT min(volunteer) FROM host)");
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 1));
}

Test(cycle, when_copies_disagree_a_third_decides)
{
    int64_t anns, bobs, eves;

    send_one(&anns, &bobs);
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "41\n");
    eves = village_get(&village, eve);
    cr_assert(eves != 0);
    village_report(&village, eve, eves, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 4"), 1),
              "outvoted");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 2),
              "credit");
}

Test(cycle, verdicts_are_told_until_the_host_came_again)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
    village_visit_begin(&village, &visit, ann);
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
        cr_assert(eq(sz, visit.reply.verdict_count, 1));
        cr_expect(eq(int, visit.reply.verdicts[0].verdict, VERDICT_ACCEPTED));
        cr_expect(eq(i64, visit.reply.verdicts[0].credit, 1000000));
    }
    village_visit_clear(&visit);
    village_visit_begin(&village, &visit, ann);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(sz, visit.reply.verdict_count, 0));
    cr_expect(eq(i64, village_count(&village, "told FROM task ORDER BY id LIMIT 1"), 1));
    village_visit_clear(&visit);
}

Test(cycle, a_task_lost_with_its_reply_is_granted_again)
{
    struct village_visit visit;
    int64_t task;

    village_add_units(&village, 5, NULL);
    task = village_get(&village, ann);
    village_visit_begin(&village, &visit, ann); /* holds nothing: the grant never came */
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_assert(eq(sz, visit.reply.grant_count, 1));
    cr_expect(eq(i64, visit.reply.grants[0].task, task));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task"), 1));
    village_visit_clear(&visit);
}

Test(cycle, a_task_that_is_held_is_not_granted_again)
{
    struct village_visit visit;
    int64_t task;

    village_add_units(&village, 5, NULL);
    task = village_get(&village, ann);
    village_visit_begin(&village, &visit, ann);
    village_visit_hold(&visit, task);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_assert(eq(sz, visit.reply.grant_count, 1));
    cr_expect(visit.reply.grants[0].task != task);
    cr_expect(eq(sz, visit.reply.drop_count, 0));
    village_visit_clear(&visit);
}

Test(cycle, a_lower_visit_number_marks_a_clone)
{
    struct village_visit visit;
    int64_t anns;

    village_add_units(&village, 1, NULL);
    (void)village_get(&village, bob);
    anns = village_get(&village, ann);
    cr_assert(anns != 0);
    village.hosts[ann].visit--; /* the clone's counter stands where the image was taken */
    village_visit_begin(&village, &visit, ann);
    visit.request.visit.finished_count = 0;
    visit.request.visit.number--;
    cr_expect(eq(int, village_visit_make(&village, &visit, ann), STATUS_CONFLICT));
    cr_expect(eq(int, strcmp(visit.err.code, "clone"), 0));
    cr_expect(eq(i64, village_count(&village, "withdrawn FROM host ORDER BY id LIMIT 1"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 8"), 1),
              "withdrawn");
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 1), "and wanted anew");

    visit.request.visit.number += 10; /* whichever instance comes */
    cr_expect(eq(int, village_visit_make(&village, &visit, ann), STATUS_CONFLICT));
    village_visit_clear(&visit);
    cr_expect(village_get(&village, eve) != 0);
}

Test(cycle, the_same_number_with_another_statement_marks_a_clone)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village.hosts[ann].visit--;
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, anns, "42\n", true);
    cr_expect(eq(int, village_visit_make(&village, &visit, ann), STATUS_CONFLICT));
    cr_expect(eq(i64, village_count(&village, "withdrawn FROM host ORDER BY id LIMIT 1"), 1));
    village_visit_clear(&visit);
}

Test(cycle, wrong_outputs_are_an_error_with_words)
{
    static const struct {
        const char *name;
        int64_t size;
        size_t count;
        const char *words;
    } cases[] = {{"out", 1001, 1, "output out is larger than its app allows"},
                 {"other", 3, 1, "output out is missing"},
                 {"out", 3, 2, "output extra is none that its app declares"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct village_visit visit;
        int64_t task;
        char sql[200];

        village_add_units(&village, 1, NULL);
        task = village_get(&village, i == 0 ? ann : i == 1 ? bob : eve);
        cr_assert(task != 0);
        village_visit_begin(&village, &visit, i == 0 ? ann : i == 1 ? bob : eve);
        village_visit_done(&village, &visit, task, "42\n", false);
        (void)snprintf(visit.finished[0].outputs.outputs[0].name.text, 16, "%s", cases[i].name);
        visit.finished[0].outputs.outputs[0].size = cases[i].size;
        visit.finished[0].outputs.outputs[1] =
            (struct named_output){.name = {"extra"}, .digest = digest_of("x", 1), .size = 1};
        visit.finished[0].outputs.count = cases[i].count;
        cr_assert(eq(int,
                     village_visit_make(&village, &visit,
                                        i == 0   ? ann
                                        : i == 1 ? bob
                                                 : eve),
                     STATUS_OK));
        cr_expect(eq(int, visit.reply.acks[0].state, ACK_STORED));
        (void)snprintf(sql, sizeof sql,
                       "count(*) FROM task JOIN report ON task = task.id WHERE task.id = %lld"
                       " AND state = 6 AND cause = 4 AND why = '%s'",
                       (long long)task, cases[i].words);
        cr_expect(eq(i64, village_count(&village, sql), 1), "%s", cases[i].words);
        village_visit_clear(&visit);
    }
}

static void allow_three_bytes(struct work_unit *unit)
{
    unit->limits.output_bytes = 3;
}

Test(cycle, outputs_beyond_what_their_unit_signed_for_all_together_are_an_error)
{
    struct village_visit visit;
    int64_t task;

    village_add_units(&village, 1, allow_three_bytes);
    task = village_get(&village, ann);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, task, "420\n", true);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(int, visit.reply.acks[0].state, ACK_STORED));
    cr_expect(eq(i64,
                 village_count(&village,
                               "count(*) FROM task JOIN report ON task = task.id WHERE state = 6"
                               " AND cause = 4 AND why = 'the outputs have 4 bytes together, the"
                               " unit allows 3'"),
                 1));
    village_visit_clear(&visit);
    village_report(&village, bob, village_get(&village, bob), "42\n");
    village_report(&village, eve, village_get(&village, eve), "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), 1));
}

/* No unit has an estimate in seconds: docs/PROTOCOL.md says that tasks alone count. */
Test(cycle, the_seconds_a_visit_wants_change_nothing)
{
    static const int64_t seconds[] = {0, 1, 1000000};

    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        size_t host = village_join(&village);
        struct village_visit visit;

        village_add_units(&village, 3, NULL);
        village_visit_begin(&village, &visit, host);
        village_visit_want(&visit, 2);
        visit.request.want_seconds = seconds[i];
        cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
        cr_expect(eq(sz, visit.reply.grant_count, 2));
        village_visit_clear(&visit);
    }
}

Test(cycle, a_body_that_is_not_what_was_reported_is_an_error)
{
    struct village_visit visit;
    int64_t anns, bobs;

    send_one(&anns, &bobs);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, anns, "42\n", true);
    visit.reports[0].bodies[0].body.bytes[0] = '5';
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM task WHERE state = 6 AND cause = 4"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM body"), 0));
    village_visit_clear(&visit);
}

Test(cycle, a_late_right_report_earns_credit_and_a_late_wrong_one_none)
{
    int64_t anns, bobs, eves, dans;
    size_t dan = village_join(&village);

    send_one(&anns, &bobs);
    village_pass(&village, 3601); /* both are overdue */
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 7"), 2));
    eves = village_get(&village, eve);
    dans = village_get(&village, dan);
    cr_assert(eves != 0 && dans != 0);
    village_report(&village, eve, eves, "42\n");
    village_report(&village, dan, dans, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));

    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "41\n");
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM task WHERE state = 5 AND credit > 0"), 1));
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM task WHERE state = 4 AND credit = 0"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 3));
}

Test(cycle, a_visit_may_not_have_more_than_it_can_run_before_it_agreed_once)
{
    struct village_visit visit;

    village_add_units(&village, 20, NULL);
    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 64);
    visit.request.host.cores = 4;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(sz, visit.reply.grant_count, 4));
    cr_expect(strstr(visit.reply.why, "allowance") != NULL, "%s", visit.reply.why);
    village_visit_clear(&visit);
}

Test(cycle, who_got_work_may_come_for_more_soon_and_who_got_none_waits)
{
    struct village_visit visit;
    int64_t task;

    village_add_units(&village, 1, NULL);
    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(sz, visit.reply.grant_count, 1));
    cr_expect(ge(i64, visit.reply.return_s, 5));
    cr_expect(le(i64, visit.reply.return_s, 10));
    task = visit.reply.grants[0].task;
    village_visit_clear(&visit);

    village_visit_begin(&village, &visit, ann);
    village_visit_hold(&visit, task);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(i64, visit.reply.return_s, 60));
    village_visit_clear(&visit);
}

Test(cycle, no_work_always_says_why)
{
    static const struct {
        int64_t memory, disk;
        const char *platform, *layer, *words;
    } cases[] = {{1, INT64_C(1) << 40, "x86_64-linux-gnu", "seccomp", "memory"},
                 {INT64_C(1) << 40, 1, "x86_64-linux-gnu", "seccomp", "disk"},
                 {INT64_C(1) << 40, INT64_C(1) << 40, "riscv64-linux-gnu", "seccomp", "platform"},
                 {INT64_C(1) << 40, INT64_C(1) << 40, "x86_64-linux-gnu", "landlock", "layer"}};
    struct village_visit visit;

    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(strstr(visit.reply.why, "nothing waits") != NULL, "%s", visit.reply.why);
    village_visit_clear(&visit);

    village_add_units(&village, 1, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        village_visit_begin(&village, &visit, ann);
        village_visit_want(&visit, 1);
        visit.request.host.memory_bytes = cases[i].memory;
        visit.request.host.disk_bytes = cases[i].disk;
        texts_clear(&visit.request.host.platforms);
        texts_clear(&visit.request.host.layers);
        texts_add(&visit.request.host.platforms, cases[i].platform);
        texts_add(&visit.request.host.layers, cases[i].layer);
        cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
        cr_expect(eq(sz, visit.reply.grant_count, 0));
        cr_expect(strstr(visit.reply.why, cases[i].words) != NULL, "%s", visit.reply.why);
        village_visit_clear(&visit);
    }
}

/* --------------------------------------------------------------- all or nothing, second writers */

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

Test(cycle, visits_of_one_cycle_share_the_units_without_giving_one_twice)
{
    enum { HOSTS = 40 };
    static struct village_visit visits[HOSTS];
    static struct command commands[HOSTS];
    struct command *list[HOSTS];
    static size_t hosts[HOSTS];

    village_add_units(&village, HOSTS / 2, NULL);
    for (size_t i = 0; i < HOSTS; i++)
        hosts[i] = village_join(&village);
    for (size_t i = 0; i < HOSTS; i++) {
        village_visit_begin(&village, &visits[i], hosts[i]);
        village_visit_want(&visits[i], 1);
        commands[i] = (struct command){.kind = COMMAND_VISIT,
                                       .visit = {.host = village.hosts[hosts[i]].id,
                                                 .prefix = "192.0.2.0/24",
                                                 .request = &visits[i].request,
                                                 .statement = "{}",
                                                 .statement_length = 2,
                                                 .request_digest = digest_of(&i, sizeof i),
                                                 .reply = &visits[i].reply}};
        list[i] = &commands[i];
    }
    engine_run(village.engine, list, HOSTS);
    for (size_t i = 0; i < HOSTS; i++) {
        cr_expect(eq(int, commands[i].status, STATUS_OK));
        cr_expect(eq(sz, visits[i].reply.grant_count, 1), "host %zu: %s", i, visits[i].reply.why);
        village_visit_clear(&visits[i]);
    }
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task"), HOSTS));
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM unit WHERE copies_wanted = 0"), HOSTS / 2));
}
