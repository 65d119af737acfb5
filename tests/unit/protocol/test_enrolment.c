/* protocol/enrolment and protocol/account: how hosts and volunteers come to be known. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/account.h"
#include "protocol/enrolment.h"
#include "tests/support/messages.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAYLOAD                                                                                    \
    "{\"type\":\"" ENROLMENT_TYPE "\",\"project\":\"" DIGEST_A "\",\"key\":\"%s\","                \
    "\"challenge\":\"AQID\",\"kind\":\"native\",\"time\":1700000000}"

static char *payload_text(void)
{
    CLEANUP(private_key_clear) struct private_key key = test_key(0);

    return text_format(PAYLOAD, public_key_format(&key.public_key).text);
}

static enum status decode_payload(const char *body, size_t length, struct error *err)
{
    struct enrolment enrolment;

    return enrolment_decode(body, length, &enrolment, err);
}

Test(enrolment, the_payload_is_read_and_written_as_it_was)
{
    CLEANUP(freep) char *payload = payload_text(), *again = NULL;
    struct enrolment enrolment = {0};

    cr_assert(eq(int, enrolment_decode(payload, strlen(payload), &enrolment, NULL), STATUS_OK));
    cr_expect(eq(sz, enrolment.challenge.length, 3));
    cr_expect(eq(int, (int)enrolment.kind, ENROLMENT_NATIVE));
    again = enrolment_encode(&enrolment);
    cr_expect(eq(str, again, payload));
}

Test(enrolment, the_payload_is_strict_and_each_refusal_names_the_member)
{
    static const struct spoilt cases[] = {
        {ENROLMENT_TYPE, "x", "type"},         {"\"key\":\"ed25519:", "\"key\":\"rsa:", "key"},
        {"\"AQID\"", "\"\"", "challenge"},     {"\"AQID\"", "\"AQI\"", "challenge"},
        {"\"native\"", "\"toaster\"", "kind"}, {"1700000000", "-5", "time"},
    };
    CLEANUP(freep) char *payload = payload_text();

    expect_like_any_message(DECODER(decode_payload), payload, ENROLMENT_PAYLOAD_MAX, true);
    expect_refused(DECODER(decode_payload), payload, cases, COUNT(cases));
}

static enum status decode_request(const char *body, size_t length, struct error *err)
{
    CLEANUP(enrolment_request_clear) struct enrolment_request request = {0};

    return enrolment_request_decode(body, length, &request, err);
}

Test(enrolment, the_request_carries_a_statement_and_perhaps_an_account)
{
    static const struct spoilt cases[] = {
        {"\"account\":\"A", "\"account\":\"", "account"},
        {"\"account\":\"A", "\"account\":\"!", "account"},
        {"\"statement\":{", "\"statement\":{\"x\":1,", "statement"},
        {"\"payloadType\":\"application", "\"payloadType\":\"other", "statement"},
    };
    CLEANUP(enrolment_request_clear) struct enrolment_request request = {0};
    CLEANUP(freep) char *payload = payload_text();
    CLEANUP(freep) char *statement = test_envelope_text(ENROLMENT_TYPE, payload, 0);
    CLEANUP(freep)
    char *body = text_format("{\"statement\":%s,\"account\":\"" TOKEN_A "\"}", statement);
    CLEANUP(freep) char *bare = text_format("{\"statement\":%s}", statement);
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_request), body, ENROLMENT_REQUEST_MAX, true);
    expect_refused(DECODER(decode_request), body, cases, COUNT(cases));
    cr_expect(eq(int, decode_request(bare, strlen(bare), NULL), STATUS_OK));
    cr_assert(eq(int, enrolment_request_decode(body, strlen(body), &request, NULL), STATUS_OK));
    cr_expect(envelope_is_signed_by(&request.statement, &request.enrolment.key));
    again = enrolment_request_encode(&request);
    cr_expect(eq(str, again, body));
}

static enum status decode_reply(const char *body, size_t length, struct error *err)
{
    struct enrolment_reply reply;

    return enrolment_reply_decode(body, length, &reply, err);
}

Test(enrolment, the_reply_gives_a_token)
{
    static const char body[] =
        "{\"host\":4,\"token\":\"" TOKEN_A "\",\"volunteer\":2,\"next_visit\":1}";
    static const struct spoilt cases[] = {
        {"\"host\":4", "\"host\":0", "host"},
        {"\"token\":\"AA", "\"token\":\"A", "token"},
        {"\"next_visit\":1", "\"next_visit\":0", "next_visit"},
    };
    CLEANUP(freep) char *again = NULL;
    struct enrolment_reply reply;

    expect_like_any_message(DECODER(decode_reply), body, ENROLMENT_REPLY_MAX, false);
    expect_refused(DECODER(decode_reply), body, cases, COUNT(cases));
    cr_assert(eq(int, enrolment_reply_decode(body, strlen(body), &reply, NULL), STATUS_OK));
    again = enrolment_reply_encode(&reply);
    cr_expect(eq(str, again, (char *)body));
}

static enum status decode_challenge(const char *body, size_t length, struct error *err)
{
    struct challenge_reply reply;

    return challenge_reply_decode(body, length, &reply, err);
}

Test(enrolment, a_challenge_has_up_to_128_bytes)
{
    static const char body[] = "{\"challenge\":\"AQID\",\"expires\":1700000600}";
    static const struct spoilt cases[] = {
        {"AQID", "", "challenge"},
        {"AQID",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         "challenge"},
        {"1700000600", "\"soon\"", "expires"},
    };
    CLEANUP(freep) char *again = NULL;
    struct challenge_reply reply;

    expect_like_any_message(DECODER(decode_challenge), body, ENROLMENT_REPLY_MAX, false);
    expect_refused(DECODER(decode_challenge), body, cases, COUNT(cases));
    cr_assert(eq(int, challenge_reply_decode(body, strlen(body), &reply, NULL), STATUS_OK));
    again = challenge_reply_encode(&reply);
    cr_expect(eq(str, again, (char *)body));
    cr_expect(eq(int, empty_request_decode("{}", 2, NULL), STATUS_OK));
    cr_expect(eq(int, empty_request_decode("{\"a\":1}", 7, NULL), STATUS_INVALID));
}

static enum status decode_account(const char *body, size_t length, struct error *err)
{
    struct account_request request;

    return account_request_decode(body, length, &request, err);
}

static enum status decode_account_reply(const char *body, size_t length, struct error *err)
{
    struct token account;

    return account_reply_decode(body, length, &account, err);
}

Test(account, a_volunteer_may_have_a_name)
{
    static const struct spoilt cases[] = {
        {"Kari", "K\\u001bari", "name"},
        {"Kari", "KariKariKariKariKariKariKariKariKariKariKariKariKariKariKariKariK", "name"},
        {"\"Kari\"", "7", "name"},
    };
    struct account_request request = {.name = "Kari"};
    CLEANUP(freep) char *body = account_request_encode(&request);
    struct token account = {TOKEN_A};
    CLEANUP(freep) char *reply = account_reply_encode(&account);

    expect_like_any_message(DECODER(decode_account), body, ACCOUNT_MAX, true);
    expect_refused(DECODER(decode_account), body, cases, COUNT(cases));
    cr_expect(eq(int, decode_account("{}", 2, NULL), STATUS_OK));
    expect_like_any_message(DECODER(decode_account_reply), reply, ACCOUNT_MAX, false);
}
