#include "common/json/members.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/json/item.h"

void members_fail(struct members *members, const char *name, const char *code, const char *fmt, ...)
{
    struct members_place place = {.owner = members, .name = name, .index = MEMBERS_NO_INDEX};
    va_list args;

    va_start(args, fmt);
    place_fail_words(&place, code, fmt, args);
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
        place_fail(&item.place, "malformed", "is missing");
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

void members_type(struct members *members, const char *type)
{
    struct item item = take(members, "type");
    const char *text = json_string_value(item.value);

    if (item.value != NULL && (text == NULL || strcmp(text, type) != 0))
        place_fail(&item.place, "malformed", "is not %s", type);
}

int64_t members_integer(struct members *members, const char *name, int64_t min, int64_t max)
{
    struct item item = take(members, name);

    return item_integer(&item, min, max);
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
        place_fail(&item.place, "malformed", "is neither true nor false");
    return json_is_true(item.value);
}

bool members_boolean_or(struct members *members, const char *name, bool absent)
{
    return members_has(members, name) ? members_boolean(members, name) : absent;
}

const char *members_text(struct members *members, const char *name, size_t min, size_t max)
{
    struct item item = take(members, name);

    return item_plain(&item, min, max, false);
}

void members_copy_text(struct members *members, const char *name, char *ret_text, size_t size)
{
    (void)text_fit(ret_text, size, members_text(members, name, 0, size - 1));
}

const char *members_lines(struct members *members, const char *name, size_t max)
{
    struct item item = take(members, name);

    return item_plain(&item, 0, max, true);
}

const char *members_raw_text(struct members *members, const char *name, size_t max)
{
    struct item item = take(members, name);
    const char *text = item_string(&item, 0, max);

    return text != NULL ? text : "";
}

const char *members_file_name(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return item_file_name(&item);
}

size_t members_choice(struct members *members, const char *name, const char *const *words,
                      size_t count)
{
    struct item item = take(members, name);

    return item_choice(&item, words, count);
}

struct digest members_digest(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return item_digest(&item);
}

struct public_key members_public_key(struct members *members, const char *name)
{
    struct item item = take(members, name);

    return item_public_key(&item);
}

void members_hex(struct members *members, const char *name, void *ret_bytes, size_t count)
{
    struct item item = take(members, name);

    item_hex(&item, ret_bytes, count);
}

size_t members_base64(struct members *members, const char *name, void *ret_bytes, size_t max)
{
    struct item item = take(members, name);
    const char *text = json_string_value(item.value);
    size_t count = 0;

    if (item.value != NULL && (text == NULL || !base64_decode(text, json_string_length(item.value),
                                                              ret_bytes, max, &count)))
        place_fail(&item.place, "malformed", "is not base64 of up to %zu bytes", max);
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
    place_fail(&item.place, "malformed", "is not base64 of up to %zu bytes", max);
    return NULL;
}

void members_object(struct members *members, const char *name, struct members *ret_part)
{
    struct item item = take(members, name);

    item_object(&item, ret_part);
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
        place_fail(&item.place, "malformed", "is not a list of %zu..%zu", min, max);
    list.count = members_failed(members) ? 0 : count;
    return list;
}

void list_object(struct members_list *list, size_t index, struct members *ret_part)
{
    struct item item = take_from(list, index);

    item_object(&item, ret_part);
}

json_t *list_json(struct members_list *list, size_t index)
{
    return take_from(list, index).value;
}

int64_t list_integer(struct members_list *list, size_t index, int64_t min, int64_t max)
{
    struct item item = take_from(list, index);

    return item_integer(&item, min, max);
}

const char *list_text(struct members_list *list, size_t index, size_t min, size_t max)
{
    struct item item = take_from(list, index);

    return item_plain(&item, min, max, false);
}

const char *list_file_name(struct members_list *list, size_t index)
{
    struct item item = take_from(list, index);

    return item_file_name(&item);
}

size_t list_choice(struct members_list *list, size_t index, const char *const *words, size_t count)
{
    struct item item = take_from(list, index);

    return item_choice(&item, words, count);
}

struct digest list_digest(struct members_list *list, size_t index)
{
    struct item item = take_from(list, index);

    return item_digest(&item);
}

struct public_key list_public_key(struct members_list *list, size_t index)
{
    struct item item = take_from(list, index);

    return item_public_key(&item);
}

void list_hex(struct members_list *list, size_t index, void *ret_bytes, size_t count)
{
    struct item item = take_from(list, index);

    item_hex(&item, ret_bytes, count);
}
