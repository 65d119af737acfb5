/* server/engine/queue: hints in order, drawn so that nobody can steer, bounded in work. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "server/engine/chance.h"
#include "server/engine/queue.h"
#include "tests/support/fake_env.h"

enum { WINDOW = 100, APP = 1, OTHER_APP = 2 };

static struct fake_env env;
static struct chance chance;
static struct queue *queue;
static int judged; /* buckets */

static void set_up(void)
{
    fake_env_init(&env, 7);
    chance_init(&chance, &env.base);
    queue = queue_new(WINDOW, &chance);
    judged = 0;
}

static void tear_down(void)
{
    queue_free(queue);
}

TestSuite(queue, .init = set_up, .fini = tear_down);

static void put_batch(int64_t id, int32_t priority, int64_t needed_by_s)
{
    queue_put_batch(queue, &(struct batch){.id = id,
                                           .state = BATCH_OPEN,
                                           .priority = priority,
                                           .needed_by_s = needed_by_s});
}

static struct queue_unit unit_of(int64_t id, int64_t batch)
{
    return (struct queue_unit){.independence = INDEPENDENCE_VOLUNTEER,
                               .hint = {.unit = id,
                                        .batch = batch,
                                        .app_version = APP,
                                        .copies_wanted = 1,
                                        .memory_bytes = 1000,
                                        .disk_bytes = 1000}};
}

static void put(int64_t id, int64_t batch, uint32_t copies)
{
    struct queue_unit unit = unit_of(id, batch);

    unit.hint.copies_wanted = copies;
    queue_put(queue, &unit);
}

static enum match_result judge(void *context, const struct queue_bucket *bucket)
{
    (void)context;
    judged++;
    if (strcmp(bucket->platforms, "riscv64") == 0)
        return MATCH_PLATFORM;
    return bucket->least_memory_bytes > 5000 ? MATCH_MEMORY : MATCH_YES;
}

static struct queue_lack lack;
static int64_t drawn[2 * QUEUE_DRAW_MAX];

static size_t draw_as(int64_t volunteer, size_t want, size_t spare)
{
    static uint32_t serial;
    struct queue_seek seek = {.visit = ++serial,
                              .cycle = serial,
                              .identity = {.host = 1, .volunteer = volunteer, .organisation = -1},
                              .memory_bytes = 5000,
                              .disk_bytes = 5000,
                              .want = want,
                              .spare = spare,
                              .judge = judge};

    return queue_draw(queue, &seek, drawn, &lack);
}

Test(queue, a_million_unmatchable_units_in_front_of_a_matching_one_cost_one_look)
{
    struct queue_unit unit;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000000; id++) {
        unit = unit_of(id, 1);
        if (id % 2 == 0)
            (void)snprintf(unit.hint.platforms, sizeof unit.hint.platforms, "riscv64");
        else
            unit.hint.memory_bytes = 1 << 20;
        queue_put(queue, &unit);
    }
    put(2000000, 1, 1);

    cr_assert(eq(sz, draw_as(9, 1, 0), 1));
    cr_expect(eq(i64, drawn[0], 2000000));
    cr_expect(judged <= 3, "%d buckets were judged", judged);
    queue_forget(queue, 2000000);
    judged = 0;
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    cr_expect(judged <= 3, "%d buckets were judged", judged);
    cr_expect(eq(int, lack.nearest, MATCH_MEMORY));
}

Test(queue, units_of_needs_within_one_class_are_told_apart)
{
    struct queue_unit unit;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 300; id++) {
        unit = unit_of(id, 1);
        unit.hint.memory_bytes = 5001; /* the host gives 5000 */
        queue_put(queue, &unit);
    }
    unit = unit_of(301, 1);
    unit.hint.memory_bytes = 4999;
    queue_put(queue, &unit);
    cr_assert(eq(sz, draw_as(9, 1, 0), 1));
    cr_expect(eq(i64, drawn[0], 301));
}

