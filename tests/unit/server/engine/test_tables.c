/* server/engine: maps, deadlines and token tables, against plain arrays. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/engine/deadlines.h"
#include "server/engine/map.h"
#include "server/engine/token_table.h"
#include "tests/support/fake_env.h"

enum { IDS = 500, STEPS = 20000 };

Test(map, it_keeps_what_an_array_keeps)
{
    static char values[IDS + 1];
    bool is_in[IDS + 1] = {false};
    struct fake_env env;
    struct map map = {0};
    size_t count = 0, cursor = 0, seen = 0;

    fake_env_init(&env, 3);
    for (int i = 0; i < STEPS; i++) {
        size_t id = 1 + (size_t)fake_env_below(&env, IDS);

        cr_assert(eq(ptr, map_get(&map, (int64_t)id), is_in[id] ? &values[id] : NULL));
        if (fake_env_below(&env, 2) == 0)
            map_put(&map, (int64_t)id, &values[id]);
        else
            cr_assert(eq(ptr, map_take(&map, (int64_t)id), is_in[id] ? &values[id] : NULL));
        is_in[id] = map_get(&map, (int64_t)id) != NULL;
    }
    for (size_t id = 1; id <= IDS; id++)
        count += is_in[id];
    while (map_next(&map, &cursor) != NULL)
        seen++;
    cr_expect(eq(sz, map.count, count));
    cr_expect(eq(sz, seen, count));
    map_clear(&map);
}

Test(deadlines, they_come_in_order_and_only_when_due)
{
    struct fake_env env;
    struct deadlines deadlines = {0};
    struct deadline_hint hint;
    int64_t last = 0;
    size_t count = 0;

    fake_env_init(&env, 4);
    for (int i = 0; i < 1000; i++)
        deadlines_add(&deadlines, (struct deadline_hint){
                                      .up_s = 1 + (int64_t)fake_env_below(&env, 5000), .unit = i});
    while (deadlines_take(&deadlines, 2500, &hint)) {
        cr_assert(hint.up_s >= last && hint.up_s <= 2500);
        last = hint.up_s;
        count++;
    }
    cr_expect(count > 300 && count < 700, "%zu", count);
    while (deadlines_take(&deadlines, 5000, &hint))
        count++;
    cr_expect(eq(sz, count, 1000));
    deadlines_clear(&deadlines);
}

Test(token_table, many_tokens_are_found_and_forgotten_ones_are_not)
{
    struct token_table table = {0};

    for (int64_t i = 0; i < 5000; i++) {
        struct digest token = digest_of(&i, sizeof i);
        struct published_credential credential = {.kind = TOKEN_HOST, .subject = i + 1};

        token_table_put(&table, &token, &credential);
        if (i % 3 == 0)
            token_table_forget(&table, &token);
    }
    for (int64_t i = 0; i < 5000; i++) {
        struct digest token = digest_of(&i, sizeof i);
        const struct published_credential *found = token_table_find(&table, &token);

        cr_assert(eq(int, found != NULL, i % 3 != 0));
        cr_expect(found == NULL || found->subject == i + 1);
    }
    token_table_clear(&table);
}
