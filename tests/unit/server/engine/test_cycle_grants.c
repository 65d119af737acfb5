/* server/engine: what a visit is granted, and what it is told when that is nothing. */
#include <string.h>

#include "tests/unit/server/engine/cycle_suite.h"

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

/* Else one that claims a thousand holds a batch until its deadline. */
Test(cycle, of_a_host_that_never_agreed_four_cores_are_believed)
{
    struct village_visit visit;

    village_add_units(&village, 20, NULL);
    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 64);
    visit.request.host.cores = 1024;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(sz, visit.reply.grant_count, 4));
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

static size_t granted_in(int64_t disk_bytes)
{
    struct village_visit visit;
    size_t count;

    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    visit.request.host.disk_bytes = disk_bytes;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    count = visit.reply.grant_count;
    cr_expect(count > 0 || strstr(visit.reply.why, "disk") != NULL, "%s", visit.reply.why);
    village_visit_clear(&visit);
    return count;
}

Test(cycle, a_host_has_room_for_the_slot_and_the_copies_of_its_outputs)
{
    static const int64_t slot = INT64_C(1) << 30, outputs = INT64_C(1) << 24; /* of the sample */

    village_add_units(&village, 1, NULL);
    cr_expect(eq(sz, granted_in(slot), 0));
    cr_expect(eq(sz, granted_in(slot + outputs - 1), 0));
    village_restart(&village); /* the queue is filled from the store */
    cr_expect(eq(sz, granted_in(slot + outputs - 1), 0));
    cr_expect(eq(sz, granted_in(slot + outputs), 1));
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

/* --- lists that are full --- */

/* How much a host of many cores is granted that says it holds so many tasks besides. */
static size_t granted_beside(size_t host, size_t held)
{
    struct village_visit visit;
    size_t granted;

    village_visit_begin(&village, &visit, host);
    visit.request.host.cores = 4;
    for (size_t i = 1; i <= held; i++)
        village_visit_hold(&visit, 1000000 + (int64_t)i);
    village_visit_want(&visit, 2);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    granted = visit.reply.grant_count;
    village_visit_clear(&visit);
    return granted;
}

Test(cycle, what_a_full_list_has_no_room_for_is_not_lost)
{
    village_add_units(&village, 5, NULL);
    (void)village_get(&village, ann);
    cr_expect(eq(sz, granted_beside(ann, SCHEDULER_HELD_MAX), 0));
    cr_expect(eq(sz, granted_beside(ann, SCHEDULER_HELD_MAX - 1), 1), "there was room for it");
}

Test(cycle, no_more_is_granted_than_the_host_can_name_at_its_next_visit)
{
    village_add_units(&village, 5, NULL);
    cr_expect(eq(sz, granted_beside(ann, 0), 2), "as much as it is given at all");
    cr_expect(eq(sz, granted_beside(bob, SCHEDULER_HELD_MAX - 1), 1));
    cr_expect(eq(sz, granted_beside(eve, SCHEDULER_HELD_MAX), 0));
}