Test(queue, what_the_volunteer_has_already_blocks_nothing)
{
    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 3000; id++) {
        struct queue_unit unit = unit_of(id, 1);

        unit.holders[0] = 9;
        unit.holder_count = 1;
        queue_put(queue, &unit);
    }
    put(5000, 1, 1);
    cr_assert(eq(sz, draw_as(9, 1, 0), 1));
    cr_expect(eq(i64, drawn[0], 5000));
    cr_expect(eq(sz, draw_as(8, 1, 0), 1), "others may have them");
}

Test(queue, even_behind_more_than_one_scan_it_is_found_in_time)
{
    size_t found = 0;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 20000; id++) {
        struct queue_unit unit = unit_of(id, 1);

        unit.holders[0] = id <= 15000 ? 9 : 8;
        unit.holder_count = 1;
        queue_put(queue, &unit);
    }
    for (int i = 0; i < 100 && found == 0; i++)
        found = draw_as(9, 1, 0);
    cr_expect(eq(sz, found, 1));
}

Test(queue, a_unit_is_drawn_at_random_out_of_the_window)
{
    int seen[WINDOW + 1] = {0};
    int different = 0;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000; id++)
        put(id, 1, 1);
    for (int i = 0; i < 2000; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        cr_assert(drawn[0] >= 1 && drawn[0] <= WINDOW, "%lld", (long long)drawn[0]);
        different += seen[drawn[0]]++ == 0;
    }
    cr_expect(different >= 95, "only %d of the window were ever drawn", different);
    for (int id = 1; id <= WINDOW; id++)
        cr_expect(seen[id] < 60, "unit %d came %d times of 2000", id, seen[id]);
}

Test(queue, copies_of_one_unit_come_up_apart)
{
    int64_t distance = 0;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000; id++)
        put(id, 1, 2);
    put(1, 1, 1); /* its first copy went out: the second waits behind the window */
    for (int i = 0; i < 500; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        cr_expect(drawn[0] != 1, "drawn again at once");
    }
    for (; distance < 2000; distance++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        if (drawn[0] == 1)
            break;
        queue_forget(queue, drawn[0]);
    }
    cr_expect(distance < 600, "it comes behind the window, not at the end: %lld",
              (long long)distance);
}

Test(queue, a_visit_sees_a_unit_once_and_one_cycle_promises_a_copy_once)
{
    struct queue_seek seek = {.visit = 1,
                              .cycle = 1,
                              .identity = {.host = 1, .volunteer = 9, .organisation = -1},
                              .memory_bytes = 5000,
                              .disk_bytes = 5000,
                              .want = 10,
                              .judge = judge};

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 10; id++)
        put(id, 1, 1);
    cr_expect(eq(sz, queue_draw(queue, &seek, drawn, &lack), 10));
    cr_expect(eq(sz, queue_draw(queue, &seek, drawn, &lack), 0));
    seek.visit = 2;
    cr_expect(eq(sz, queue_draw(queue, &seek, drawn, &lack), 0), "all are promised");
    seek.cycle = 2;
    cr_expect(eq(sz, queue_draw(queue, &seek, drawn, &lack), 10));
}

Test(queue, batches_take_turns_by_priority)
{
    int second = 0;

    put_batch(1, 0, 0);
    put_batch(2, 2, 0); /* twice the share */
    for (int64_t id = 1; id <= 1000; id++)
        put(id, 1 + id % 2, 1);
    for (int i = 0; i < 300; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        second += drawn[0] % 2 == 1;
        queue_forget(queue, drawn[0]);
    }
    cr_expect(second >= 190 && second <= 210, "%d of 300, not about 200", second);
}

Test(queue, a_batch_that_comes_late_starts_at_the_present)
{
    int late = 0;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000; id++)
        put(id, 1, 1);
    for (int i = 0; i < 500; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        queue_forget(queue, drawn[0]);
    }
    put_batch(2, 0, 0);
    for (int64_t id = 2001; id <= 3000; id++)
        put(id, 2, 1);
    for (int i = 0; i < 100; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        late += drawn[0] > 2000;
        queue_forget(queue, drawn[0]);
    }
    cr_expect(late >= 45 && late <= 55, "%d of 100 for the late batch", late);
}

