/* dugnad submit: what its options say, and what is wrong with them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/desk.h"

TestSuite(submit_options, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

Test(submit_options, a_dry_run_sends_nothing)
{
    size_t before = desk_site.log.count;

    cr_assert(eq(int, RUN("submit", "app", "--range", "0..1000", "--dry-run"), EXIT_DONE));
    cr_expect(strstr(desk_said, "1000 units would be") != NULL, "%s", desk_said);
    for (size_t i = before; i < desk_site.log.count; i++)
        cr_expect(text_starts_with(desk_site.log.texts[i], "GET "), "%s", desk_site.log.texts[i]);
}

Test(submit_options, only_takes_lists_of_words)
{
    cr_assert(eq(int,
                 RUN("submit", "app", "--range", "0..1", "--dry-run", "--only",
                     "platform=aarch64-linux-gnu,x86_64-linux-gnu", "--only",
                     "class=x86_64-linux-gnu,lab"),
                 EXIT_DONE),
              "%s", desk_said);
    cr_expect(strstr(desk_out, "\"platforms\":[\"aarch64-linux-gnu\",\"x86_64-linux-gnu\"]") !=
                  NULL,
              "%s", desk_out);
    cr_expect(strstr(desk_out, "\"classes\":[\"x86_64-linux-gnu\",\"lab\"]") != NULL, "%s",
              desk_out);
}

Test(submit_options, the_time_of_a_unit_is_signed_as_operations_of_the_reference_host)
{
    cr_assert(eq(int, RUN("submit", "app", "--range", "0..1", "--dry-run", "--unit-time", "90s"),
                 EXIT_DONE),
              "%s", desk_said);
    cr_expect(strstr(desk_out, "\"declared_ops\":90000000000,") != NULL, "%s", desk_out);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..1", "--ops", "5", "--unit-time", "90s"),
                 EXIT_USAGE));
    cr_expect(strstr(desk_said, "choose one") != NULL, "%s", desk_said);
}

Test(submit_options, wrong_command_lines_are_refused_and_name_the_option)
{
    static const struct {
        const char *option, *value, *says;
    } cases[] = {
        {"--quorum", "0", "--quorum"},
        {"--quorum", "17", "--quorum"},
        {"--copies", "1", "--copies"},
        {"--name", "a/b", "--name"},
        {"--deadline", "soon", "--deadline"},
        {"--priority", "11", "--priority"},
        {"--deadline", "0", "--deadline"},
        {"--needed-by", "0", "--needed-by"},
        {"--cpu-time", "0s", "--cpu-time"},
        {"--memory", "0", "--memory"},
        {"--unit-time", "9999999999s", "--unit-time"}, /* no unit can say so much */
        {"--independence", "me", "--independence"},
        {"--only", "moon=full", "--only moon=full: write platform="},
        {"--only", "platform", "--only platform: write platform="}, /* it was taken for a class */
        {"--only", "platform=", "--only platform=: write platform="},
        {"--only", "class=a,,b", "--only class=a,,b: write platform="},
        {"--max-failures", "-1", "--max-failures"},
        {"--range", "9..3", "--range"},
        {"--step", "2", "--step"},
        {"--files-per-unit", "0", "--files-per-unit"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect(eq(int, RUN("submit", "app", cases[i].option, cases[i].value), EXIT_USAGE),
                  "%s %s", cases[i].option, cases[i].value);
        cr_expect(strstr(desk_said, cases[i].says) != NULL, "%s", desk_said);
    }
}

/* Regression: they were ignored, and the units were others than those that were meant. */
Test(submit_options, what_says_nothing_of_such_units_is_refused)
{
    static const char *const cases[][8] = {
        {"dugnad", "submit", "app", "--range", "0..9", "--files-per-unit", "3"},
        {"dugnad", "submit", "app", "--units", "x.ndjson", "--files-per-unit", "3"},
        {"dugnad", "submit", "app", "--files-per-unit", "3"},
        {"dugnad", "submit", "app", "--step", "2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect(eq(int, run_words(cases[i]), EXIT_USAGE), "%zu: %s", i, desk_said);
        cr_expect(strstr(desk_said, " belongs to ") != NULL, "%zu: %s", i, desk_said);
    }
}

/* Regression: it ended with 1. */
Test(submit_options, more_than_the_app_s_ceiling_is_a_wrong_command_line)
{
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..1", "--memory", "100G"), EXIT_USAGE),
              "%s", desk_said);
    cr_expect(strstr(desk_said, "above the ceiling of the app app") != NULL, "%s", desk_said);
}

/* Regression: 0 asked the server again and again, without a pause. */
Test(submit_options, watch_pauses_for_a_second_at_least)
{
    cr_expect(eq(int, RUN("watch", "none", "--interval", "0"), EXIT_USAGE), "%s", desk_said);
    cr_expect(strstr(desk_said, "--interval") != NULL && strstr(desk_said, "1..3600") != NULL, "%s",
              desk_said);
}
