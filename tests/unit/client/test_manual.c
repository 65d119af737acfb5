/* docs/man/dugnad-client.1 is what the program prints: `dugnad-client manual`. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/config.h"
#include "client/program.h"
#include "common/base/text.h"
#include "common/env/real.h"

Test(manual, the_page_in_docs_is_the_one_that_the_program_prints)
{
    CLEANUP(buffer_clear) struct buffer printed = {.max = 1 << 20};
    CLEANUP(buffer_clear) struct buffer kept = {.max = 1 << 20};
    const char *source = getenv("DUGNAD_SOURCE");
    struct disk *disk = disk_real();
    struct disk_path path;

    if (source == NULL)
        cr_skip_test("DUGNAD_SOURCE is not set");
    program_manual(&client_program, &printed);
    (void)buffer_append_text(&printed, ".SH SETTINGS\n.nf\n", NULL);
    client_config_describe(&printed);
    (void)buffer_append_text(&printed, ".fi\n", NULL);
    cr_assert(disk_join(&path, NULL, "%s/docs/man/dugnad-client.1", source) == STATUS_OK);
    cr_assert(disk->read(disk, path.text, &kept, NULL) == STATUS_OK);
    cr_assert(strcmp(buffer_text(&kept), buffer_text(&printed)) == 0,
              "make it again: dugnad-client manual >docs/man/dugnad-client.1");
}
