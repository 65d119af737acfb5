/*
 * A strict reader of JSON objects. Each function takes one member, checks it against its limits and
 * returns its value. The first failure is kept, named ("inputs[3].size is not a number 0..1000"),
 * and makes every later read return a zero value ("" for texts, none for digests), so a decoder
 * reads straight down and asks once, at members_end(). What was not read is unknown, and refused.
 *
 *     struct members root, limits;
 *     members_begin(&root, json, err);
 *     members_type(&root, THING_TYPE);
 *     thing.size = members_integer(&root, "size", 0, THING_SIZE_MAX);
 *     if (members_has(&root, "note"))
 *         members_copy_text(&root, "note", thing.note, sizeof thing.note);
 *     members_object(&root, "limits", &limits);
 *     thing.limits.cores = members_integer(&limits, "cores", 1, 1024);
 *     members_end_part(&limits);
 *     return members_end(&root);
 *
 * Failures are STATUS_INVALID with the code "unknown-member", "bad-number", "bad-file-name",
 * "small-order-key" or "malformed". A member that is null counts as there, and is of the wrong
 * type. Pointers returned live as long as the JSON.
 */
#ifndef COMMON_JSON_MEMBERS_H
#define COMMON_JSON_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/keys.h"

#define MEMBERS_MAX 48 /* different members that one object's reader may ask for */

/* Where a value is, for the words of a failure. */
struct members_place {
    const struct members *owner; /* NULL: this is the outermost object */
    const char *name;
    size_t index; /* in the list of that name; MEMBERS_NO_INDEX: no list */
};
#define MEMBERS_NO_INDEX SIZE_MAX

/* Must not move, and must outlive the readers of its parts. Needs no release. */
struct members {
    json_t *object; /* borrowed; NULL: nothing can be read */
    struct members_place place;
    struct members *outermost; /* holds what follows for all its parts */
    enum status status;
    struct error *err; /* may be NULL */
    bool is_lenient;
    size_t asked_count;
    const char *asked[MEMBERS_MAX]; /* static names */
};

void members_begin(struct members *ret_members, json_t *object, struct error *err);

/* The same, but what nobody asked for is ignored, in the parts as well: replies grow members. */
void members_begin_lenient(struct members *ret_members, json_t *object, struct error *err);

/* The first failure so far, else that of a member nobody asked for, else STATUS_OK. */
enum status members_end(struct members *members) MUST_USE;

/* The same for a part: its failure is found again at the end of the outermost object. */
void members_end_part(struct members *part);

/* Something failed already: worth asking before a long loop. */
bool members_failed(const struct members *members);

/* Fail with words of the caller's: "<where> <words>". `code` is static. The first failure wins. */
void members_fail(struct members *members, const char *name, const char *code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Is it there? Then it must be read as well. */
bool members_has(const struct members *members, const char *name);

/* The member "type" has to be exactly this. */
void members_type(struct members *members, const char *type);

int64_t members_integer(struct members *members, const char *name, int64_t min, int64_t max);
int64_t members_integer_or(struct members *members, const char *name, int64_t min, int64_t max,
                           int64_t absent);
bool members_boolean(struct members *members, const char *name);
bool members_boolean_or(struct members *members, const char *name, bool absent);

/* One line of plain text (text_is_plain()) of min..max bytes. */
const char *members_text(struct members *members, const char *name, size_t min, size_t max);

/* The same into an array, at most size - 1 bytes; may be empty. */
void members_copy_text(struct members *members, const char *name, char *ret_text, size_t size);

/* Several lines of plain text. */
const char *members_lines(struct members *members, const char *name, size_t max);

/* Any text without NUL: not fit to be shown before text_sanitise(). */
const char *members_raw_text(struct members *members, const char *name, size_t max);

/* A file name of the profile (text_is_file_name()). */
const char *members_file_name(struct members *members, const char *name);

/* One of `count` words: its index. */
size_t members_choice(struct members *members, const char *name, const char *const *words,
                      size_t count);

struct digest members_digest(struct members *members, const char *name);
struct public_key members_public_key(struct members *members, const char *name);

/* Lower-case hexadecimal of exactly `count` bytes. */
void members_hex(struct members *members, const char *name, void *ret_bytes, size_t count);

/* Base64 of up to `max` bytes; returns how many. On failure nothing is said of ret_bytes. */
size_t members_base64(struct members *members, const char *name, void *ret_bytes, size_t max);

/* The same into new memory of the caller, NUL-terminated beyond its count; NULL after a failure. */
void *members_base64_copy(struct members *members, const char *name, size_t max, size_t *ret_count);

/* A part, read by a reader of its own, which has an end of its own. */
void members_object(struct members *members, const char *name, struct members *ret_part);

/* Any value, for a reader elsewhere (an envelope in a message); NULL after a failure. */
json_t *members_json(struct members *members, const char *name);

/* A list. Its items are read by index, below `count`; after a failure `count` is 0. */
struct members_list {
    struct members *owner;
    const char *name;
    json_t *array;
    size_t count;
};

struct members_list members_list(struct members *members, const char *name, size_t min, size_t max);

void list_object(struct members_list *list, size_t index, struct members *ret_part);
json_t *list_json(struct members_list *list, size_t index);
int64_t list_integer(struct members_list *list, size_t index, int64_t min, int64_t max);
const char *list_text(struct members_list *list, size_t index, size_t min, size_t max);
const char *list_file_name(struct members_list *list, size_t index);
size_t list_choice(struct members_list *list, size_t index, const char *const *words, size_t count);
struct digest list_digest(struct members_list *list, size_t index);
struct public_key list_public_key(struct members_list *list, size_t index);
void list_hex(struct members_list *list, size_t index, void *ret_bytes, size_t count);

#endif
