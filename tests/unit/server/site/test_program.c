/* dugnad-server: its manual page, and what it says to a wrong command line. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "server/site/verbs.h"

Test(program, the_page_in_docs_is_the_one_that_the_program_prints)
{
    CLEANUP(freep) char *path = text_format("%s/docs/man/dugnad-server.8", getenv("DUGNAD_SOURCE"));
    CLEANUP(buffer_clear) struct buffer printed = {.max = SERVER_MANUAL_MAX};
    CLEANUP(buffer_clear) struct buffer kept = {.max = 1 << 20};
    struct disk *disk = disk_real();

    server_manual(&printed);
    cr_assert(disk->read(disk, path, &kept, NULL) == STATUS_OK);
    cr_assert(strcmp(buffer_text(&kept), buffer_text(&printed)) == 0,
              "make it again: dugnad-server manual >docs/man/dugnad-server.8");
}

Test(program, the_page_names_every_setting_and_every_command)
{
    CLEANUP(buffer_clear) struct buffer page = {.max = SERVER_MANUAL_MAX};

    server_manual(&page);
    for (size_t i = 0; i < server_program.command_count; i++)
        cr_expect(strstr(buffer_text(&page), server_program.commands[i]->name) != NULL, "%s",
                  server_program.commands[i]->name);
    cr_expect(strstr(buffer_text(&page), "requests_per_minute") != NULL);
    cr_expect(page.length < SERVER_MANUAL_MAX / 2, "it may be cut");
    cr_expect(strncmp(buffer_text(&page), ".TH dugnad-server 8 ", 20) == 0);
}

/* `line` is split at its blanks; the program's name is put before it. Returns the exit code. */
static int run_line(const char *line)
{
    CLEANUP(freep) char *copy = text_copy(line);
    const char *words[16] = {"dugnad-server"};
    char *rest = NULL;
    int count = 1;

    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return program_run(&server_program, env_real(), count, words);
}

/* Regression: those of verbs that open the site first ended with 1. */
Test(program, a_wrong_command_line_ends_with_2_before_the_site_is_opened)
{
    static const char *const wrong[] = {
        "token /none new",
        "token /none new --name",
        "token /none new --name x --role king",
        "token /none new --name x --expires 0",
        "token /none new --name x --expires soon",
        "token /none new x --name x",
        "token /none bogus",
        "token /none revoke",
        "token /none revoke x",
        "token /none revoke 0",
        "token /none list extra",
        "volunteer /none add",
        "volunteer /none add \x01",
        "volunteer /none show",
        "volunteer /none list extra",
        "volunteer /none bogus",
        "migrate /none",
        "migrate /none --to nonsense",
        "migrate / --to sqlite",
        "run /",
        "run / --print-config",
        "config /",
        "check /",
        "restore /",
        "token /none list --name x", /* from here on: they were ignored */
        "token /none list --role reader",
        "token /none list --expires 30d",
        "token /none revoke 1 --role reader",
        "token /none revoke 1 --json",
        "token /none new --name x --json",
        "volunteer /none add Ann --json",
        "volunteer /none show Ann --json",
        "config --json",
        "run /none --json",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect(run_line(wrong[i]) == VERB_USAGE, "%s", wrong[i]);
}

/* Regression: `--name` with a line break read: expected "key = value". */
Test(program, a_text_that_no_setting_can_be_is_named_by_its_option)
{
    static const char *const wrong[][2] = {
        {"--name", "init /dev/null/x --url https://h.example --name a\nb"},
        {"--name", "init /dev/null/x --url https://h.example --name a\tb"},
        {"--name", "init /dev/null/x --url https://h.example --name caf\xe9"},
        {"--url", "init /dev/null/x --name x --url https://h.example\n"},
        {"--database",
         "init /dev/null/x --name x --url https://h.example --database postgres://a/b\r"},
        {"--listen", "init /dev/null/x --name x --url https://h.example --listen 0.0.0.0:1\n"},
        {"--key", "init /dev/null/x --name x --url https://h.example --certificate c --key k\n"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CLEANUP(freep) char *said = NULL;
        size_t length;
        FILE *kept = stderr;

        stderr = open_memstream(&said, &length);
        cr_expect(run_line(wrong[i][1]) == VERB_USAGE, "%zu", i);
        (void)fclose(stderr);
        stderr = kept;
        cr_expect(strstr(said, wrong[i][0]) != NULL && strstr(said, "one line") != NULL, "%zu: %s",
                  i, said);
    }
}

Test(program, a_right_command_line_for_a_site_that_is_not_there_ends_with_1)
{
    static const char *const right[] = {
        "token /none new --name x --expires 1s",
        "token /none list",
        "token /none revoke 1",
        "volunteer /none add Ann",
        "volunteer /none list",
        "volunteer /none show Ann",
        "migrate /none --to sqlite",
    };

    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        cr_expect(run_line(right[i]) == VERB_FAILED, "%s", right[i]);
}
