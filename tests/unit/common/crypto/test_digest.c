/* common/crypto/digest: published vectors, and one written form. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"

/* FIPS 180-2, appendix B. */
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

Test(digest, abc_hashes_as_the_standard_says)
{
    struct digest digest = digest_of("abc", 3);

    cr_expect(eq(str, digest_format(&digest).text, ABC));
}

Test(digest, pieces_give_the_same_as_the_whole_and_again)
{
    CLEANUP(hasher_clear) struct hasher hasher;
    struct digest whole = digest_of("abc", 3);

    hasher_init(&hasher);
    for (int round = 0; round < 2; round++) {
        struct digest pieces;

        hasher_add(&hasher, "a", 1);
        hasher_add(&hasher, "", 0);
        hasher_add(&hasher, "bc", 2);
        pieces = hasher_end(&hasher);
        cr_expect(digest_equals(&pieces, &whole));
    }
}

Test(digest, hmac_matches_rfc_4231)
{
    struct digest digest = digest_hmac("Jefe", 4, "what do ya want for nothing?", 28);
    char hex[2 * DIGEST_BYTES + 1];

    text_from_bytes(digest.bytes, DIGEST_BYTES, hex);
    cr_expect(eq(str, hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

Test(digest, what_is_not_exactly_one_digest_is_refused)
{
    static const char *const texts[] = {
        "",
        "sha256:",
        ABC "0",
        "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        " " ABC,
    };
    struct digest digest = digest_of("abc", 3), before = digest;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect(not(digest_parse(texts[i], &digest)), "%s", texts[i]);
    cr_expect(digest_equals(&digest, &before));
    digest = (struct digest){{0}};
    cr_expect(digest_is_none(&digest));
    cr_expect(eq(str, digest_format(&digest).text, ""));
    cr_expect(digest_parse(ABC, &digest));
    cr_expect(digest_equals(&digest, &before));
}
