/* server/api/challenge: what the site made it knows again, without keeping it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/api/challenge.h"
#include "server/api/prefix.h"
#include "tests/support/fake_env.h"

static struct fake_env fake;
static const struct site_secret secret = {.bytes = {1, 2, 3}};
static struct challenge_reply made;

static void set_up(void)
{
    fake_env_init(&fake, 1);
    challenge_make(&secret, &fake.base, "192.0.2.0/24", &made);
}

TestSuite(challenge, .init = set_up);

static enum status check(const char *prefix)
{
    return challenge_check(&secret, fake.now_s, prefix, &made.challenge, NULL);
}

Test(challenge, it_is_good_for_ten_minutes_and_one_prefix)
{
    cr_expect(eq(int, check("192.0.2.0/24"), STATUS_OK));
    cr_expect(eq(int, check("192.0.3.0/24"), STATUS_INVALID));
    cr_expect(eq(i64, made.expires_s, fake.now_s + 600));
    fake_env_pass(&fake, 600000);
    cr_expect(eq(int, check("192.0.2.0/24"), STATUS_OK));
    fake_env_pass(&fake, 1000);
    cr_expect(eq(int, check("192.0.2.0/24"), STATUS_INVALID));
}

Test(challenge, a_change_of_any_byte_or_of_the_length_is_noticed)
{
    for (size_t i = 0; i < made.challenge.length; i++) {
        made.challenge.bytes[i] ^= 0x40;
        cr_expect(eq(int, check("192.0.2.0/24"), STATUS_INVALID), "byte %zu", i);
        made.challenge.bytes[i] ^= 0x40;
    }
    made.challenge.length--;
    cr_expect(eq(int, check("192.0.2.0/24"), STATUS_INVALID));
}

Test(challenge, another_site_does_not_know_it)
{
    struct site_secret other = {.bytes = {1, 2, 4}};

    cr_expect(eq(int, challenge_check(&other, fake.now_s, "192.0.2.0/24", &made.challenge, NULL),
                 STATUS_INVALID));
}

Test(challenge, the_same_key_and_challenge_give_the_same_token_and_others_another)
{
    struct public_key key = {.bytes = {9}};
    struct public_key other = {.bytes = {8}};
    struct challenge_reply second;
    struct token first, again, different;

    challenge_token(&secret, &key, &made.challenge, &first);
    challenge_token(&secret, &key, &made.challenge, &again);
    cr_expect(eq(str, first.text, again.text));
    cr_expect(eq(sz, strlen(first.text), TOKEN_CHARS));
    challenge_token(&secret, &other, &made.challenge, &different);
    cr_expect(ne(str, first.text, different.text));
    challenge_make(&secret, &fake.base, "192.0.2.0/24", &second);
    challenge_token(&secret, &key, &second.challenge, &different);
    cr_expect(ne(str, first.text, different.text));
}

Test(prefix, strangers_are_counted_by_24_and_56_bits)
{
    struct http_peer four = {.kind = HTTP_PEER_IPV4, .address = {192, 0, 2, 77}};
    struct http_peer six = {.kind = HTTP_PEER_IPV6,
                            .address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0x12, 0x34, 5, 6, 7, 8}};
    struct http_peer local = {.kind = HTTP_PEER_LOCAL};

    cr_expect(eq(str, prefix_of(&four).text, "192.0.2.0/24"));
    cr_expect(eq(str, prefix_of(&six).text, "2001:db8:0:1200::/56"));
    cr_expect(eq(str, prefix_of(&local).text, "local"));
}
