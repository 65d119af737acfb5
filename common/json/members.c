#include "common/json/members.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"

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

static void fail(const struct members_place *place, const char *code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void fail_words(const struct members_place *place, const char *code, const char *fmt,
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

static void fail(const struct members_place *place, const char *code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fail_words(place, code, fmt, args);
    va_end(args);
}

void members_fail(struct members *members, const char *name, const char *code, const char *fmt, ...)
{
    struct members_place place = {.owner = members, .name = name, .index = MEMBERS_NO_INDEX};
    va_list args;

    va_start(args, fmt);
    fail_words(&place, code, fmt, args);
    va_end(args);
}

void members_begin(struct members *ret_members, json_t *object, struct error *err)
{
    *ret_members = (struct members){.object = object, .outermost = ret_members, .err = err};
    if (!json_is_object(object)) {
        ret_members->status = error_set(err, STATUS_INVALID, "it is not an object");
        error_code(err, "malformed");
    }
}

void members_begin_lenient(struct members *ret_members, json_t *object, struct error *err)
{
    members_begin(ret_members, object, err);
    ret_members->is_lenient = true;
}

static bool was_asked(const struct members *members, const char *name)
{
    for (size_t i = 0; i < members->asked_count; i++)
        if (strcmp(members->asked[i], name) == 0)
            return true;
    return false;
}

static void refuse_unknown(struct members *members)
{
    const char *name;
    json_t *value;

    json_object_foreach(members->object, name, value)
    {
        char shown[48];

        if (was_asked(members, name))
            continue;
        (void)snprintf(shown, sizeof shown, "%s", name);
        text_sanitise(shown, strlen(shown));
        members_fail(members, shown, "unknown-member", "is an unknown member");
        return;
    }
}

enum status members_end(struct members *members)
{
    if (!members_failed(members) && !members->outermost->is_lenient)
        refuse_unknown(members);
    return members->outermost->status;
}

void members_end_part(struct members *part)
{
    enum status status = members_end(part);

    (void)status;
}

bool members_failed(const struct members *members)
{
    return members->outermost->status != STATUS_OK;
}

bool members_has(const struct members *members, const char *name)
{
    return !members_failed(members) && json_object_get(members->object, name) != NULL;
}

/* A value on its way to being checked: NULL once anything has failed. */
struct item {
    json_t *value;
    struct members_place place;
};

static struct item take(struct members *members, const char *name)
{
    struct item item = {
        .place = {.owner = members, .name = name, .index = MEMBERS_NO_INDEX},
    };

    if (members_failed(members))
        return item;
    assert(members->asked_count < MEMBERS_MAX && !was_asked(members, name));
    members->asked[members->asked_count++] = name;
    item.value = json_object_get(members->object, name);
    if (item.value == NULL)
        fail(&item.place, "malformed", "is missing");
    return item;
}

static struct item take_from(struct members_list *list, size_t index)
{
    struct item item = {
        .place = {.owner = list->owner, .name = list->name, .index = index},
    };

    if (!members_failed(list->owner)) {
        assert(index < list->count);
        item.value = json_array_get(list->array, index);
    }
    return item;
}

static int64_t read_integer(const struct item *item, int64_t min, int64_t max)
{
    int64_t value;

    if (item->value == NULL)
        return 0;
    value = json_integer_value(item->value);
    if (json_is_integer(item->value) && value >= min && value <= max)
        return value;
    fail(&item->place, json_is_number(item->value) ? "bad-number" : "malformed",
         "is not an integer %lld..%lld", (long long)min, (long long)max);
    return 0;
}

/* NULL: it failed. */
static const char *read_string(const struct item *item, size_t min, size_t max)
{
    size_t length;

    if (item->value == NULL)
        return NULL;
    length = json_string_length(item->value);
    if (json_is_string(item->value) && length >= min && length <= max &&
        strlen(json_string_value(item->value)) == length)
        return json_string_value(item->value);
    fail(&item->place, "malformed", "is not a text of %zu..%zu bytes", min, max);
    return NULL;
}

static const char *read_plain(const struct item *item, size_t min, size_t max, bool lines_allowed)
{
    const char *text = read_string(item, min, max);

    if (text == NULL || text_is_plain(text, strlen(text), lines_allowed))
        return text != NULL ? text : "";
    fail(&item->place, "malformed", "has control or direction characters");
    return "";
}

static const char *read_file_name(const struct item *item)
{
    if (item->value == NULL)
        return "";
    if (json_is_string(item->value) && text_is_file_name(json_string_value(item->value)) &&
        json_string_length(item->value) == strlen(json_string_value(item->value)))
        return json_string_value(item->value);
    fail(&item->place, "bad-file-name",
         "is not a file name: letters, digits, '_', and '.' or '-' within, up to %d",
         TEXT_FILE_NAME_MAX);
    return "";
}

static size_t read_choice(const struct item *item, const char *const *words, size_t count)
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
    fail(&item->place, "malformed", "is not one of: %s", choices.text);
    return 0;
}

static struct digest read_digest(const struct item *item)
{
    const char *text = json_string_value(item->value);
    struct digest digest = {{0}};

    if (item->value != NULL && (text == NULL || !digest_parse(text, &digest)))
        fail(&item->place, "malformed", "is not a digest: sha256: and 64 lower-case digits");
    return digest;
}

static struct public_key read_public_key(const struct item *item)
{
    const char *text = json_string_value(item->value);
    struct public_key key = {{0}};
    struct error cause = {.code = "malformed"};

    if (item->value == NULL)
        return key;
    if (text == NULL || public_key_parse(text, &key, &cause) != STATUS_OK)
        fail(&item->place, cause.code,
             "is not a public key fit for use: ed25519: and 43 characters of base64url");
    return key;
}

static void read_hex(const struct item *item, void *ret_bytes, size_t count)
{
    const char *text = json_string_value(item->value);

    memset(ret_bytes, 0, count);
    if (item->value != NULL && (text == NULL || !text_to_exact_bytes(text, count, ret_bytes)))
        fail(&item->place, "malformed", "is not %zu lower-case hexadecimal digits", 2 * count);
}

static void read_object(const struct item *item, struct members *ret_part)
{
    *ret_part = (struct members){
        .object = item->value,
        .place = item->place,
        .outermost = item->place.owner->outermost,
    };
    if (item->value != NULL && !json_is_object(item->value))
        fail(&item->place, "malformed", "is not an object");
}

void members_type(struct members *members, const char *type)
{
    struct item item = take(members, "type");
    const char *text = json_string_value(item.value);

    if (item.value != NULL && (text == NULL || strcmp(text, type) != 0))
        fail(&item.place, "malformed", "is not %s", type);
}

int64_t members_integer(struct members *members, const char *name, int64_t min, int64_t max)
{
    struct item item = take(members, name);

    return read_integer(&item, min, max);
}

int64_t members_integer_or(struct members *members, const char *name, int64_t min, int64_t max,
                           int64_t absent)
{
    return members_has(members, name) ? members_integer(members, name, min, max) : absent;
}

bool members_boolean(struct members *members, const char *name)
{
    struct item item = take(members, name);

    if (item.value != NULL && !json_is_boolean(item.value))
        fail(&item.place, "malformed", "is neither true nor false");
    return json_is_true(item.value);
}

bool members_boolean_or(struct members *members, const char *name, bool absent)
{
    return members_has(members, name) ? members_boolean(members, name) : absent;
}

const char *members_text(struct members *members, const char *name, size_t min, size_t max)
{
    struct item item = take(members, name);

    return read_plain(&item, min, max, false);
}

void members_copy_text(struct members *members, const char *name, char *ret_text, size_t size)
{
    (void)text_fit(ret_text, size, members_text(members, name, 0, size - 1));
}

const char *members_lines(struct members *members, const char *name, size_t max)
{
    struct item item = take(members, name);

    return read_plain(&item, 0, max, true);
}

const char *members_raw_text(struct members *members, const char *name, size_t max)
{
    struct item item = take(members, name);
    const char *text = read_string(&item, 0, max);

    return text != NULL ? text : "";
}

const char *members_file_name(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return read_file_name(&item);
}

size_t members_choice(struct members *members, const char *name, const char *const *words,
                      size_t count)
{
    struct item item = take(members, name);

    return read_choice(&item, words, count);
}

struct digest members_digest(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return read_digest(&item);
}

struct public_key members_public_key(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return read_public_key(&item);
}

void members_hex(struct members *members, const char *name, void *ret_bytes, size_t count)
{
    struct item item = take(members, name);

    read_hex(&item, ret_bytes, count);
}

size_t members_base64(struct members *members, const char *name, void *ret_bytes, size_t max)
{
    struct item item = take(members, name);
    const char *text = json_string_value(item.value);
    size_t count = 0;

    if (item.value != NULL && (text == NULL || !base64_decode(text, json_string_length(item.value),
                                                              ret_bytes, max, &count)))
        fail(&item.place, "malformed", "is not base64 of up to %zu bytes", max);
    return members_failed(members) ? 0 : count;
}

void *members_base64_copy(struct members *members, const char *name, size_t max, size_t *ret_count)
{
    struct item item = take(members, name);
    const char *text = json_string_value(item.value);
    size_t length = json_string_length(item.value);
    CLEANUP(freep) char *bytes = NULL;

    *ret_count = 0;
    if (item.value == NULL)
        return NULL;
    if (text != NULL && length <= BASE64_CHARS(max)) {
        bytes = must_alloc(BASE64_BYTES(length) + 1, 1);
        if (base64_decode(text, length, bytes, max, ret_count))
            return TAKE(bytes);
    }
    fail(&item.place, "malformed", "is not base64 of up to %zu bytes", max);
    return NULL;
}

void members_object(struct members *members, const char *name, struct members *ret_part)
{
    struct item item = take(members, name);

    read_object(&item, ret_part);
}

json_t *members_json(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return item.value;
}

struct members_list members_list(struct members *members, const char *name, size_t min, size_t max)
{
    struct item item = take(members, name);
    struct members_list list = {.owner = members, .name = name, .array = item.value};
    size_t count = json_array_size(item.value);

    if (item.value != NULL && (!json_is_array(item.value) || count < min || count > max))
        fail(&item.place, "malformed", "is not a list of %zu..%zu", min, max);
    list.count = members_failed(members) ? 0 : count;
    return list;
}

void list_object(struct members_list *list, size_t index, struct members *ret_part)
{
    struct item item = take_from(list, index);

    read_object(&item, ret_part);
}

json_t *list_json(struct members_list *list, size_t index)
{
    return take_from(list, index).value;
}

int64_t list_integer(struct members_list *list, size_t index, int64_t min, int64_t max)
{
    struct item item = take_from(list, index);

    return read_integer(&item, min, max);
}

const char *list_text(struct members_list *list, size_t index, size_t min, size_t max)
{
    struct item item = take_from(list, index);

    return read_plain(&item, min, max, false);
}

const char *list_file_name(struct members_list *list, size_t index)
{
    struct item item = take_from(list, index);

    return read_file_name(&item);
}

size_t list_choice(struct members_list *list, size_t index, const char *const *words, size_t count)
{
    struct item item = take_from(list, index);

    return read_choice(&item, words, count);
}

struct digest list_digest(struct members_list *list, size_t index)
{
    struct item item = take_from(list, index);

    return read_digest(&item);
}

struct public_key list_public_key(struct members_list *list, size_t index)
{
    struct item item = take_from(list, index);

    return read_public_key(&item);
}

void list_hex(struct members_list *list, size_t index, void *ret_bytes, size_t count)
{
    struct item item = take_from(list, index);

    read_hex(&item, ret_bytes, count);
}
