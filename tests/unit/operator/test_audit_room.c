/* operator/audit_room: how many units are computed again at a time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "operator/audit_room.h"

#define GIB (INT64_C(1) << 30)

Test(audit_room, a_unit_begins_where_cores_memory_and_number_allow_it)
{
    static const struct {
        const char *what;
        struct audit_room whole, taken;
        struct limits limits;
        bool has;
    } cases[] = {
        {"first", {1, 1, GIB}, {0}, {.cores = 1, .memory_bytes = GIB}, true},
        {"first, too large", {1, 1, GIB}, {0}, {.cores = 8, .memory_bytes = 8 * GIB}, true},
        {"beside it", {4, 4, GIB}, {1, 8, 8 * GIB}, {.cores = 1, .memory_bytes = 1}, false},
        {"the last core", {4, 4, 9 * GIB}, {2, 3, GIB}, {.cores = 1, .memory_bytes = GIB}, true},
        {"a core too many", {4, 4, 9 * GIB}, {2, 3, GIB}, {.cores = 2, .memory_bytes = GIB}, false},
        {"all memory", {4, 4, 3 * GIB}, {2, 2, 2 * GIB}, {.cores = 1, .memory_bytes = GIB}, true},
        {"a byte", {4, 4, 3 * GIB}, {2, 2, 2 * GIB}, {.cores = 1, .memory_bytes = GIB + 1}, false},
        {"one too many", {2, 9, 9 * GIB}, {2, 2, 2}, {.cores = 1, .memory_bytes = 1}, false},
        {"uncounted",
         {9, INT64_MAX, INT64_MAX},
         {2, 9, GIB},
         {.cores = 99, .memory_bytes = GIB},
         true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(int, audit_room_has(&cases[i].whole, &cases[i].taken, &cases[i].limits),
                     cases[i].has),
                  "%s", cases[i].what);
}

Test(audit_room, what_was_taken_is_given_back)
{
    struct audit_room taken = {0};
    const struct limits limits = {.cores = 2, .memory_bytes = GIB};

    audit_room_take(&taken, &limits);
    audit_room_take(&taken, &limits);
    audit_room_give_back(&taken, &limits);
    cr_expect(eq(i64, taken.units, 1));
    cr_expect(eq(i64, taken.cores, 2));
    cr_expect(eq(i64, taken.memory_bytes, GIB));
}
