/* server/engine: whole visits on the real store: what is reported, what agrees, who is a clone. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/server/engine/cycle_suite.h"

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
