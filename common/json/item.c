#include "common/json/item.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define WHERE_MAX 120 /* bytes of a place's name in the words of a failure */

struct where {
    char text[WHERE_MAX];
    size_t length;
};

static void where_add(struct where *where, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void where_add(struct where *where, const char *fmt, ...)
{
    size_t left = sizeof where->text - where->length;
    va_list args;
    int written;

    va_start(args, fmt);
    written = vsnprintf(where->text + where->length, left, fmt, args);
    va_end(args);
    assert(written >= 0);
    where->length += (size_t)written < left ? (size_t)written : left - 1;
}

/* "inputs[3].size". Parts nest no deeper than the JSON was allowed to. */
static void where_place(struct where *where, const struct members_place *place)
{
    if (place->owner == NULL)
        return;
    where_place(where, &place->owner->place);
    where_add(where, "%s%s", where->length > 0 ? "." : "", place->name);
    if (place->index != MEMBERS_NO_INDEX)
        where_add(where, "[%zu]", place->index);
}

void place_fail_words(const struct members_place *place, const char *code, const char *fmt,
                      va_list args)
{
    struct members *outermost = place->owner->outermost;
    struct where where = {.length = 0};
    char words[160];

    if (outermost->status != STATUS_OK)
        return;
    where_place(&where, place);
    (void)vsnprintf(words, sizeof words, fmt, args);
    outermost->status = error_set(outermost->err, STATUS_INVALID, "%s %s", where.text, words);
    error_code(outermost->err, code);
}

void place_fail(const struct members_place *place, const char *code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    place_fail_words(place, code, fmt, args);
    va_end(args);
}

int64_t item_integer(const struct item *item, int64_t min, int64_t max)
{
    int64_t value;

    if (item->value == NULL)
        return 0;
    value = json_integer_value(item->value);
    if (json_is_integer(item->value) && value >= min && value <= max)
        return value;
    place_fail(&item->place, json_is_number(item->value) ? "bad-number" : "malformed",
               "is not an integer %lld..%lld", (long long)min, (long long)max);
    return 0;
}

/* NULL: it failed. */
const char *item_string(const struct item *item, size_t min, size_t max)
{
    size_t length;

    if (item->value == NULL)
        return NULL;
    length = json_string_length(item->value);
    if (json_is_string(item->value) && length >= min && length <= max &&
        strlen(json_string_value(item->value)) == length)
        return json_string_value(item->value);
    place_fail(&item->place, "malformed", "is not a text of %zu..%zu bytes", min, max);
    return NULL;
}

const char *item_plain(const struct item *item, size_t min, size_t max, bool lines_allowed)
{
    const char *text = item_string(item, min, max);

    if (text == NULL || text_is_plain(text, strlen(text), lines_allowed))
        return text != NULL ? text : "";
    place_fail(&item->place, "malformed", "has control or direction characters");
    return "";
}

const char *item_file_name(const struct item *item)
{
    if (item->value == NULL)
        return "";
    if (json_is_string(item->value) && text_is_file_name(json_string_value(item->value)) &&
        json_string_length(item->value) == strlen(json_string_value(item->value)))
        return json_string_value(item->value);
    place_fail(&item->place, "bad-file-name",
               "is not a file name: letters, digits, '_', and '.' or '-' within, up to %d",
               TEXT_FILE_NAME_MAX);
    return "";
}

size_t item_choice(const struct item *item, const char *const *words, size_t count)
{
    const char *text = json_string_value(item->value);
    struct where choices = {.length = 0};

    if (item->value == NULL)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (text != NULL && strcmp(text, words[i]) == 0)
            return i;
        where_add(&choices, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    place_fail(&item->place, "malformed", "is not one of: %s", choices.text);
    return 0;
}

struct digest item_digest(const struct item *item)
{
    const char *text = json_string_value(item->value);
    struct digest digest = {{0}};

    if (item->value != NULL && (text == NULL || !digest_parse(text, &digest)))
        place_fail(&item->place, "malformed", "is not a digest: sha256: and 64 lower-case digits");
    return digest;
}

struct public_key item_public_key(const struct item *item)
{
    const char *text = json_string_value(item->value);
    struct public_key key = {{0}};
    struct error cause = {.code = "malformed"};

    if (item->value == NULL)
        return key;
    if (text != NULL && public_key_parse(text, &key, &cause) == STATUS_OK)
        return key;
    place_fail(&item->place, cause.code,
               strcmp(cause.code, "small-order-key") == 0
                   ? "is not a public key fit for use: its order is small, so it protects nothing"
                   : "is not a public key fit for use: ed25519: and 43 characters of base64url");
    return key;
}

void item_hex(const struct item *item, void *ret_bytes, size_t count)
{
    const char *text = json_string_value(item->value);

    memset(ret_bytes, 0, count);
    if (item->value != NULL && (text == NULL || !text_to_exact_bytes(text, count, ret_bytes)))
        place_fail(&item->place, "malformed", "is not %zu lower-case hexadecimal digits",
                   2 * count);
}

void item_object(const struct item *item, struct members *ret_part)
{
    *ret_part = (struct members){
        .object = item->value,
        .place = item->place,
        .outermost = item->place.owner->outermost,
    };
    if (item->value != NULL && !json_is_object(item->value))
        place_fail(&item->place, "malformed", "is not an object");
}
