#include <string.h>

#include "common/base/text.h"
#include "server/http/chars.h"
#include "server/http/head.h"

/* Decode percent signs, and '+' if it is a blank here. False: not plain UTF-8, or too long. */
static bool decode(const char *text, size_t length, bool plus_is_blank,
                   struct http_value *ret_value)
{
    size_t made = 0;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (made == HTTP_VALUE_MAX)
            return false;
        if (c == '%') {
            if (i + 2 >= length || http_hex_value(text[i + 1]) < 0 ||
                http_hex_value(text[i + 2]) < 0)
                return false;
            c = (char)(http_hex_value(text[i + 1]) << 4 | http_hex_value(text[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        ret_value->text[made++] = c;
    }
    ret_value->text[made] = '\0';
    return text_is_plain(ret_value->text, made, false);
}

/* One "name=value" of a query; moves on to the next. False: there is none. */
struct parameter {
    const char *name, *value;
    size_t name_length, value_length;
};

static bool next_parameter(const char **rest, struct parameter *ret_parameter)
{
    const char *start = *rest + strspn(*rest, "&");
    size_t length = strcspn(start, "&");
    const char *equals = memchr(start, '=', length);

    if (length == 0)
        return false;
    *rest = start + length;
    *ret_parameter = (struct parameter){.name = start, .name_length = length, .value = *rest};
    if (equals != NULL) {
        ret_parameter->name_length = (size_t)(equals - start);
        ret_parameter->value = equals + 1;
        ret_parameter->value_length = length - ret_parameter->name_length - 1;
    }
    return true;
}

static bool is_named(const struct parameter *parameter, const char *name)
{
    struct http_value decoded;

    return decode(parameter->name, parameter->name_length, true, &decoded) &&
           strcmp(decoded.text, name) == 0;
}

enum status http_head_parameter(const struct http_head *head, const char *name,
                                struct http_value *ret_value, struct error *err)
{
    const char *rest = head->query;
    struct parameter parameter, found = {0};

    while (next_parameter(&rest, &parameter)) {
        if (!is_named(&parameter, name))
            continue;
        if (found.name != NULL)
            return error_set(err, STATUS_INVALID, "the parameter %s is there twice", name);
        found = parameter;
    }
    if (found.name == NULL)
        return error_set(err, STATUS_NOT_FOUND, "the parameter %s is missing", name);
    if (!decode(found.value, found.value_length, true, ret_value))
        return error_set(err, STATUS_INVALID,
                         "the parameter %s is not plain UTF-8 of up to %d bytes", name,
                         HTTP_VALUE_MAX);
    return STATUS_OK;
}

enum status http_head_parameter_integer(const struct http_head *head, const char *name, int64_t min,
                                        int64_t max, int64_t otherwise, int64_t *ret_value,
                                        struct error *err)
{
    struct http_value value;
    enum status status = http_head_parameter(head, name, &value, err);

    if (status == STATUS_NOT_FOUND) {
        *ret_value = otherwise;
        return STATUS_OK;
    }
    if (status == STATUS_OK && !text_to_integer(value.text, min, max, ret_value))
        return error_set(err, STATUS_INVALID, "the parameter %s is not an integer %lld to %lld",
                         name, (long long)min, (long long)max);
    return status;
}

static bool is_listed(const struct parameter *parameter, const char *const *names)
{
    for (; *names != NULL; names++)
        if (is_named(parameter, *names))
            return true;
    return false;
}

enum status http_head_only_parameters(const struct http_head *head, const char *const *names,
                                      struct error *err)
{
    const char *rest = head->query;
    struct parameter parameter;

    while (next_parameter(&rest, &parameter))
        if (!is_listed(&parameter, names))
            return error_set(err, STATUS_INVALID, "there is no parameter %.*s here",
                             (int)(parameter.name_length < 60 ? parameter.name_length : 60),
                             parameter.name);
    return STATUS_OK;
}

bool http_path_fits(const char *path, const char *pattern, struct http_segments *ret_segments)
{
    ret_segments->count = 0;
    while (*pattern != '\0') {
        if (pattern[0] == '{' && pattern[1] == '}') {
            struct http_value *value = &ret_segments->at[ret_segments->count];
            size_t length = strcspn(path, "/");

            if (length == 0 || ret_segments->count == HTTP_SEGMENTS_MAX ||
                !decode(path, length, false, value) || strchr(value->text, '/') != NULL)
                return false;
            ret_segments->count++;
            path += length;
            pattern += 2;
        } else if (*path++ != *pattern++) {
            return false;
        }
    }
    return *path == '\0';
}
