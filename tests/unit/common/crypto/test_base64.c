/* common/crypto/base64: RFC 4648's vectors, and nothing but the canonical form. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/crypto/base64.h"

static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
static const char *const padded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                     "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

Test(base64, the_vectors_of_rfc_4648_hold_both_ways)
{
    for (size_t i = 0; i < 7; i++) {
        char text[16], bytes[16];
        size_t count = 99;

        base64_encode(plain[i], strlen(plain[i]), text);
        cr_expect(eq(str, text, (char *)padded[i]));
        cr_expect(eq(sz, strlen(text), BASE64_CHARS(strlen(plain[i]))));
        cr_assert(base64_decode(text, strlen(text), bytes, sizeof bytes, &count));
        cr_expect(eq(sz, count, strlen(plain[i])));
        cr_expect(zero(int, memcmp(bytes, plain[i], count)));

        base64url_encode(plain[i], strlen(plain[i]), text);
        cr_expect(eq(sz, strlen(text), BASE64URL_CHARS(strlen(plain[i]))));
        cr_assert(base64url_decode(text, strlen(text), bytes, strlen(plain[i])));
        cr_expect(zero(int, memcmp(bytes, plain[i], strlen(plain[i]))));
    }
}

Test(base64, other_ways_to_write_the_same_are_refused)
{
    static const char *const texts[] = {
        "Zg",         "Zg=",  "Zg===",    "Zh==",     "Zm9=", "Z===", "====",
        "Zm9vYg==\n", "Zm 9", "Zm9v====", "Zg==Zg==", "Zm-v", "Zm_v", "Zm\x80v",
    };
    char bytes[16];
    size_t count = 99;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect(not(base64_decode(texts[i], strlen(texts[i]), bytes, sizeof bytes, &count)), "%s",
                  texts[i]);
    cr_expect(eq(sz, count, 99));
    cr_expect(not(base64url_decode("Zg==", 4, bytes, 1)));
    cr_expect(not(base64url_decode("Zh", 2, bytes, 1)));
    cr_expect(not(base64url_decode("Zm+v", 4, bytes, 3)));
    cr_expect(base64url_decode("Zm-_", 4, bytes, 3));
}

Test(base64, more_than_fits_is_refused)
{
    char bytes[3];
    size_t count;

    cr_expect(base64_decode("Zm9v", 4, bytes, 3, &count));
    cr_expect(not(base64_decode("Zm9v", 4, bytes, 2, &count)));
}
