/* bench/plan by way of the program's own table of options. */
#include "bench/plan.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"

static enum status read_plan(struct plan *plan, struct error *err, size_t count,
                             const char *const *words)
{
    CLEANUP(options_clear) struct options options = {0};
    size_t used;
    const struct command *command = program_find(&bench_program, count, words, &used);

    cr_assert(command != NULL && used == 0);
    TRY(options_parse(&bench_program, command, count, words, &options, err));
    return plan_read(&options, plan, err);
}

#define READ(plan, err, ...)                                                                       \
    read_plan(plan, err, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),              \
              (const char *const[]){__VA_ARGS__})

Test(plan, a_site_of_its_own_needs_nothing_else)
{
    struct plan plan;

    cr_assert(eq(int, READ(&plan, NULL, "--site"), STATUS_OK));
    cr_expect(plan.is_site && plan.url == NULL);
    cr_expect(eq(i64, plan.hosts, 1000));
    cr_expect(eq(i64, plan.connections, 256));
    cr_expect(eq(i64, plan.tasks, 1));
    cr_expect(eq(i64, plan.output_bytes, 64));
    cr_expect(eq(i64, plan.per_s, 0));
}

Test(plan, no_more_connections_than_hosts_and_no_more_threads_than_connections)
{
    struct plan plan;

    cr_assert(eq(int, READ(&plan, NULL, "--site", "--hosts", "3", "--threads", "8"), STATUS_OK));
    cr_expect(eq(i64, plan.connections, 3));
    cr_expect(eq(i64, plan.threads, 3));
}

Test(plan, percentages_become_thousandths)
{
    struct plan plan;

    cr_assert(
        eq(int, READ(&plan, NULL, "https://a", "--liars", "5", "--vanishing", "10", "--slow", "85"),
           STATUS_OK));
    cr_expect(eq(i64, plan.shares.liars, 50));
    cr_expect(eq(i64, plan.shares.vanishing, 100));
    cr_expect(eq(i64, plan.shares.slow, 850));
}

Test(plan, what_does_not_go_together_is_refused_in_words)
{
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        {{"--json"}, "give the URL"},
        {{"https://a", "--site"}, "give the URL"},
        {{"https://a", "--limit"}, "--limit"},
        {{"--site", "--ca", "x"}, "--ca"},
        {{"--site", "--ramp", "5s"}, "--rate"},
        {{"--site", "--seconds", "0"}, "--seconds"},
        {{"--site", "--tasks", "65"}, "--tasks is a number 1..64"},
        {{"--site", "--hosts", "2000001"}, "--hosts"},
        {{"--site", "--liars=60", "--slow=41"}, "more than 100"},
        {{"--site", "--vanishing", "100"}, "nobody is left"},
        {{"--site", "--output-bytes", "65M"}, "--output-bytes"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct plan plan;
        size_t count = 0;

        while (count < 4 && cases[i].words[count] != NULL)
            count++;
        cr_expect(eq(int, read_plan(&plan, &err, count, cases[i].words), STATUS_INVALID));
        cr_expect(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].says, err.text);
    }
}

Test(plan, the_manual_page_in_the_tree_is_what_the_tables_say)
{
    CLEANUP(freep) char *path = text_format("%s/docs/man/dugnad-bench.1", getenv("DUGNAD_SOURCE"));
    CLEANUP(buffer_clear) struct buffer page = {.max = 1 << 20}, tables = {.max = 1 << 20};
    struct disk *disk = disk_real();

    cr_assert(eq(int, disk->read(disk, path, &page, NULL), STATUS_OK));
    program_manual(&bench_program, &tables);
    cr_expect(strcmp(buffer_text(&page), buffer_text(&tables)) == 0,
              "write it anew: dugnad-bench manual > docs/man/dugnad-bench.1");
}
