/* client/daemon/lineup: short work waits behind long work in no queue of the client's. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/volunteer.h"
#include "work-units/work_unit.h"

#define UNITS 4 /* the last is a short one of another batch */

static struct volunteer it;
static struct digest inputs[UNITS]; /* of the units, which nobody serves */
static char asked_first[2 * DIGEST_BYTES + 1];

static void seal_units(int64_t input_bytes)
{
    struct work_unit *unit = &it.site.sample.unit;

    for (size_t i = 0; i < UNITS; i++) {
        bool is_short = i == UNITS - 1;
        char text[2] = {(char)('1' + i), '\0'};

        texts_clear(&unit->arguments);
        texts_add(&unit->arguments, text);
        unit->index = (int64_t)i;
        unit->batch.bytes[0] = is_short ? 2 : 1;
        unit->declared_ops = (is_short ? 10 : 3600) * WORK_UNIT_OPS_PER_SECOND;
        inputs[i] = digest_of(text, 1);
        if (input_bytes > 0)
            unit->inputs[0].digest = inputs[i];
        if (input_bytes > 0)
            unit->inputs[0].size = input_bytes;
        envelope_clear(&it.site.tasks[i].unit);
        it.site.tasks[i].unit = sample_seal_unit(&it.site.sample);
    }
}

static void set_up(void)
{
    volunteer_init(&it, UNITS);
    it.config.cores = 2; /* so all four are granted at once */
    asked_first[0] = '\0';
    volunteer_restart(&it);
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(lineup, .init = set_up, .fini = tear_down, .timeout = 60);

Test(lineup, the_short_batch_behind_a_long_one_has_its_turn)
{
    seal_units(0);
    it.launcher.duration_ms = 60 * MINUTE;
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 2));
    cr_expect(eq(str, it.launcher.last_argument, "1"), "the short one first, then a long one");
}

static enum fake_fate note_input(void *context, const struct fake_request *request)
{
    char hex[2 * DIGEST_BYTES + 1];

    (void)context;
    for (size_t i = 0; i < UNITS && asked_first[0] == '\0'; i++) {
        text_from_bytes(inputs[i].bytes, DIGEST_BYTES, hex);
        if (strstr(request->path, hex) != NULL)
            (void)text_fit(asked_first, sizeof asked_first, hex);
    }
    return FATE_DELIVERED;
}

Test(lineup, its_files_are_fetched_first)
{
    char hex[2 * DIGEST_BYTES + 1];

    seal_units(1 << 20);
    it.site.net.fate = note_input;
    volunteer_live(&it, MINUTE);
    text_from_bytes(inputs[UNITS - 1].bytes, DIGEST_BYTES, hex);
    cr_expect(eq(str, asked_first, hex));
}

/* In the body of the first request for a bundle. */
static enum fake_fate note_bundle(void *context, const struct fake_request *request)
{
    const char *first = NULL;

    (void)context;
    if (strcmp(request->path, "/v1/files/bundle") != 0 || asked_first[0] != '\0')
        return FATE_DELIVERED;
    for (size_t i = 0; i < UNITS; i++) {
        char hex[2 * DIGEST_BYTES + 1];
        const char *there;

        text_from_bytes(inputs[i].bytes, DIGEST_BYTES, hex);
        there = strstr(request->body, hex);
        if (there != NULL && (first == NULL || there < first))
            (void)text_fit(asked_first, sizeof asked_first, hex);
        first = there != NULL && (first == NULL || there < first) ? there : first;
    }
    return FATE_DELIVERED;
}

Test(lineup, so_are_small_ones_in_a_bundle)
{
    char hex[2 * DIGEST_BYTES + 1];

    seal_units(100);
    it.site.net.fate = note_bundle;
    volunteer_live(&it, MINUTE);
    text_from_bytes(inputs[UNITS - 1].bytes, DIGEST_BYTES, hex);
    cr_expect(eq(str, asked_first, hex));
}

/* The server goes by it at the end of a batch. */
Test(lineup, a_visit_tells_how_far_running_tasks_are)
{
    seal_units(0);
    it.launcher.duration_ms = 60 * MINUTE;
    it.launcher.tells_progress = true;
    volunteer_live(&it, 40 * MINUTE);
    cr_expect(it.site.told.progress_permille >= 1 && it.site.told.progress_permille < 700, "%d",
              it.site.told.progress_permille);
    cr_expect(eq(i64, it.site.told.busy_ms / 36000 * 10, it.site.told.progress_permille / 10 * 10),
              "%lld ms, %d", (long long)it.site.told.busy_ms, it.site.told.progress_permille);
}
