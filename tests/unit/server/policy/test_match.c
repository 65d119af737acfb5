/* server/policy/match: every no has its reason. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/match.h"

static const struct match_variant variants[] = {
    {.platform = "x86_64-linux-gnu", .class_name = "x86_64"},
    {.platform = "aarch64-linux-gnu", .class_name = "aarch64"},
};
static const char *const layers[] = {"no-new-privs"};

static struct unit unit;
static struct match_host host;
static struct match_app app;

static void set_up(void)
{
    unit = (struct unit){
        .state = UNIT_OPEN,
        .rule = {.quorum = 2, .copies = 2, .max_tasks = 10, .independence = INDEPENDENCE_VOLUNTEER},
        .copies_wanted = 2,
        .memory_bytes = 100,
        .disk_bytes = 100,
        .not_before_s = 1000,
        .not_after_s = 2000};
    host = (struct match_host){.identity = {1, 1, -1},
                               .prefix = "",
                               .platforms = {"x86_64-linux-gnu"},
                               .platform_count = 1,
                               .layers = {"seccomp", "no-new-privs"},
                               .layer_count = 2,
                               .memory_bytes = 100,
                               .disk_bytes = 100};
    app = (struct match_app){
        .variants = variants, .variant_count = 2, .layers = layers, .layer_count = 1};
}

TestSuite(match, .init = set_up);

static enum match_result match(void)
{
    const struct match_variant *variant = NULL;
    enum match_result result = match_unit(&unit, &host, &app, 1500, &variant);

    cr_expect(eq(int, variant != NULL, result == MATCH_YES));
    return result;
}

Test(match, what_fits_is_given_by_the_first_platform_that_has_a_build)
{
    const struct match_variant *variant = NULL;

    host.platforms[0] = "riscv64-linux-gnu";
    host.platforms[1] = "aarch64-linux-gnu";
    host.platforms[2] = "x86_64-linux-gnu";
    host.platform_count = 3;
    cr_assert(eq(int, match_unit(&unit, &host, &app, 1500, &variant), MATCH_YES));
    cr_expect(eq(ptr, (void *)variant, (void *)&variants[1]));
}

Test(match, each_reason)
{
    cr_expect(eq(int, match(), MATCH_YES));
    host.memory_bytes = 99;
    cr_expect(eq(int, match(), MATCH_MEMORY));
    set_up(), host.disk_bytes = 99;
    cr_expect(eq(int, match(), MATCH_DISK));
    set_up(), unit.output_bytes = 1;
    cr_expect(eq(int, match(), MATCH_DISK), "outputs are copied out of the slot");
    set_up(), host.platforms[0] = "mips-linux-gnu";
    cr_expect(eq(int, match(), MATCH_PLATFORM));
    set_up(), host.layer_count = 1;
    cr_expect(eq(int, match(), MATCH_LAYERS));
    set_up(), app.is_revoked = true;
    cr_expect(eq(int, match(), MATCH_REVOKED));
    set_up(), app.is_too_large = true;
    cr_expect(eq(int, match(), MATCH_TOO_LARGE));
    set_up(), unit.not_before_s = 1501;
    cr_expect(eq(int, match(), MATCH_NOT_YET));
    set_up(), unit.not_after_s = 1500;
    cr_expect(eq(int, match(), MATCH_EXPIRED));
    set_up(), unit.copies_wanted = 0;
    cr_expect(eq(int, match(), MATCH_NOT_WANTED));
    set_up(), unit.state = UNIT_AGREED;
    cr_expect(eq(int, match(), MATCH_NOT_WANTED));
}

Test(match, a_signed_only_and_a_pinned_class_hold)
{
    unit.platforms = "aarch64-linux-gnu riscv64-linux-gnu";
    cr_expect(eq(int, match(), MATCH_PLATFORM));
    unit.platforms = "aarch64-linux-gnu x86_64-linux-gnu";
    cr_expect(eq(int, match(), MATCH_YES));
    unit.classes = "x86_64-v3";
    cr_expect(eq(int, match(), MATCH_CLASS), "a longer word is another word");
    unit.classes = "";
    unit.pinned_class = "aarch64";
    cr_expect(eq(int, match(), MATCH_CLASS));
    unit.pinned_class = "x86_64";
    cr_expect(eq(int, match(), MATCH_YES));
}

Test(match, nobody_gets_a_second_copy)
{
    unit.task_count = 1;
    unit.tasks[0] =
        (struct task){.state = TASK_ABANDONED, .at_dispatch = {7, 1, -1}, .now = {7, 1, -1}};
    cr_expect(eq(int, match(), MATCH_IDENTITY));
    unit.rule.independence = INDEPENDENCE_HOST;
    cr_expect(eq(int, match(), MATCH_YES));
}

Test(match, without_a_clock_no_validity_is_judged)
{
    const struct match_variant *variant;

    unit.not_after_s = 1;
    cr_expect(eq(int, match_unit(&unit, &host, &app, 0, &variant), MATCH_YES));
}
