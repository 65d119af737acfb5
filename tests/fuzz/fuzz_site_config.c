/* Whatever stands in site.conf is refused with its line, or can be printed and read again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "server/site/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct config config, again;
    CLEANUP(buffer_clear) struct buffer printed = {.max = CONFIG_FILE_MAX};
    CLEANUP(freep) char *text = text_copy_n((const char *)bytes, length);
    struct error err = {0};

    if (length > CONFIG_FILE_MAX || config_parse(text, &config, &err) != STATUS_OK)
        return 0;
    assert(config.threads >= 1 && config.threads <= 64);
    assert(config.listen.count <= CONFIG_LIST_MAX);
    config_print(&config, &printed);
    assert(config_parse(buffer_text(&printed), &again, &err) == STATUS_OK);
    return 0;
}
