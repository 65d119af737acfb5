#include "common/json/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

json_t *build(json_t *value)
{
    if (value == NULL) {
        (void)fputs("a bug: JSON was to be made of text that is not UTF-8\n", stderr);
        abort();
    }
    return value;
}

json_t *build_text(const char *text)
{
    CLEANUP(freep) char *clean = NULL;

    if (text_is_utf8(text, strlen(text)))
        return build(json_string(text));
    clean = text_sanitised(text);
    return build(json_string(clean));
}

void build_append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, build(value)) != 0)
        abort();
}

void build_set(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, build(value)) != 0)
        abort();
}

char *build_print(const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);

    if (text == NULL)
        abort();
    return text;
}
