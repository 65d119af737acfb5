#include "operator/template.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/buffer.h"

enum place { PLACE_FROM, PLACE_TO, PLACE_INPUT, PLACE_NAME, PLACE_INDEX, PLACE_NONE };

static const char *const places[] = {"{from}", "{to}", "{input}", "{name}", "{index}"};

static enum place place_at(const char *text)
{
    for (int place = 0; place < PLACE_NONE; place++)
        if (text_starts_with(text, places[place]))
            return (enum place)place;
    return PLACE_NONE;
}

bool template_uses(const char *const *texts, size_t count, const char *place)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(texts[i], place) != NULL)
            return true;
    return false;
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
    buffer_init(&out, ARGUMENT_MAX);
    while (*text != '\0') {
        enum place place = place_at(text);

        if (place == PLACE_NONE) {
            TRY(buffer_append(&out, text++, 1, err));
        } else {
            TRY(put_value(place, values, &out, err));
            text += strlen(places[place]);
        }
    }
    texts_add(arguments, buffer_text(&out));
    return STATUS_OK;
}
