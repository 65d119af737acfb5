/* client/agent: decisions, as tables. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "client/agent/choose.h"
#include "client/agent/delay.h"
#include "client/agent/phase.h"
#include "client/agent/room.h"

/* --- phases --- */

Test(phase, each_has_a_name_of_its_own)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        cr_expect(eq(int, phase_from_name(phase_name((enum phase)phase)), phase));
    cr_expect(eq(int, phase_from_name("gone"), PHASE_COUNT));
}

Test(phase, nothing_that_was_reported_becomes_unfinished_again)
{
    for (int from = PHASE_FINISHED; from < PHASE_COUNT; from++)
        for (int to = 0; to <= PHASE_COLLECTING; to++)
            cr_expect(not(phase_may_follow((enum phase)from, (enum phase)to)), "%d to %d", from,
                      to);
}

Test(phase, every_unfinished_task_can_end)
{
    for (int from = 0; from < PHASE_FINISHED; from++) {
        cr_expect(phase_may_follow((enum phase)from, PHASE_FINISHED));
        cr_expect(eq(int, phase_after_restart((enum phase)from), PHASE_OFFERED));
    }
    for (int from = PHASE_FINISHED; from < PHASE_COUNT; from++)
        cr_expect(eq(int, phase_after_restart((enum phase)from), from));
}

/* --- delays --- */

static const struct delay_rule rule = {.first_ms = 1000, .last_ms = 60000};

