/*
 * server/engine: a repeated visit gets the bytes of its first answer (I5), whatever happened since:
 * at once, after other visits and hours, after a restart, and at another server of the database.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/site.h"
#include "tests/support/village.h"

enum { HOSTS = 6, UNITS = 40, STEPS = 400, HELD_MAX = 12, LIAR = 0, UNKNOWN = 99999 };

static struct village village;
static struct store *other_store;
static struct engine *other; /* server of the same database */

/* A host with its last visit, as it went out and as it was answered. */
static struct caller {
    size_t place;
    int64_t held[HELD_MAX];
    size_t count;
    bool has_visited;
    struct village_visit last;
    char *answer; /* owned */
} callers[HOSTS];

static struct {
    size_t acks, grants, uploads, drops, verdicts, whys;
} seen;

static void set_up(void)
{
    village_open(&village, NULL);
    memset(callers, 0, sizeof callers);
    for (size_t i = 0; i < HOSTS; i++)
        callers[i].place = village_join(&village);
    village_add_units(&village, UNITS, NULL);
}

static void forget_last(struct caller *caller)
{
    if (caller->has_visited)
        village_visit_clear(&caller->last);
    free(caller->answer);
    caller->answer = NULL;
    caller->has_visited = false;
}

static void tear_down(void)
{
    for (size_t i = 0; i < HOSTS; i++)
        forget_last(&callers[i]);
    village_close(&village);
}

TestSuite(repeats, .init = set_up, .fini = tear_down);

static void expect_same(struct caller *caller, const char *when)
{
    CLEANUP(freep) char *again = NULL;

    cr_assert(eq(int, village_visit_make(&village, &caller->last, caller->place), STATUS_OK),
              "%s: %s", when, caller->last.err.text);
    again = scheduler_reply_encode(&caller->last.reply);
    cr_assert(eq(str, again, caller->answer), "%s", when);
}

static void expect_all_same(const char *when)
{
    for (size_t i = 0; i < HOSTS; i++)
        if (callers[i].has_visited)
            expect_same(&callers[i], when);
}

/* A third of what it holds is done, one in ten of that in vain; the rest it holds on to. */
static void report_some(struct caller *caller)
{
    size_t kept = 0;

    for (size_t i = 0; i < caller->count; i++) {
        int64_t task = caller->held[i];

        if (fake_env_below(&village.env, 3) != 0) {
            village_visit_hold(&caller->last, task);
            caller->held[kept++] = task;
        } else if (fake_env_below(&village.env, 10) == 0) {
            village_visit_failed(&village, &caller->last, task, VISIT_ERROR)->exit_status = 1;
        } else {
            village_visit_done(&village, &caller->last, task,
                               caller->place == LIAR ? "666\n" : "42\n",
                               fake_env_below(&village.env, 2) == 0);
            if (kept + 1 < i) /* it keeps the bodies: they may be asked for */
                caller->held[kept++] = task;
        }
    }
    caller->count = kept;
}

static void count_seen(const struct scheduler_reply *reply)
{
    seen.acks += reply->ack_count;
    seen.grants += reply->grant_count;
    seen.uploads += reply->upload_count;
    seen.drops += reply->drop_count;
    seen.verdicts += reply->verdict_count;
    seen.whys += reply->why[0] != '\0';
}

static void go(struct caller *caller)
{
    const struct scheduler_reply *reply = &caller->last.reply;

    forget_last(caller);
    village_visit_begin(&village, &caller->last, caller->place);
    caller->has_visited = true;
    report_some(caller);
    if (fake_env_below(&village.env, 20) == 0)
        village_visit_hold(&caller->last, UNKNOWN);
    village_visit_want(&caller->last, caller->count + 4 < HELD_MAX ? 3 : 0);
    cr_assert(eq(int, village_visit_make(&village, &caller->last, caller->place), STATUS_OK), "%s",
              caller->last.err.text);
    caller->answer = scheduler_reply_encode(reply);
    count_seen(reply);
    expect_same(caller, "at once");
    for (size_t i = 0; i < reply->grant_count && caller->count < HELD_MAX; i++)
        caller->held[caller->count++] = reply->grants[i].task;
}

