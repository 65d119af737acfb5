/* What is typed after a verb: names, ids and digests, and what each of them may not be. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/desk.h"

#define BATCH_ID "00112233445566778899aabbccddeeff"

TestSuite(operands, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

/* Each was taken without a word, and had a place in the freshness for ever. */
Test(operands, what_the_site_does_not_know_is_not_revoked_unless_said_so)
{
    CLEANUP(freep) char *digest = text_format("sha256:%064d", 1);
    const char *const things[][3] = {
        {"app version", digest}, {"unit", digest, "--unit"}, {"batch", BATCH_ID}};
    CLEANUP(freep) char *before = text_copy(desk_site.freshness);

    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        const char *words[] = {"dugnad", "key", "revoke", things[i][1], things[i][2], NULL};

        cr_expect(eq(int, run_words(words), EXIT_FAILED), "%s: %s", things[i][0], desk_said);
        cr_expect(strstr(desk_said, things[i][0]) != NULL && strstr(desk_said, "--unknown") != NULL,
                  "%s", desk_said);
    }
    cr_expect(eq(str, desk_site.freshness, before));
    submit_three();
    cr_expect(eq(int, RUN("key", "revoke", batch_format(&desk_site.batch.batch).text), EXIT_DONE),
              "%s", desk_said);
}

/* Regression: `key revoke work --unit` revoked the work key. */
Test(operands, options_that_say_nothing_of_what_is_revoked_are_refused)
{
    static const char *const key = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    static const char *const things[] = {"work", "root-use", key};
    CLEANUP(freep) char *before = text_copy(desk_site.freshness);

    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        cr_expect(eq(int, RUN("key", "revoke", things[i], "--unit"), EXIT_USAGE), "%s", desk_said);
        cr_expect(strstr(desk_said, "--unit belongs to ") != NULL, "%s", desk_said);
        cr_expect(eq(int, RUN("key", "revoke", things[i], "--unknown"), EXIT_USAGE), "%s",
                  desk_said);
    }
    cr_expect(eq(int, RUN("key", "revoke", BATCH_ID, "--unit", "--unknown"), EXIT_USAGE), "%s",
              desk_said);
    cr_expect(eq(int, RUN("manual", "--json"), EXIT_USAGE), "%s", desk_said);
    cr_expect(eq(str, desk_site.freshness, before));
}

/* Regression: it read "cannot be read", and no more. */
Test(operands, a_program_that_cannot_be_read_is_named_with_the_reason)
{
    CLEANUP(freep) char *none = text_copy(at_home("none"));
    CLEANUP(freep) char *folder = text_copy(at_home("."));

    cr_expect(eq(int, RUN("app", "add", "new", none), EXIT_USAGE));
    cr_expect(strstr(desk_said, "none cannot be read: no such file") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("app", "add", "new", folder), EXIT_USAGE));
    cr_expect(strstr(desk_said, "is not a regular file") != NULL, "%s", desk_said);
}

Test(operands, what_can_be_no_batch_is_a_wrong_command_line)
{
    static const char *const verbs[] = {"fetch", "status",  "watch", "explain", "close",
                                        "hold",  "release", "retry", "tasks",   "again"};

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        cr_expect(eq(int, RUN(verbs[i], "../x"), EXIT_USAGE), "%s: %s", verbs[i], desk_said);
        cr_expect(strstr(desk_said, "\"..") != NULL, "%s: %s", verbs[i], desk_said);
    }
    cr_expect(eq(int, RUN("cancel", "../x", "--yes"), EXIT_USAGE), "%s", desk_said);
}

/* A batch of such a name was out of reach, and its name another one's id. */
Test(operands, no_batch_is_named_like_an_id)
{
    static const char *const names[] = {BATCH_ID, "0123456789ABCDEF0123456789abcdef"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", names[i]), EXIT_USAGE));
        cr_expect(strstr(desk_said, "batch's id") != NULL, "%s", desk_said);
    }
}

Test(operands, without_a_terminal_nothing_is_cancelled_unless_said_so)
{
    int64_t requests;

    submit_three();
    requests = desk_site.requests;
    cr_expect(eq(int, RUN("cancel", "b"), EXIT_USAGE), "%s", desk_said);
    cr_expect(strstr(desk_said, "--yes") != NULL, "%s", desk_said);
    cr_expect(eq(i64, desk_site.requests, requests));
    cr_expect(eq(int, RUN("cancel", "b", "--yes"), EXIT_DONE), "%s", desk_said);
}

Test(operands, without_a_terminal_no_host_is_withdrawn_unless_said_so)
{
    int64_t requests;

    submit_three();
    requests = desk_site.requests;
    cr_expect(eq(int, RUN("hosts", "withdraw", "17"), EXIT_USAGE), "%s", desk_said);
    cr_expect(strstr(desk_said, "--yes") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("hosts", "withdraw", "host17", "--yes"), EXIT_USAGE), "%s", desk_said);
    cr_expect(strstr(desk_said, "number") != NULL, "%s", desk_said);
    cr_expect(eq(i64, desk_site.requests, requests));
}

