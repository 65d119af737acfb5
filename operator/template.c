#include "operator/template.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"

#define WORD_SHOWN 40 /* characters of a wrong one */

enum place { PLACE_FROM, PLACE_TO, PLACE_INPUT, PLACE_NAME, PLACE_INDEX, PLACE_NONE };

static const char *const places[] = {"{from}", "{to}", "{input}", "{name}", "{index}"};

/* The length of a word in braces at the start of `text`, such as "{from}"; 0: there is none. */
static size_t braced(const char *text)
{
    size_t length = 1;

    if (text[0] != '{' || !isalpha((unsigned char)text[1]))
        return 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_' || text[length] == '-')
        length++;
    return text[length] == '}' ? length + 1 : 0;
}

/* Of "{{from}}", which stands for "{from}". */
static size_t doubly_braced(const char *text)
{
    size_t length = text[0] == '{' ? braced(text + 1) : 0;

    return length != 0 && text[1 + length] == '}' ? length + 2 : 0;
}

static enum place place_at(const char *text)
{
    for (int place = 0; place < PLACE_NONE; place++)
        if (text_starts_with(text, places[place]))
            return (enum place)place;
    return PLACE_NONE;
}

static enum status check_known(const char *text, struct error *err)
{
    int length = (int)braced(text);

    if (length == 0 || place_at(text) != PLACE_NONE)
        return STATUS_OK;
    length = length < WORD_SHOWN ? length : WORD_SHOWN;
    return error_set(err, STATUS_INVALID,
                     "%.*s stands for nothing; {from} {to} {input} {name} {index} do. For the text "
                     "itself double the braces: {%.*s}",
                     length, text, length, text);
}

/* An encoder could not keep other bytes, and a program must not be given fewer words than typed. */
static enum status check_utf8(const char *text, struct error *err)
{
    CLEANUP(freep) char *shown = NULL;

    if (text_is_utf8(text, strlen(text)))
        return STATUS_OK;
    shown = text_sanitised(text);
    return error_set(err, STATUS_INVALID,
                     "the argument \"%.100s\" is not UTF-8, and only UTF-8 can be signed", shown);
}

enum status template_check(const char *text, struct error *err)
{
    TRY(check_utf8(text, err));
    while (*text != '\0') {
        size_t literal = doubly_braced(text);

        if (literal == 0)
            TRY(check_known(text, err));
        text += literal != 0 ? literal : 1;
    }
    return STATUS_OK;
}

static enum status put_input(const struct template_values *values, struct buffer *out,
                             struct error *err)
{
    if (values->inputs->count == 1)
        return buffer_append_text(out, values->inputs->texts[0], err);
    return error_set(err, STATUS_INVALID,
                     "{input} within other text needs units of one input; unit %.60s has %zu",
                     values->name, values->inputs->count);
}

static enum status put_value(enum place place, const struct template_values *values,
                             struct buffer *out, struct error *err)
{
    if ((place == PLACE_FROM || place == PLACE_TO) && !values->has_range)
        return error_set(err, STATUS_INVALID, "%s is used, but there is no --range", places[place]);
    switch (place) {
    case PLACE_FROM:
        return buffer_printf(out, err, "%" PRId64, values->from);
    case PLACE_TO:
        return buffer_printf(out, err, "%" PRId64, values->to);
    case PLACE_INDEX:
        return buffer_printf(out, err, "%" PRId64, values->index);
    case PLACE_NAME:
        return buffer_append_text(out, values->name, err);
    default:
        return put_input(values, out, err);
    }
}

/* One place, text in double braces or character. */
static enum status put_next(const char **text, const struct template_values *values,
                            struct buffer *out, struct error *err)
{
    size_t literal = doubly_braced(*text);
    enum place place = place_at(*text);
    const char *start = *text;

    if (literal != 0) {
        *text += literal;
        return buffer_append(out, start + 1, literal - 2, err);
    }
    *text += place != PLACE_NONE ? strlen(places[place]) : 1;
    if (place != PLACE_NONE)
        return put_value(place, values, out, err);
    return buffer_append(out, start, 1, err);
}

enum status template_expand(const char *text, const struct template_values *values,
                            struct texts *arguments, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer out = {0};

    if (strcmp(text, places[PLACE_INPUT]) == 0) {
        if (values->inputs->count == 0)
            return error_set(err, STATUS_INVALID, "{input} is used, but unit %.60s has no input",
                             values->name);
        for (size_t i = 0; i < values->inputs->count; i++)
            texts_add(arguments, values->inputs->texts[i]);
        return STATUS_OK;
    }
    TRY(template_check(text, err));
    buffer_init(&out, ARGUMENT_MAX);
    while (*text != '\0')
        TRY(put_next(&text, values, &out, err));
    texts_add(arguments, buffer_text(&out));
    return STATUS_OK;
}