Test(queue, of_batches_with_the_same_turn_the_one_needed_sooner_comes_first)
{
    put_batch(1, 0, 0);
    put_batch(2, 0, 5000);
    put_batch(3, 0, 4000);
    put(1, 1, 1);
    put(2, 2, 1);
    put(3, 3, 1);
    cr_assert(eq(sz, draw_as(9, 3, 0), 3));
    cr_expect(eq(i64, drawn[0], 3));
    cr_expect(eq(i64, drawn[1], 2));
    cr_expect(eq(i64, drawn[2], 1));
}

Test(queue, held_and_paused_batches_give_nothing_and_say_so)
{
    put_batch(1, 0, 0);
    put(1, 1, 1);
    queue_put_batch(queue, &(struct batch){.id = 1, .state = BATCH_HELD});
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    cr_expect(lack.is_held && !lack.is_paused && !lack.is_empty);
    queue_put_batch(queue, &(struct batch){.id = 1, .state = BATCH_PAUSED});
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    cr_expect(lack.is_paused && !lack.is_held);
    put_batch(1, 0, 0);
    cr_expect(eq(sz, draw_as(9, 1, 0), 1));
}

Test(queue, units_wait_until_they_are_valid)
{
    struct queue_unit unit = unit_of(1, 1);

    put_batch(1, 0, 0);
    queue_let_in(queue, 1000);
    unit.hint.not_before_s = 1500;
    queue_put(queue, &unit);
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    queue_let_in(queue, 1499);
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    queue_let_in(queue, 1500);
    cr_expect(eq(sz, draw_as(9, 1, 0), 1));
}

Test(queue, a_batch_that_is_over_stays_known_while_units_wait_for_their_validity)
{
    struct queue_unit unit = unit_of(1, 1);

    put_batch(1, 0, 0);
    queue_let_in(queue, 1000);
    unit.hint.not_before_s = 1500;
    queue_put(queue, &unit);
    queue_put_batch(queue, &(struct batch){.id = 1, .state = BATCH_CANCELLED});
    queue_let_in(queue, 1500);
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    put_batch(1, 0, 0);
    cr_expect(eq(sz, draw_as(9, 1, 0), 1));
}

Test(queue, what_is_forgotten_does_not_come_back)
{
    put_batch(1, 0, 0);
    for (int round = 0; round < 50; round++) {
        for (int64_t id = 1; id <= 200; id++)
            put(id, 1, 1 + (uint32_t)(id + round) % 3);
        for (int64_t id = 1; id <= 200; id += 2)
            put(id, 1, 0);
        cr_expect(eq(sz, queue_count(queue), 100));
    }
    for (int i = 0; i < 100; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        cr_expect(drawn[0] % 2 == 0);
        queue_forget(queue, drawn[0]);
    }
    cr_expect(eq(sz, draw_as(9, 1, 0), 0));
    cr_expect(lack.is_empty);
    queue_put_batch(queue, &(struct batch){.id = 1, .state = BATCH_FINISHED});
    put_batch(1, 0, 0);
    put(7, 1, 1);
    cr_expect(eq(sz, draw_as(9, 1, 0), 1));
}

Test(queue, a_unit_pinned_to_a_class_changes_its_bucket)
{
    struct queue_unit unit = unit_of(1, 1);

    put_batch(1, 0, 0);
    unit.hint.copies_wanted = 2;
    queue_put(queue, &unit);
    unit.hint.copies_wanted = 1;
    (void)snprintf(unit.hint.class_name, sizeof unit.hint.class_name, "native");
    queue_put(queue, &unit);
    cr_expect(eq(sz, draw_as(9, 2, 2), 1));
    cr_expect(eq(sz, queue_count(queue), 1));
}

/* --- units that nobody had yet --- */

