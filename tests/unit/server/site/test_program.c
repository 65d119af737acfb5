/* docs/man/dugnad-server.8 is what the program prints: `dugnad-server manual`. */
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
