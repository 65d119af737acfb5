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

static bool is_line(const char *line, const char *words)
{
    size_t length = strcspn(line, "\n");

    return length == strlen(words) && strncmp(line, words, length) == 0;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

static bool is_setting(const char *line)
{
    line += strspn(line, " \t\r");
    return *line != '\n' && *line != '\0' && *line != '#' && *line != ';';
}

enum config_end config_end_of(const char *text)
{
    bool is_promised = strncmp(text, CONFIG_HEAD, strlen(CONFIG_HEAD)) == 0;
    enum config_end end = is_promised ? CONFIG_END_LOST : CONFIG_END_UNSAID;

    for (; *text != '\0'; text = next_line(text)) {
        if (is_line(text, CONFIG_END))
            end = CONFIG_END_THERE;
        else if (end == CONFIG_END_THERE && is_setting(text))
            end = CONFIG_END_PASSED;
    }
    return end;
}

enum status config_replace(const char *text, const char *key, const char *value,
                           struct buffer *ret_text, struct error *err)
{
    bool has_end = false;

    for (; *text != '\0'; text = next_line(text)) {
        has_end = has_end || is_line(text, CONFIG_END);
        if (gives(text, key) || is_line(text, CONFIG_END))
            continue;
        TRY(buffer_append(ret_text, text, strcspn(text, "\n"), err));
        TRY(buffer_append_text(ret_text, "\n", err));
    }
    if (*value != '\0')
        TRY(buffer_printf(ret_text, err, "%s = %s\n", key, value));
    return has_end ? buffer_append_text(ret_text, CONFIG_END "\n", err) : STATUS_OK;
}
