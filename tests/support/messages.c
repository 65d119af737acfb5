#include "tests/support/messages.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"

char *replaced(const char *body, const char *find, const char *put)
{
    const char *at = strstr(body, find);

    cr_assert(at != NULL, "no %s in %s", find, body);
    return text_format("%.*s%s%s", (int)(at - body), body, put, at + strlen(find));
}

void expect_refused(struct decoder decoder, const char *body, const struct spoilt *cases,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *spoilt = replaced(body, cases[i].find, cases[i].put);
        struct error err = {0};

        cr_expect(eq(int, decoder.decode(spoilt, strlen(spoilt), &err), STATUS_INVALID),
                  "taken: %s", spoilt);
        cr_expect(strstr(err.text, cases[i].names) != NULL, "\"%s\" does not name %s", err.text,
                  cases[i].names);
        free(spoilt);
    }
}

static void expect_no_shorter_part(struct decoder decoder, const char *body, size_t length)
{
    size_t step = length > 2000 ? length / 1000 : 1;

    for (size_t part = 0; part < length; part += step)
        cr_expect(ne(int, decoder.decode(body, part, NULL), STATUS_OK), "%.*s", (int)part, body);
}

void expect_like_any_message(struct decoder decoder, const char *body, size_t max, bool is_strict)
{
    size_t length = strlen(body);
    char *padded = malloc(max + 2);
    char *more = replaced(body, "{", "{\"a_new_member\":{\"x\":[1]},");
    struct error err = {0};

    cr_assert(eq(int, decoder.decode(body, length, &err), STATUS_OK), "%s: %s", err.text, body);
    expect_no_shorter_part(decoder, body, length);
    cr_expect(eq(int, decoder.decode("[]", 2, NULL), STATUS_INVALID));
    memset(padded, ' ', max + 1);
    memcpy(padded, body, length);
    cr_expect(eq(int, decoder.decode(padded, max, NULL), STATUS_OK));
    cr_expect(eq(int, decoder.decode(padded, max + 1, NULL), STATUS_TOO_LARGE));
    cr_expect(
        eq(int, decoder.decode(more, strlen(more), &err), is_strict ? STATUS_INVALID : STATUS_OK));
    if (is_strict)
        cr_expect(strstr(err.text, "a_new_member") != NULL, "%s", err.text);
    free(padded);
    free(more);
}

struct private_key test_key(unsigned n)
{
    uint8_t seed[KEY_SEED_BYTES] = {(uint8_t)(n + 1), 77};
    struct private_key key;

    private_key_from_seed(&key, seed);
    return key;
}

void test_envelope(struct envelope *ret_envelope, const char *type, const char *payload,
                   const struct private_key *key)
{
    envelope_init(ret_envelope, type, payload, strlen(payload));
    cr_assert(eq(int, envelope_sign(ret_envelope, key, NULL), STATUS_OK));
}

char *test_envelope_text(const char *type, const char *payload, unsigned key)
{
    struct private_key signer = test_key(key);
    struct envelope envelope;
    char *text;

    test_envelope(&envelope, type, payload, &signer);
    text = envelope_encode(&envelope);
    envelope_clear(&envelope);
    private_key_clear(&signer);
    return text;
}