Test(repeats, whatever_happened_since_the_answer_is_the_first_ones_bytes)
{
    for (int i = 1; i <= STEPS; i++) {
        go(&callers[fake_env_below(&village.env, HOSTS)]);
        if (i % 20 == 0) {
            village_pass(&village, 3600);
            expect_all_same("after other visits and an hour");
        }
        if (i % 50 == 0) {
            village_restart(&village);
            expect_all_same("after a restart");
        }
        if (i == STEPS / 2) {
            cr_assert(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
            expect_all_same("after a cancellation");
            village_open_batch(&village, "next", 0);
            village_add_units(&village, UNITS, NULL);
        }
    }
    cr_expect(seen.acks > 0 && seen.grants > 0 && seen.uploads > 0 && seen.drops > 0 &&
                  seen.verdicts > 0 && seen.whys > 0,
              "%zu acks, %zu grants, %zu uploads, %zu drops, %zu verdicts, %zu reasons", seen.acks,
              seen.grants, seen.uploads, seen.drops, seen.verdicts, seen.whys);
}

Test(repeats, another_server_of_the_database_answers_in_the_same_bytes)
{
    struct engine *first = village.engine;

    for (int i = 0; i < 30; i++)
        go(&callers[fake_env_below(&village.env, HOSTS)]);
    SITE_MUST(store_open(village.path, &other_store, err));
    if (database_is_postgres())
        SITE_MUST(other_store->join(other_store, 2, true, err));
    SITE_MUST(engine_open(other_store, &village.env.base, &village.config, &other, err));
    village.engine = other;
    expect_all_same("at the other");
    village.engine = first;
    engine_close(other);
    store_close(other_store);
}

Test(repeats, a_lost_answer_without_work_keeps_its_reason_and_its_time_to_return)
{
    struct caller *caller = &callers[1];

    cr_assert(eq(int, village_act(&village, ACTION_HOLD), STATUS_OK));
    go(caller);
    cr_expect(caller->last.reply.why[0] != '\0');
    cr_assert(eq(int, village_act(&village, ACTION_RELEASE), STATUS_OK));
    village_restart(&village);
    expect_same(caller, "work came meanwhile");
    go(caller);
    cr_expect(eq(sz, caller->last.reply.grant_count, 3), "the next visit has it");
}

Test(repeats, first_and_second_coming_may_share_a_cycle)
{
    struct scheduler_reply replies[2] = {{0}, {0}};
    struct command commands[2], *both[2] = {&commands[0], &commands[1]};
    struct village_visit visit;
    char *answers[2];

    village_visit_begin(&village, &visit, callers[0].place);
    village_visit_want(&visit, 2);
    for (size_t i = 0; i < 2; i++)
        commands[i] = (struct command){.kind = COMMAND_VISIT,
                                       .visit = {.host = village.hosts[callers[0].place].id,
                                                 .prefix = village.hosts[callers[0].place].prefix,
                                                 .request = &visit.request,
                                                 .statement = "{}",
                                                 .statement_length = 2,
                                                 .request_digest = digest_of("{}", 2),
                                                 .reply = &replies[i]}};
    engine_run(village.engine, both, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(eq(int, commands[i].status, STATUS_OK), "%s", commands[i].err.text);
        cr_expect(eq(sz, replies[i].grant_count, 2));
        answers[i] = scheduler_reply_encode(&replies[i]);
    }
    cr_expect(eq(str, answers[0], answers[1]));
    for (size_t i = 0; i < 2; i++) {
        free(answers[i]);
        scheduler_reply_clear(&replies[i]);
    }
    village_visit_clear(&visit);
}

Test(repeats, an_answer_that_is_damaged_is_an_error_and_the_next_visit_goes_on)
{
    struct caller *caller = &callers[2];

    go(caller);
    village_change(&village, "UPDATE answer SET reply = substr(reply, 2)");
    cr_expect(eq(int, village_visit_make(&village, &caller->last, caller->place), STATUS_STORAGE));
    cr_expect(caller->last.err.text[0] != '\0');
    go(caller);
}