Test(operands, what_becomes_of_a_host_that_is_withdrawn_is_said)
{
    submit_three();
    cr_expect(eq(int, RUN("hosts", "withdraw", "17", "--yes"), EXIT_REFUSED), "%s", desk_said);
    desk_site.host_answer = "{\"host\":17,\"withdrawn\":3,\"left\":0}";
    cr_expect(eq(int, RUN("hosts", "withdraw", "17", "--yes"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "3 copies") != NULL, "%s", desk_out);
    cr_expect(eq(str, desk_site.log.texts[desk_site.log.count - 1], "POST /v1/hosts/17/withdraw"));
    desk_site.host_answer = "{\"host\":17,\"withdrawn\":0,\"left\":0}";
    cr_expect(eq(int, RUN("hosts", "withdraw", "17", "--yes"), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_out, "no copy") != NULL, "%s", desk_out);
    desk_site.host_answer = "{\"host\":17,\"withdrawn\":2,\"left\":1}";
    cr_expect(eq(int, RUN("hosts", "withdraw", "17", "--yes"), EXIT_NOT_ALL), "%s", desk_said);
}

/* Each vanished from what was signed: the program ran with fewer words, at anybody. */
Test(operands, what_is_not_utf8_is_never_left_out)
{
    cr_expect(eq(
        int,
        RUN("submit", "app", "--range", "0..3", "--name", "b", "--", "first", "caf\xe9", "third"),
        EXIT_USAGE));
    cr_expect(strstr(desk_said, "argument \"caf?\" is not UTF-8") != NULL, "%s", desk_said);
    cr_expect(
        eq(int,
           RUN("submit", "app", "--range", "0..3", "--name", "b", "--only", "organisation=caf\xe9"),
           EXIT_USAGE));
    cr_expect(strstr(desk_said, "--only organisation=caf?") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

/* Regression: it was signed, and run by everybody. */
Test(operands, what_only_an_organisation_may_run_is_not_submitted_while_nobody_keeps_to_it)
{
    cr_expect(eq(int,
                 RUN("submit", "app", "--range", "0..3", "--name", "b", "--only",
                     "organisation=An organisation"),
                 EXIT_USAGE));
    cr_expect(strstr(desk_said, "--only organisation=An organisation") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

/* The first of them ended the program: "a bug". */
Test(operands, layers_of_an_app_are_words_each_given_once)
{
    size_t before = desk_site.app_versions.count;

    write_at_home("program", "#!/bin/sh\n");
    cr_expect(
        eq(int, RUN("app", "add", "other", at_home("program"), "--layer", "caf\xe9"), EXIT_USAGE));
    cr_expect(strstr(desk_said, "--layer caf?") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("app", "add", "other", at_home("program"), "--layer", ""), EXIT_USAGE));
    cr_expect(strstr(desk_said, "--layer") != NULL, "%s", desk_said);
    cr_expect(eq(int,
                 RUN("app", "add", "other", at_home("program"), "--layer", "landlock", "--layer",
                     "landlock"),
                 EXIT_USAGE));
    cr_expect(strstr(desk_said, "--layer landlock is given twice") != NULL, "%s", desk_said);
    cr_expect(eq(int,
                 RUN("app", "add", "other", at_home("program"), "--output", "a", "--stdout", "a"),
                 EXIT_USAGE));
    cr_expect(strstr(desk_said, "output a is given twice") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.app_versions.count, before));
}

/* --- apps: all or nothing --- */

static size_t versions(void)
{
    return desk_site.app_versions.count;
}

Test(operands, an_app_that_cannot_be_added_whole_is_not_begun)
{
    size_t before = versions();
    CLEANUP(freep) char *large = text_format("#!/bin/sh\n%0*d", 1 << 20, 0);

    write_at_home("my program", "#!/bin/sh\n");
    cr_expect(eq(int, RUN("app", "add", "other", at_home("my program")), EXIT_USAGE), "%s",
              desk_said);
    cr_expect(strstr(desk_said, "my program") != NULL, "%s", desk_said);
    write_at_home("program", large);
    cr_expect(eq(int, RUN("app", "add", "other", at_home("program"), "--disk", "1M"), EXIT_USAGE),
              "%s", desk_said);
    cr_expect(strstr(desk_said, "--disk 3M") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("app", "add", "other", at_home("program"), "--class", "A B"), EXIT_USAGE),
              "%s", desk_said);
    cr_expect(eq(sz, versions(), before));
    cr_expect(eq(int, RUN("app", "add", "other", at_home("program"), "--disk", "3M"), EXIT_DONE),
              "%s", desk_said);
    cr_expect(eq(sz, versions(), before + 1));
}

Test(operands, no_units_are_signed_for_an_app_that_nothing_can_run)
{
    texts_clear(&desk_site.variants);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "b"), EXIT_FAILED), "%s",
              desk_said);
    cr_expect(strstr(desk_said, "dugnad app add app") != NULL, "%s", desk_said);
    cr_expect(desk_site.has_batch == false && desk_site.units.count == 0);
}

/* Regression: they waited "for a host to ask". */
Test(operands, no_units_are_signed_for_platforms_and_classes_that_the_app_has_no_program_for)
{
    cr_expect(eq(int,
                 RUN("submit", "app", "--range", "0..3", "--name", "b", "--only", "platform=amiga"),
                 EXIT_FAILED),
              "%s", desk_said);
    cr_expect(strstr(desk_said, "--only") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "b", "--only", "class=zzz"),
                 EXIT_FAILED));
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--dry-run", "--only", "class=zzz"),
                 EXIT_FAILED));
    cr_expect(desk_site.has_batch == false && desk_site.units.count == 0);
}
