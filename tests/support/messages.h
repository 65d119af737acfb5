/* What the tests of decoders share: valid bodies made invalid, one spot at a time. */
#ifndef TESTS_SUPPORT_MESSAGES_H
#define TESTS_SUPPORT_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/crypto/envelope.h"

#define HEX_A    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST_A "sha256:" HEX_A
#define DIGEST_B "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define BATCH_A  "00112233445566778899aabbccddeeff"
#define TOKEN_A  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Decodes a body and forgets the message. */
struct decoder {
    enum status (*decode)(const char *body, size_t length, struct error *err);
};
#define DECODER(function) ((struct decoder){function})

/* The first `find` of the body becomes `put`; then it must be refused in words with `names`. */
struct spoilt {
    const char *find;
    const char *put;
    const char *names;
};

/* Each is refused as STATUS_INVALID. */
void expect_refused(struct decoder decoder, const char *body, const struct spoilt *cases,
                    size_t count);

/*
 * What holds for every message: the body is taken; every shorter part of it, a list, nothing, and
 * the body with blanks beyond `max` bytes are not; an additional member is refused exactly if the
 * message is strict.
 */
void expect_like_any_message(struct decoder decoder, const char *body, size_t max, bool is_strict);

/* A copy with the first `find` replaced; free it. Asserts that there is one. */
char *replaced(const char *body, const char *find, const char *put);

/* Of the n-th test key. */
struct private_key test_key(unsigned n);
void test_envelope(struct envelope *ret_envelope, const char *type, const char *payload,
                   const struct private_key *key);

/* The same as JSON, to be freed. */
char *test_envelope_text(const char *type, const char *payload, unsigned key);

#endif
