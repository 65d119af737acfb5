/*
 * One value of an object or list, checked by members_...() and list_...(): the only users. Each
 * function returns a zero value when there is none to read or it fails, and lets the outermost
 * reader know.
 */
#ifndef COMMON_JSON_ITEM_H
#define COMMON_JSON_ITEM_H

#include <stdarg.h>

#include "common/json/members.h"

struct item {
    json_t *value; /* borrowed; NULL: something failed before */
    struct members_place place;
};

/* "<place> <words>"; the first failure of a reader wins. */
void place_fail(const struct members_place *place, const char *code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void place_fail_words(const struct members_place *place, const char *code, const char *fmt,
                      va_list args);

int64_t item_integer(const struct item *item, int64_t min, int64_t max);

/* NULL: it failed. */
const char *item_string(const struct item *item, size_t min, size_t max);
const char *item_plain(const struct item *item, size_t min, size_t max, bool lines_allowed);
const char *item_file_name(const struct item *item);
size_t item_choice(const struct item *item, const char *const *words, size_t count);
struct digest item_digest(const struct item *item);
struct public_key item_public_key(const struct item *item);
void item_hex(const struct item *item, void *ret_bytes, size_t count);
void item_object(const struct item *item, struct members *ret_part);

#endif
