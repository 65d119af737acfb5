/* server/engine/follow: servers that share a database know of each other. Runs under with-postgres.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/engine/publishing.h"
#include "tests/support/site.h"
#include "tests/support/village.h"

static struct village village;
static struct store *other_store;
static struct engine *first, *second;
static size_t ann, bob;

static void set_up(void)
{
    struct error err;

    if (!database_is_postgres())
        cr_skip_test("needs a PostgreSQL: see tests/support/with-postgres");
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    first = village.engine;
    cr_assert(eq(int, village.store.store->join(village.store.store, 1, true, &err), STATUS_OK));
    cr_assert(eq(int, store_open(village.path, &other_store, &err), STATUS_OK));
    cr_assert(eq(int, other_store->join(other_store, 2, true, &err), STATUS_OK));
    cr_assert(eq(int, engine_open(other_store, &village.env.base, &village.config, &second, &err),
                 STATUS_OK));
    engine_tick(first);
    engine_tick(second);
}

/* It went as if it was killed: its connection ends, and with it its lock. */
static void end_second(void)
{
    engine_close(second);
    store_close(other_store);
    second = NULL;
    other_store = NULL;
}

static void tear_down(void)
{
    village.engine = first;
    end_second();
    village_close(&village);
}

TestSuite(follow, .init = set_up, .fini = tear_down);

/* The longest that news may take. */
static void ten_seconds_later(void)
{
    for (int i = 0; i < 10; i++) {
        fake_env_pass(&village.env, 1000);
        engine_tick(first);
        if (second != NULL)
            engine_tick(second);
    }
}

static int64_t get_from(struct engine *engine, size_t host)
{
    village.engine = engine;
    return village_get(&village, host);
}

Test(follow, units_that_came_through_one_server_are_sent_by_the_other)
{
    village_add_units(&village, 3, NULL);
    cr_expect(eq(i64, get_from(second, ann), 0), "it cannot know yet");
    ten_seconds_later();
    cr_expect(lt(i64, 0, get_from(second, ann)));
}

Test(follow, so_are_those_of_a_second_servers_own_block)
{
    village.engine = second;
    village_open_batch(&village, "through the second", 0);
    village_add_units(&village, 2, NULL);
    ten_seconds_later();
    cr_expect(lt(i64, INT64_C(1) << 40, village_count(&village, "max(id) FROM unit")));
    cr_expect(lt(i64, 0, get_from(first, bob)));
    village.engine = second;
    village_add_units(&village, 2, NULL);
    ten_seconds_later();
    cr_expect(lt(i64, 0, get_from(first, bob)));
    cr_expect(lt(i64, 0, get_from(first, bob)));
}

Test(follow, a_batch_that_is_held_at_one_server_is_held_at_the_other)
{
    village_add_units(&village, 3, NULL);
    ten_seconds_later();
    cr_assert(eq(int, village_act(&village, ACTION_HOLD), STATUS_OK));
    ten_seconds_later();
    cr_expect(eq(i64, get_from(second, ann), 0));
    village.engine = first;
    cr_assert(eq(int, village_act(&village, ACTION_RELEASE), STATUS_OK));
    ten_seconds_later();
    cr_expect(lt(i64, 0, get_from(second, ann)));
}

Test(follow, what_is_signed_reaches_the_other_server)
{
    struct project_parts before = {0}, after = {0};

    published_project(engine_published(second), &before);
    village_publish_freshness(&village);
    ten_seconds_later();
    published_project(engine_published(second), &after);
    cr_expect(eq(i64, after.freshness_sequence, before.freshness_sequence + 1));
    cr_expect(ne(u64, after.generation, before.generation));
    project_parts_clear(&before);
    project_parts_clear(&after);
}

static int64_t mark_of(struct engine *engine)
{
    CLEANUP(project_parts_clear) struct project_parts parts;

    published_project(engine_published(engine), &parts);
    return parts.work.mark;
}

/* Else a host that asks the one and then the other would take it for news each time. */
Test(follow, the_mark_of_work_is_one_for_all_servers_and_changes_once_for_the_same_news)
{
    int64_t before = mark_of(first);

    ten_seconds_later();
    cr_expect(eq(i64, mark_of(second), before));
    village_add_units(&village, 3, NULL);
    ten_seconds_later();
    cr_expect(eq(i64, mark_of(first), before + 1));
    cr_expect(eq(i64, mark_of(second), before + 1));
    for (int i = 0; i < 12; i++)
        ten_seconds_later();
    cr_expect(eq(i64, mark_of(first), before + 1));
    cr_expect(eq(i64, mark_of(second), before + 1));
}

/* Each volunteer tells one of them, and once. */
Test(follow, what_hosts_showed_one_server_all_say)
{
    village_change(&village, "UPDATE server SET looks_restored = 1 WHERE id = 2");
    cr_expect(zero(i64, engine_counts(first).looks_restored_now));
    engine_close(second);
    cr_assert(eq(int, engine_open(other_store, &village.env.base, &village.config, &second, NULL),
                 STATUS_OK));
    ten_seconds_later();
    cr_expect(eq(i64, engine_counts(second).looks_restored_now, 1));
    cr_expect(eq(i64, engine_counts(first).looks_restored_now, 1));
}

Test(follow, a_token_is_looked_up_anew)
{
    const struct digest token = site_digest(1);
    const struct published_credential blocked = {.kind = TOKEN_OPERATOR, .subject = 1};
    struct published_credential found;

    published_put_credential(engine_published(second), &token, &blocked);
    ten_seconds_later();
    cr_expect(not(
        published_find_credential(engine_published(second), &token, village.env.now_s, &found)));
}

Test(follow, up_time_is_the_sites)
{
    int64_t up_s = village_count(&village, "up_s FROM server WHERE id = 1");

    village_change(&village, "UPDATE server SET up_s = up_s + 1000 WHERE id = 1");
    fake_env_pass(&village.env, 5000);
    engine_tick(second);
    cr_expect(ge(i64, engine_clock(second).up_s, up_s + 1000));
}

Test(follow, the_work_of_a_server_that_went_is_looked_after)
{
    int64_t task;

    village_add_units(&village, 1, NULL);
    ten_seconds_later();
    task = get_from(second, ann);
    cr_assert(lt(i64, 0, task));
    end_second();
    village.engine = first;
    ten_seconds_later();
    fake_env_pass(&village.env, INT64_C(4000) * 1000);
    ten_seconds_later();
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 7"), 1));
    cr_expect(lt(i64, 0, village_get(&village, bob)), "its copy is wanted again");
}
