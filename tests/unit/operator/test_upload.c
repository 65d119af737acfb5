/* operator/upload: files that a site lacks travel several at a time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/upload.h"
#include "tests/support/desk.h"

enum { FILES = 3 * UPLOAD_UNDER_WAY };

static void set_up(void)
{
    char content[6000]; /* too large to travel within its unit */

    desk_set_up();
    cr_assert(eq(int,
                 desk_env.base.disk->make_folder(desk_env.base.disk, at_home("in"), 0700, NULL),
                 STATUS_OK));
    memset(content, 'x', sizeof content);
    content[sizeof content - 1] = '\0';
    for (int i = 0; i < FILES; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "in/%d", i);
        content[0] = (char)('A' + i);
        write_at_home(name, content);
    }
}

TestSuite(upload, .init = set_up, .fini = desk_tear_down, .timeout = 60);

static int submit(void)
{
    CLEANUP(freep) char *folder = text_copy(at_home("in"));

    return RUN("submit", "app", folder, "--files-per-unit", "1", "--name", "many", "--", "{input}");
}

static size_t puts_said(void)
{
    size_t count = 0;

    for (size_t i = 0; i < desk_site.log.count; i++)
        count += text_starts_with(desk_site.log.texts[i], "PUT ");
    return count;
}

Test(upload, files_travel_several_at_a_time)
{
    size_t before = desk_site.files.count, said = puts_said();

    cr_assert(eq(int, submit(), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.files.count - before, FILES));
    cr_expect(eq(sz, puts_said() - said, FILES), "each once");
    cr_expect(eq(sz, desk_site.most_puts, UPLOAD_UNDER_WAY), "no more and no fewer");
    cr_expect(zero(sz, desk_site.puts));
}

Test(upload, a_cut_breaks_all_of_them_off_and_only_the_missing_are_sent_again)
{
    size_t before = desk_site.files.count;

    for (int64_t through = 0; through < FILES; through += 5) {
        size_t there = desk_site.files.count;

        desk_site.cut = CUT_REQUEST;
        desk_site.cut_after = desk_site.requests + 8 + through;
        if (submit() == EXIT_DONE)
            break;
        cr_expect(zero(sz, desk_site.puts), "nothing is on its way any more");
        cr_expect(le(sz, there, desk_site.files.count));
    }
    desk_site.cut = CUT_NEVER;
    cr_assert(eq(int, submit(), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.files.count - before, FILES));
}
