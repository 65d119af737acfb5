/* server/engine: an operator says that a host is gone for good. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

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

TestSuite(withdrawals, .init = set_up, .fini = tear_down, .timeout = 60);

static struct withdraw_command withdraw(int64_t host, enum status expected)
{
    struct command command = {.kind = COMMAND_WITHDRAW_HOST, .withdraw = {.host = host}};

    cr_assert(eq(int, village_run(&village, &command), expected), "%s", command.err.text);
    return command.withdraw;
}

static int64_t anns, bobs;

static void send_one(void (*edit)(struct work_unit *unit))
{
    village_add_units(&village, 1, edit);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_assert(anns != 0 && bobs != 0);
    cr_assert(eq(i64, village_get(&village, eve), 0));
}

Test(withdrawals, others_get_at_once_what_a_host_has_that_is_gone)
{
    struct withdraw_command done;
    int64_t eves;

    send_one(NULL);
    done = withdraw(village.hosts[ann].id, STATUS_OK);
    cr_expect(eq(i64, done.withdrawn, 1));
    cr_expect(eq(i64, done.left, 0));
    cr_expect(eq(
        i64, village_count(&village, "count(*) FROM journal WHERE kind = 22 AND detail = 1"), 1));
    eves = village_get(&village, eve);
    cr_assert(ne(i64, eves, 0), "no deadline passed");
    village_report(&village, bob, bobs, "42\n");
    village_report(&village, eve, eves, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(withdrawals, nobody_is_charged)
{
    int64_t used;

    send_one(NULL);
    used = village_count(&village, "sum(used) FROM allowance");
    (void)withdraw(village.hosts[ann].id, STATUS_OK);
    cr_expect(eq(i64, village_count(&village, "sum(used) FROM allowance"), used - 1));
    cr_expect(eq(i64, village_count(&village, "sum(errors) FROM host"), 0));
    cr_expect(eq(i64, village_count(&village, "sum(failed_tasks) FROM batch"), 0));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM host WHERE withdrawn"), 0));
}

Test(withdrawals, a_second_time_nothing_happens_and_an_unknown_host_is_named)
{
    struct withdraw_command done;

    send_one(NULL);
    (void)withdraw(village.hosts[ann].id, STATUS_OK);
    done = withdraw(village.hosts[ann].id, STATUS_OK);
    cr_expect(eq(i64, done.withdrawn + done.left, 0));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 22"), 1));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 1));
    (void)withdraw(99, STATUS_NOT_FOUND);
}

Test(withdrawals, a_late_report_counts_while_it_is_needed)
{
    send_one(NULL);
    (void)withdraw(village.hosts[ann].id, STATUS_OK);
    village_report(&village, bob, bobs, "42\n");
    village_report(&village, ann, anns, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_get(&village, eve), 0));
}

Test(withdrawals, a_host_that_comes_again_gets_work_as_before)
{
    send_one(NULL);
    (void)withdraw(village.hosts[ann].id, STATUS_OK);
    village_add_units(&village, 1, NULL);
    cr_expect(ne(i64, village_get(&village, ann), 0));
}

static void two_in_all(struct work_unit *unit)
{
    unit->acceptance.max_tasks = 2;
}

/* It failed, for its signed max_tasks seemed used up. */
Test(withdrawals, no_unit_fails_by_it)
{
    int64_t eves;

    send_one(two_in_all);
    (void)withdraw(village.hosts[ann].id, STATUS_OK);
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    eves = village_get(&village, eve);
    cr_assert(ne(i64, eves, 0));
    village_report(&village, ann, anns, "42\n"); /* one more than max_tasks: and it was there */
    village_report(&village, eve, eves, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(withdrawals, the_places_of_a_unit_bound_what_is_withdrawn)
{
    struct withdraw_command done;
    int gone = 0;

    village_add_units(&village, 1, NULL);
    bobs = village_get(&village, bob);
    for (; gone < 2 * UNIT_TASKS_MAX; gone++) {
        size_t host = village_join(&village);

        cr_assert(ne(i64, village_get(&village, host), 0), "after %d", gone);
        done = withdraw(village.hosts[host].id, STATUS_OK);
        if (done.left > 0)
            break;
    }
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task"), UNIT_TASKS_MAX));
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
}