/* Each took 200 bytes: 2 GB for ten million. */
Test(queue, a_million_units_alike_take_no_memory_to_speak_of)
{
    size_t before = mallinfo2().uordblks, after;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000000; id++)
        put(id, 1, 2);
    cr_expect(eq(sz, queue_count(queue), 1000000));
    for (int i = 0; i < 1000; i++) {
        cr_assert(eq(sz, draw_as(9, 1, 0), 1));
        queue_forget(queue, drawn[0]);
    }
    cr_expect(eq(sz, queue_count(queue), 999000));
    after = mallinfo2().uordblks;
    cr_expect(after < before + (1 << 20), "%zu bytes more", after - before);
}

/* One volunteer alone takes a copy of each, so that all in front wait for somebody else. */
Test(queue, whoever_has_a_copy_of_all_in_front_gets_what_is_behind)
{
    enum { ALL = 9000 };
    static bool had[ALL + 1];
    int none = 0, count = 0;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= ALL; id++)
        put(id, 1, 2);
    for (int i = 0; i < 8000; i++) {
        struct queue_unit unit;

        if (draw_as(9, 1, 0) == 0) {
            none++;
            continue;
        }
        cr_assert(not(had[drawn[0]]), "unit %lld twice", (long long)drawn[0]);
        had[drawn[0]] = true;
        count++;
        unit = unit_of(drawn[0], 1);
        unit.holders[0] = 9;
        unit.holder_count = 1;
        queue_put(queue, &unit);
    }
    cr_expect(none < 400, "nothing was found %d times", none);
    cr_expect(eq(sz, queue_count(queue), ALL));
    cr_expect(eq(sz, draw_as(8, 64, 0), 64), "others may have them");
}

Test(queue, a_unit_behind_can_be_forgotten_or_change)
{
    struct queue_unit unit;
    int found = 0;

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000; id++)
        put(id, 1, 2);
    put(900, 1, 2); /* the same again */
    cr_expect(eq(sz, queue_count(queue), 1000));
    queue_forget(queue, 901);
    put(902, 1, 0);
    cr_expect(eq(sz, queue_count(queue), 998));
    unit = unit_of(903, 1);
    unit.hint.copies_wanted = 1;
    unit.holders[0] = 9;
    unit.holder_count = 1;
    queue_put(queue, &unit);
    unit = unit_of(904, 1);
    (void)snprintf(unit.hint.platforms, sizeof unit.hint.platforms, "riscv64");
    queue_put(queue, &unit); /* in another bucket now */
    cr_expect(eq(sz, queue_count(queue), 998));
    for (int i = 0; i < 998; i++) {
        if (draw_as(9, 1, 0) == 0)
            break;
        found++;
        cr_expect(drawn[0] != 901 && drawn[0] != 902 && drawn[0] != 903 && drawn[0] != 904);
        queue_forget(queue, drawn[0]);
    }
    cr_expect(eq(int, found, 996));
    cr_expect(eq(sz, queue_count(queue), 2));
}

/* Shares and moves look at it: a count that drifts would let nothing move any more. */
Test(queue, the_copies_that_wait_are_counted_wherever_their_units_are)
{
    struct queue_unit early = unit_of(5000, 1);

    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000; id++) /* the line's front, and a reserve behind */
        put(id, 1, 2);
    cr_expect(eq(i64, queue_copies(queue), 2000));
    (void)draw_as(9, 10, 0); /* brings some out */
    cr_expect(eq(i64, queue_copies(queue), 2000));
    for (int64_t id = 1; id <= 1000; id += 7)
        put(id, 1, 1);
    cr_expect(eq(i64, queue_copies(queue), 2000 - 143));
    early.hint.not_before_s = 100;
    queue_put(queue, &early);
    cr_expect(eq(i64, queue_copies(queue), 2000 - 143), "it is not valid yet");
    queue_let_in(queue, 100);
    cr_expect(eq(i64, queue_copies(queue), 2001 - 143));
    queue_put_batch(queue, &(struct batch){.id = 1, .state = BATCH_HELD});
    cr_expect(zero(i64, queue_copies(queue)), "nothing of it is sent");
    put_batch(1, 0, 0);
    for (int64_t id = 1; id <= 1000; id++)
        queue_forget(queue, id);
    put(5000, 1, 0);
    cr_expect(zero(i64, queue_copies(queue)));
}
