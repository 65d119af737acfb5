/*
 * The payload profile of JSON (DESIGN §4): UTF-8 without BOM, one object, bounded size and depth,
 * integers only (|n| <= 2^53 - 1, no fraction, exponent or -0), no NUL, no lone surrogates, no
 * member twice. Signed payloads keep it exactly; requests and replies keep it with limits of their
 * own.
 */
#ifndef COMMON_JSON_PROFILE_H
#define COMMON_JSON_PROFILE_H

#include <jansson.h>

#include "common/base/error.h"

#define PROFILE_INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1: any JSON reader can hold it */
#define PROFILE_DEPTH_MAX   8 /* of signed payloads; the outermost object has depth 1 */

struct profile_limits {
    size_t bytes;   /* of the whole text */
    unsigned depth; /* of objects and arrays */
};

/* A signed payload of up to 64 KiB; a keyring of up to 256 KiB. */
extern const struct profile_limits profile_payload;
extern const struct profile_limits profile_keyring;

/*
 * On success *ret_root is an object, to be freed with json_decref() (json_auto_t does it).
 * STATUS_TOO_LARGE: more bytes than allowed (code "malformed"). STATUS_INVALID: outside the
 * profile; code "bad-number", "duplicate-member" or "malformed".
 */
enum status profile_parse(const char *bytes, size_t length, const struct profile_limits *limits,
                          json_t **ret_root, struct error *err) MUST_USE;

/* Compact, members in the order they were set; to be freed. Never NULL. */
char *profile_print(const json_t *root);

#endif