Test(delay, spans_double_up_to_the_last_and_jitter_is_full)
{
    static const int64_t spans[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

    for (int64_t i = 0; i < 8; i++) {
        uint64_t most = (uint64_t)spans[i];

        cr_expect(eq(i64, delay_ms(&rule, i + 1, 0, most), spans[i]));
        cr_expect(eq(i64, delay_ms(&rule, i + 1, 0, most + 1), 250), "from nothing on");
    }
    cr_expect(eq(i64, delay_ms(&rule, INT64_MAX, 0, 60000), 60000));
}

Test(delay, what_a_server_tells_is_the_least_and_never_more_than_a_day)
{
    cr_expect(eq(i64, delay_ms(&rule, 1, 100, 0), 100000));
    cr_expect(eq(i64, delay_ms(&rule, 1, 100, 10000), 110000));
    cr_expect(eq(i64, delay_told_ms(INT64_MAX, 0), 86400000));
    cr_expect(eq(i64, delay_told_ms(-5, 7), 0));
    for (uint64_t random = 0; random < 1000; random++)
        cr_expect(le(i64, delay_ms(&rule, 1, INT64_MAX, random * UINT64_C(99999989)),
                     INT64_C(86400000) * 11 / 10));
}

Test(delay, an_interval_is_only_ever_shortened)
{
    for (uint64_t random = 0; random < 1000; random++) {
        int64_t ms = delay_jittered_ms(300000, random * UINT64_C(1000003));

        cr_expect(ms <= 300000 && ms >= 240000);
    }
}

/* --- choosing --- */

static struct run_view ready(int64_t task)
{
    return (struct run_view){
        .task = task, .is_ready = true, .cores = 1, .memory_bytes = 10, .deadline_s = 100};
}

static struct run_view running(int64_t task, int64_t memory_bytes)
{
    return (struct run_view){.task = task,
                             .is_running = true,
                             .cores = 1,
                             .memory_bytes = memory_bytes,
                             .deadline_s = 100};
}
static const struct run_room room = {.cores = 2, .memory_bytes = 100, .disk_bytes = 1000};

Test(choose, the_earliest_deadline_of_a_project_comes_first)
{
    struct run_view tasks[] = {ready(1), ready(2), ready(3)};
    const int64_t used[] = {0};

    tasks[1].deadline_s = 90;
    cr_expect(eq(sz, choose_next(tasks, 3, &room, used, 0), 1));
}

Test(choose, projects_take_turns_by_what_they_used)
{
    struct run_view tasks[] = {ready(1), ready(2)};
    int64_t used[] = {0, 10};

    tasks[0].deadline_s = 50;
    tasks[1].project = 1;
    cr_expect(eq(sz, choose_next(tasks, 2, &room, used, 0), 0));
    used[0] = 20;
    cr_expect(eq(sz, choose_next(tasks, 2, &room, used, 0), 1));
}

Test(choose, cores_and_memory_are_not_exceeded)
{
    struct run_view tasks[] = {running(1, 60), ready(2), ready(3), ready(4)};
    const int64_t used[] = {0};

    tasks[1].memory_bytes = 50;
    tasks[2].cores = 2;
    tasks[3].memory_bytes = 40;
    cr_expect(eq(sz, choose_next(tasks, 4, &room, used, 0), 3));
    cr_expect(eq(sz, choose_next(tasks, 3, &room, used, 0), CHOOSE_NONE));
}

static struct run_view on_disk(int64_t task, int64_t disk_bytes)
{
    struct run_view view = ready(task);

    view.disk_bytes = disk_bytes;
    return view;
}

Test(choose, what_running_tasks_may_write_is_not_given_twice)
{
    struct run_view tasks[] = {on_disk(1, 700), on_disk(2, 400), on_disk(3, 300)};
    const int64_t used[] = {0};

    tasks[0].holds_disk = true;
    tasks[0].is_ready = false;
    cr_expect(eq(sz, choose_next(tasks, 3, &room, used, 0), 2), "700 of 1000 are taken");
    cr_expect(eq(sz, choose_next(tasks, 2, &room, used, 0), CHOOSE_NONE));
}

Test(choose, what_interrupted_tasks_left_is_theirs_and_they_never_wait_for_each_other)
{
    struct run_view tasks[] = {on_disk(1, 300), on_disk(2, 600), on_disk(3, 700)};
    const int64_t used[] = {0};

    tasks[1].has_begun = tasks[2].has_begun = true;
    cr_expect(eq(sz, choose_next(tasks, 3, &room, used, 0), 1), "before those that have not");
    tasks[1].is_ready = tasks[2].is_ready = false;
    cr_expect(eq(sz, choose_next(tasks, 3, &room, used, 0), CHOOSE_NONE));
    cr_expect(eq(sz, choose_next(tasks, 2, &room, used, 0), 0), "300 and 600 fit");
}

Test(choose, a_task_of_more_cores_than_there_are_runs_alone)
{
    struct run_view tasks[] = {ready(1), running(2, 10)};
    const int64_t used[] = {0};

    tasks[0].cores = 16;
    cr_expect(eq(sz, choose_next(tasks, 2, &room, used, 0), CHOOSE_NONE));
    cr_expect(eq(sz, choose_next(tasks, 1, &room, used, 0), 0));
}

Test(choose, a_task_past_its_deadline_is_not_started)
{
    const struct run_view tasks[] = {ready(1)};
    const int64_t used[] = {0};

    cr_expect(eq(sz, choose_next(tasks, 1, &room, used, 99), 0));
    cr_expect(eq(sz, choose_next(tasks, 1, &room, used, 100), CHOOSE_NONE));
}

Test(choose, as_many_tasks_are_asked_for_as_fill_the_buffer)
{
    static const struct {
        struct want_view view;
        int64_t want;
    } cases[] = {
        {{.cores = 2, .project_count = 1, .most_of_server = 64}, 4},
        {{.cores = 2, .project_count = 1, .most_of_server = 64, .unfinished = 4, .of_project = 4},
         0},
        {{.cores = 1,
          .buffer_s = 7200,
          .mean_task_ms = 600000,
          .project_count = 1,
          .most_of_server = 64},
         13},
        {{.cores = 4,
          .buffer_s = 7200,
          .mean_task_ms = 1000,
          .project_count = 1,
          .most_of_server = 64},
         64},
        {{.cores = 2, .project_count = 2, .most_of_server = 64}, 2},
        {{.cores = 2, .project_count = 2, .most_of_server = 64, .unfinished = 3, .of_project = 1},
         1},
        {{.cores = 1, .project_count = 3, .most_of_server = 64, .unfinished = 9, .of_project = 0},
         0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct want_view view = cases[i].view;

        view.disk_bytes = 1000;
        view.most_listed = 256;
        cr_expect(eq(i64, choose_want(&view), cases[i].want), "case %zu", i);
    }
}

Test(choose, no_more_tasks_are_asked_for_than_the_disk_has_room_for)
{
    struct want_view view = {.cores = 20,
                             .project_count = 1,
                             .most_of_server = 64,
                             .most_listed = 256,
                             .disk_bytes = 1000};

    cr_expect(eq(i64, choose_want(&view), 40));
    view.task_bytes = 300;
    cr_expect(eq(i64, choose_want(&view), 3));
    view.task_bytes = 1001;
    cr_expect(eq(i64, choose_want(&view), 0));
    view.task_bytes = view.disk_bytes = 0;
    cr_expect(eq(i64, choose_want(&view), 0));
}

Test(choose, no_more_is_asked_for_than_a_visit_can_name)
{
    struct want_view view = {.cores = 8,
                             .buffer_s = 7200,
                             .mean_task_ms = 1000,
                             .project_count = 1,
                             .most_of_server = 64,
                             .disk_bytes = 1000,
                             .listed = 200,
                             .most_listed = 256};

    cr_expect(eq(i64, choose_want(&view), 56));
    view.listed = 256;
    cr_expect(eq(i64, choose_want(&view), 0));
    view.listed = 300;
    cr_expect(eq(i64, choose_want(&view), 0));
}

static void expect_forgotten(const bool *forget, const char *expected)
{
    for (size_t i = 0; expected[i] != '\0'; i++)
        cr_expect(eq(int, forget[i], expected[i] == '1'), "%s, task %zu", expected, i);
}

Test(choose, kept_tasks_go_after_the_grace_or_the_oldest_first_for_room)
{
    const struct kept_view kept[] = {{.settled_s = 100, .bytes = 50},
                                     {.settled_s = 300, .bytes = 50},
                                     {.settled_s = 200, .bytes = 50}};
    const struct kept_rule grace = {.grace_s = 250, .bytes = 1000};
    const struct kept_rule small = {.grace_s = 10000, .bytes = 60};
    bool forget[3];

    choose_forgotten(kept, 3, &grace, 350, forget);
    expect_forgotten(forget, "100");
    choose_forgotten(kept, 3, &small, 350, forget);
    expect_forgotten(forget, "101");
    /* A clock that fell back. */
    choose_forgotten(kept, 3, &grace, 0, forget);
    expect_forgotten(forget, "000");
}

/* --- the disk --- */

static const struct room_rule allowed = {.most = 1000, .percent = 10, .floor = 500};

/* So much is free that only the owner's word counts. */
static struct room_view roomy(void)
{
    return (struct room_view){.free = 1000000};
}

Test(room, outputs_and_running_tasks_share_what_the_owner_allows)
{
    struct room_view view = roomy();
    struct room room_left = room_decide(&allowed, &view);

    cr_expect(eq(i64, room_left.tasks, 1000));
    cr_expect(eq(i64, room_left.more, 1000));
    view.owed = 300;
    view.kept = 200; /* gives way */
    view.to_come = 100;
    view.missing = 50;
    room_left = room_decide(&allowed, &view);
    cr_expect(eq(i64, room_left.tasks, 700));
    cr_expect(eq(i64, room_left.more, 550));
}

Test(room, a_share_of_the_free_space_is_not_shrunk_by_our_own_use)
{
    struct room_view view = {.free = 5000};

    cr_expect(eq(i64, room_decide(&allowed, &view).cap, 500));
    view =
        (struct room_view){.free = 4000, .owed = 100, .kept = 200, .cached = 300, .written = 400};
    cr_expect(eq(i64, room_decide(&allowed, &view).cap, 500));
}

Test(room, the_floor_is_left_to_others)
{
    const struct room_rule all = {.most = 100000, .percent = 100, .floor = 500};
    struct room_view view = {.free = 600};

    cr_expect(eq(i64, room_decide(&all, &view).tasks, 100));
    view.fetching = 60;
    cr_expect(eq(i64, room_decide(&all, &view).tasks, 40));
    view.written = 10; /* of what running tasks have; it counts as theirs */
    view.kept = 20;
    cr_expect(eq(i64, room_decide(&all, &view).tasks, 70));
    view.fetching = 1000;
    cr_expect(eq(i64, room_decide(&all, &view).tasks, 0));
}

Test(room, why_there_is_none_is_known)
{
    struct room_view view = roomy();

    cr_expect(eq(int, room_decide(&allowed, &view).lack, ROOM_ENOUGH));
    view.to_come = 1000;
    cr_expect(eq(int, room_decide(&allowed, &view).lack, ROOM_LACKS_ON_HAND));
    view.owed = 1000;
    cr_expect(eq(int, room_decide(&allowed, &view).lack, ROOM_LACKS_OWED));
    view.free = 500;
    cr_expect(eq(int, room_decide(&allowed, &view).lack, ROOM_LACKS_FREE));
}

Test(room, a_task_needs_its_slot_and_the_copies_of_its_outputs)
{
    const struct task_need small = {.disk = 100, .outputs = 10, .files = 50};
    const struct task_need large = {.disk = 100, .outputs = 10, .files = 500};
    const struct task_need huge = {
        .disk = ROOM_BYTES_MAX, .outputs = ROOM_BYTES_MAX, .files = ROOM_BYTES_MAX};

    cr_expect(eq(i64, room_of_task(&small), 110));
    cr_expect(eq(i64, room_of_task(&large), 510));
    cr_expect(eq(i64, room_of_task(&huge), ROOM_BYTES_MAX));
}

/* Its files would lie there, and neither it nor anything else could run. */
Test(room, files_are_fetched_only_where_their_task_can_run_afterwards)
{
    const struct room some = {.above = 1000};
    struct fetch_view fetch = {.missing = 400, .task = 600, .running = 600};

    cr_expect(room_may_fetch(&some, &fetch));
    fetch.running = 601;
    cr_expect(not(room_may_fetch(&some, &fetch)), "beside what runs");
    fetch = (struct fetch_view){.missing = 400, .task = 601};
    cr_expect(not(room_may_fetch(&some, &fetch)));
}
