/*
 * What several messages share. For all of them:
 *
 *   decoding  takes a body's bytes, checks every member and fills *ret_ on success alone; what it
 *             owns is released with the message's _clear(). STATUS_TOO_LARGE: beyond the message's
 *             …_MAX bytes. STATUS_INVALID: the words name the member and its limit. Requests refuse
 *             unknown members; replies let them pass, so that old clients read newer servers.
 *   encoding  writes compact JSON, to be freed, never NULL; it checks nothing but that text is
 *             UTF-8 (what is not becomes '?').
 *   envelopes inside a message are kept as JSON text, which envelope_decode() takes (decoding made
 *             sure of that, but for what sites offer to clients: those refuse what is none by
 *             itself); so nobody parses what he only hands on. Types and signatures are not checked
 *             here.
 */
#ifndef PROTOCOL_WORDS_H
#define PROTOCOL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "work-units/names.h"

#define PROTOCOL_VERSION   1
#define TOKEN_CHARS        43 /* base64url of 32 bytes: tokens and account keys */
#define CURSOR_MAX         64 /* characters of a cursor: [A-Za-z0-9._:-], opaque to who reads it */
#define PAGE_MAX           1000 /* entries of one listing; `limit` is 1..PAGE_MAX */
#define WHY_MAX            500  /* bytes of a reason in words */
#define VOLUNTEER_NAME_MAX 64   /* bytes */
#define ID_MAX             INT64_C(9007199254740991) /* numbers of tasks, hosts, volunteers: 1.. */

struct token {
    char text[TOKEN_CHARS + 1]; /* "": none */
};

struct cursor {
    char text[CURSOR_MAX + 1]; /* "": from the beginning; in a reply: there is no more */
};

/* False, and *ret_ untouched, unless `text` is exactly one. */
bool token_parse(const char *text, struct token *ret_token);
bool cursor_parse(const char *text, struct cursor *ret_cursor);

struct digests {
    struct digest *digests; /* owned list */
    size_t count;
};

void digests_clear(struct digests *digests);

/* An output as reports and results name it. */
struct named_output {
    struct file_name name;
    struct digest digest;
    int64_t size; /* bytes */
};

struct named_outputs {
    struct named_output *outputs; /* owned; names are unique ignoring case */
    size_t count;
};

void named_outputs_clear(struct named_outputs *outputs);

/* NULL: there is none of this name. */
const struct named_output *named_outputs_find(const struct named_outputs *outputs,
                                              const char *name);

/* Bytes that came as base64. */
struct bytes {
    char *bytes; /* owned; NUL-terminated beyond `length`; NULL: none */
    size_t length;
};

void bytes_clear(struct bytes *bytes);

#endif
