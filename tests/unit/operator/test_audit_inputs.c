/* dugnad audit: inputs of the units that are computed again come several at a time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/desk.h"
#include "tests/support/fake_launcher.h"
#include "tests/support/results.h"

enum { UNITS = 12 };

static struct fake_launcher launcher;
static volatile sig_atomic_t is_interrupted;

static enum status open_fake(struct env *env, const struct launcher_options *options,
                             struct launcher **ret_launcher, struct error *err)
{
    (void)env, (void)options, (void)err;
    *ret_launcher = &launcher.base;
    return STATUS_OK;
}

/* A unit of each file, "A…", "B…", too large to travel within it; all accepted. */
static void accept_all(int64_t size)
{
    CLEANUP(freep) char *folder = text_copy(at_home("in"));
    CLEANUP(freep) char *content = must_alloc((size_t)size + 1, 1);
    struct disk *disk = desk_env.base.disk;

    cr_assert(eq(int, disk->make_folder(disk, folder, 0700, NULL), STATUS_OK));
    memset(content, 'x', (size_t)size);
    for (int i = 0; i < UNITS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "in/%02d", i);
        content[0] = (char)('A' + i);
        write_at_home(name, content);
    }
    cr_assert(
        eq(int, RUN("submit", "app", folder, "--files-per-unit", "1", "--name", "b"), EXIT_DONE),
        "%s", desk_said);
    for (size_t i = 0; i < UNITS; i++)
        add_result(i, "42\n", true);
}

static void set_up(void)
{
    desk_set_up();
    fake_launcher_init(&launcher, &desk_env.base);
    desk_session.open_launcher = open_fake;
    is_interrupted = 0;
    desk_session.is_interrupted = &is_interrupted;
    accept_all(100000);
}

TestSuite(audit_inputs, .init = set_up, .fini = desk_tear_down, .timeout = 120);

static void expect_nothing_left(void)
{
    cr_expect(eq(i64, launcher.alive, 0));
    cr_expect(zero(sz, desk_site.gets), "nothing is on its way any more");
    cr_expect(not(disk_has(desk_env.base.disk, at_home(".config/dugnad/default/audit"))));
}

static size_t file_gets(void)
{
    size_t count = 0;

    for (size_t i = 0; i < desk_site.log.count; i++)
        count += text_starts_with(desk_site.log.texts[i], "GET /v1/files/");
    return count;
}

Test(audit_inputs, of_several_units_are_fetched_at_a_time)
{
    cr_expect(eq(int, RUN("audit", "b", "--sample", "12"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.most_gets, 8), "as submit sends them");
    cr_expect(eq(i64, launcher.most_alive, 1), "which is no more room for what runs");
    cr_expect(eq(i64, launcher.started, UNITS));
    cr_expect(eq(sz, file_gets(), UNITS + 1), "each once, and the program once");
    expect_nothing_left();
}

/* Where all others are through. */
static void while_one_hangs(void)
{
    fake_env_pass(&desk_env, 1000);
    is_interrupted = launcher.started == UNITS - 1 && launcher.alive == 0;
    cr_assert(lt(i64, desk_env.now_mono_ms, 50000000), "all wait for the one: %lld were started",
              (long long)launcher.started);
}

Test(audit_inputs, one_that_does_not_come_holds_no_other_unit)
{
    desk_site.while_waiting = while_one_hangs;
    desk_site.hangs_on = 'A';
    cr_expect(eq(int, RUN("audit", "b", "--sample", "12"), EXIT_INTERRUPTED), "%s", desk_said);
    cr_expect(strstr(desk_said, "11 of 12 accepted results looked at") != NULL, "%s", desk_said);
    expect_nothing_left();
}

Test(audit_inputs, one_that_the_site_lacks_or_changed_is_no_word_on_others)
{
    for (size_t i = 0; i < desk_site.bodies.count; i++) {
        if (desk_site.bodies.texts[i][0] == 'B')
            desk_site.bodies.texts[i][0] = 'b';
        if (desk_site.bodies.texts[i][0] == 'C')
            desk_site.files.texts[i][0] = 'x';
    }
    cr_expect(eq(int, RUN("audit", "b", "--sample", "12"), EXIT_UNTRUSTED));
    cr_expect(strstr(desk_said, "10 equal, 0 different, 1 not recomputed, 1 refused") != NULL, "%s",
              desk_said);
    expect_nothing_left();
}

/* Whatever is cut, at whatever request. */
Test(audit_inputs, a_cut_breaks_all_of_them_off_and_leaves_nothing)
{
    int code = EXIT_DONE;

    for (int64_t through = 0; through < 40; through += 3) {
        desk_site.cut = CUT_REQUEST;
        desk_site.cut_after = desk_site.requests + through;
        code = RUN("audit", "b", "--sample", "12");
        expect_nothing_left();
        if (code == EXIT_DONE)
            break;
    }
    cr_expect(eq(int, code, EXIT_DONE), "%s", desk_said);
}
