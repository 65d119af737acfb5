#include "server/site/config_edit.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/text.h"

static bool gives(const char *line, const char *key)
{
    size_t length = strlen(key);

    line += strspn(line, " \t");
    if (strncmp(line, key, length) != 0)
        return false;
    line += length;
    line += strspn(line, " \t");
    return *line == '=';
}

enum status config_replace(const char *text, const char *key, const char *value,
                           struct buffer *ret_text, struct error *err)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        bool is_whole = text[length] == '\n';

        if (!gives(text, key)) {
            TRY(buffer_append(ret_text, text, length, err));
            TRY(buffer_append_text(ret_text, "\n", err));
        }
        text += length + (is_whole ? 1 : 0);
    }
    return *value != '\0' ? buffer_printf(ret_text, err, "%s = %s\n", key, value) : STATUS_OK;
}
