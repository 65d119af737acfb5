/* server/engine: below the floors it stops issuing, then uploads, and goes on when there is room.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/disk.h"
#include "tests/support/village.h"

#define GIB (INT64_C(1) << 30)

static struct village village;
static struct disk disk;
static int64_t free_bytes;

static enum status space(struct disk *self, const char *path, struct disk_space *ret_space,
                         struct error *err)
{
    (void)self;
    (void)path;
    (void)err;
    *ret_space = (struct disk_space){.total_bytes = 100 * GIB, .free_bytes = free_bytes};
    return STATUS_OK;
}

static void set_up(void)
{
    struct engine_config config = ENGINE_CONFIG_DEFAULT;

    village_open(&village, &config);
    disk = *village.env.base.disk;
    disk.space = space;
    village.env.base.disk = &disk;
    free_bytes = 50 * GIB;
    village_pass(&village, 1);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(space_floors, .init = set_up, .fini = tear_down);

static struct published_stops stops_at(int64_t bytes)
{
    free_bytes = bytes;
    village_pass(&village, 1);
    return published_stops(engine_published(village.engine));
}

Test(space_floors, issuing_stops_first_then_uploads_then_both_go_on)
{
    cr_expect(zero(int, stops_at(11 * GIB).issuing));
    cr_expect(eq(int, stops_at(9 * GIB).issuing, true));
    cr_expect(zero(int, stops_at(9 * GIB).uploads));
    cr_expect(eq(int, stops_at(4 * GIB).uploads, true));
    cr_expect(stops_at(4 * GIB).why[0] != '\0');
    cr_expect(zero(int, stops_at(50 * GIB).issuing));
    cr_expect(zero(int, stops_at(50 * GIB).uploads));
}

Test(space_floors, hosts_hear_why_and_get_work_again)
{
    size_t ann = village_join(&village);
    struct village_visit visit;

    village_add_units(&village, 1, NULL);
    (void)stops_at(9 * GIB);
    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(sz, visit.reply.grant_count, 0));
    cr_expect(strstr(visit.reply.why, "disk space") != NULL, "%s", visit.reply.why);
    village_visit_clear(&visit);
    (void)stops_at(50 * GIB);
    cr_expect(village_get(&village, ann) != 0);
}
