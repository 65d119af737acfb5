/* The verbs that need no work, and what they say when something fails. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "tests/support/desk.h"

TestSuite(verbs, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

/* --- profile and keys --- */

Test(verbs, the_profile_is_for_its_owner_alone)
{
    static const char *const files[] = {"token", "profile.json", "trust.json", "keys/work.pem"};
    struct stat facts;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        CLEANUP(freep) char *name = text_format(".config/dugnad/default/%s", files[i]);

        cr_assert(stat(at_home(name), &facts) == 0, "%s", name);
        cr_expect(eq(int, (int)(facts.st_mode & 0777), 0600), "%s", name);
    }
    cr_assert(stat(at_home(".config/dugnad/default"), &facts) == 0);
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0700));
}

Test(verbs, publishing_again_only_renews_freshness_and_prints_the_same_link)
{
    CLEANUP(freep) char *link = NULL;

    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE));
    link = text_copy(desk_out);
    cr_expect(text_starts_with(link, MEMORY_SITE_URL "/#") &&
              strlen(link) == strlen(MEMORY_SITE_URL) + 2 + 43 + 1);
    cr_assert(eq(int, RUN("key", "publish"), EXIT_DONE));
    cr_expect(eq(str, desk_out, link));
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
}

Test(verbs, a_keyring_whose_answer_was_lost_is_taken_up)
{
    CLEANUP(freep) char *keyring = text_copy(desk_site.keyrings.texts[0]);

    /* As if the machine had died after the site took the first keyring. */
    (void)desk_env.base.disk->remove(desk_env.base.disk,
                                     at_home(".config/dugnad/default/trust.json"), NULL);
    write_at_home(".config/dugnad/default/profile.json",
                  "{\"url\":\"" MEMORY_SITE_URL "\",\"name\":\"Grid\"}");
    cr_expect(eq(int, RUN("key", "publish"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 1));
    cr_expect(eq(str, desk_site.keyrings.texts[0], keyring));
}

Test(verbs, a_site_that_shows_another_project_is_not_trusted)
{
    desk_site.project.bytes[0] ^= 1;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..10"), EXIT_UNTRUSTED));
    cr_expect(strstr(desk_said, "another project") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

Test(verbs, a_claimed_site_is_not_pinned_without_a_person_or_a_link)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL, "--profile", "other"), EXIT_UNTRUSTED));
    cr_expect(strstr(desk_said, "/#") != NULL, "%s", desk_said);
    cr_expect(not(disk_has(desk_env.base.disk, at_home(".config/dugnad/other/profile.json"))));
}

Test(verbs, a_link_of_another_project_is_refused)
{
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL "/#" FAKE_TOKEN, "--profile", "other"),
                 EXIT_UNTRUSTED));
    cr_expect(eq(int, RUN("connect", MEMORY_SITE_URL "/#short", "--profile", "other"), EXIT_USAGE));
    cr_expect(eq(int, RUN("connect", "http://grid.example", "--profile", "other"), EXIT_USAGE));
}

Test(verbs, a_rotated_key_signs_from_then_on_and_work_goes_on)
{
    cr_assert(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "before"), EXIT_DONE), "%s",
              desk_said);
    cr_assert(eq(int, RUN("key", "rotate", "work"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "rotate", "root-spare"), EXIT_DONE), "%s", desk_said);
    cr_assert(eq(int, RUN("key", "revoke", "work"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, desk_site.keyrings.count, 4));
    desk_site.has_batch = false;
    texts_clear(&desk_site.units);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "after"), EXIT_DONE), "%s",
              desk_said);
}

/* --- apps --- */

Test(verbs, adding_the_same_app_again_publishes_nothing)
{
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(eq(sz, desk_site.app_versions.count, 1));
    write_at_home("program", "#!/bin/sh\necho changed\n");
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE));
    cr_expect(eq(sz, desk_site.app_versions.count, 2));
}

Test(verbs, wrong_apps_are_refused_with_their_reason)
{
    static const struct {
        const char *name, *option, *value, *says;
    } cases[] = {
        {"Bad Name", "--cores", "1", "name"},
        {"good", "--output", "a/b", "--output a/b"},
        {"good", "--output", "x:much", "--output x:much"},
        {"good", "--platform", "nothing", "PLATFORM=FILE"},
        {"good", "--cores", "0", "--cores"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(freep) char *program = text_copy(at_home("program"));

        cr_expect(eq(int,
                     RUN("app", "add", cases[i].name, program, cases[i].option, cases[i].value),
                     EXIT_USAGE));
        cr_expect(strstr(desk_said, cases[i].says) != NULL, "%s", desk_said);
    }
    write_at_home("data", "no program");
    cr_expect(eq(int, RUN("app", "add", "good", at_home("data")), EXIT_USAGE));
}

/* --- words --- */

Test(verbs, watch_ends_with_the_batch_and_its_code_says_how)
{
    submit_three();
    cr_expect(eq(int, RUN("watch", "b"), EXIT_DONE));
    cr_expect(strstr(desk_out, "all 3 units accepted") != NULL, "%s", desk_out);
}

Test(verbs, a_server_that_cannot_be_reached_is_told_so_and_waited_for)
{
    desk_site.cut = CUT_REQUEST;
    cr_expect(eq(int, RUN("status"), EXIT_UNREACHABLE));
    cr_expect(strstr(desk_said, "trying again") != NULL, "%s", desk_said);
}

Test(verbs, what_the_server_refuses_is_told_as_its_words)
{
    cr_expect(eq(int, RUN("status", "nowhere"), EXIT_REFUSED));
    cr_expect(strstr(desk_said, "the server says: there is no such batch") != NULL, "%s",
              desk_said);
}

Test(verbs, the_manual_page_in_the_tree_is_what_the_tables_say)
{
    CLEANUP(freep) char *path = text_format("%s/docs/man/dugnad.1", getenv("DUGNAD_SOURCE"));
    CLEANUP(buffer_clear) struct buffer page = {0};

    buffer_init(&page, 1 << 20);
    cr_assert(eq(int, desk_env.base.disk->read(desk_env.base.disk, path, &page, NULL), STATUS_OK));
    cr_assert(eq(int, RUN("manual"), EXIT_DONE));
    cr_expect(strcmp(desk_out, buffer_text(&page)) == 0,
              "write it anew: dugnad manual > docs/man/dugnad.1");
}
