/* common/crypto/envelope: the DSSE specification's vector, strict reading, thresholds. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/envelope.h"
#include "tests/support/fake_env.h"

/* protocol.md of the DSSE specification, "Test Vectors". */
#define SPEC_TYPE "http://example.com/HelloWorld"
#define SPEC_PAE  "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
#define SPEC_SIG                                                                                   \
    "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
#define SPEC_ENVELOPE                                                                              \
    "{\"payload\": \"aGVsbG8gd29ybGQ=\",\n \"payloadType\": \"" SPEC_TYPE "\",\n"                  \
    " \"signatures\": [{\"sig\": \"" SPEC_SIG "\"}]}"

static struct fake_env fake;
static struct private_key keys[3];
static struct public_key publics[3];

static void set_up(void)
{
    fake_env_init(&fake, 1);
    for (size_t i = 0; i < 3; i++) {
        private_key_generate(&keys[i], &fake.base);
        publics[i] = keys[i].public_key;
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < 3; i++)
        private_key_clear(&keys[i]);
}

static enum status decode(const char *text, struct envelope *ret_envelope, struct error *err)
{
    return envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, ret_envelope, err);
}

TestSuite(envelope, .init = set_up, .fini = tear_down);

Test(envelope, the_specifications_example_has_the_specifications_pae)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};
    CLEANUP(freep) char *pae = NULL;
    struct digest expected = digest_of(SPEC_PAE, strlen(SPEC_PAE));
    size_t length;

    cr_assert(eq(int, decode(SPEC_ENVELOPE, &envelope, NULL), STATUS_OK));
    pae = envelope_pae(envelope.type, envelope.payload, envelope.payload_length, &length);
    cr_expect(eq(sz, length, strlen(SPEC_PAE)));
    cr_expect(eq(str, pae, SPEC_PAE));
    cr_expect(digest_equals(&envelope.digest, &expected));
    cr_expect(eq(sz, envelope.signature_count, 1));
    cr_expect(eq(sz, envelope_count_signers(&envelope, publics, 3), 0));
}

static EVP_PKEY *spec_key(void)
{
    unsigned char point[65] = {4};
    char group[] = "prime256v1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    /* X and Y, which the specification prints in decimal. */
    cr_assert(text_to_exact_bytes(
        "67cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238", 32, point + 1));
    cr_assert(text_to_exact_bytes(
        "0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74", 32, point + 33));
    cr_assert(eq(int, EVP_PKEY_fromdata_init(context), 1));
    cr_assert(eq(int, EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params), 1));
    EVP_PKEY_CTX_free(context);
    return key;
}

/* Ours are Ed25519 only; that the vector's ECDSA signature fits our PAE shows that PAE is right. */
Test(envelope, the_specifications_signature_is_over_our_pae)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};
    CLEANUP(freep) char *pae = NULL;
    EVP_PKEY *key = spec_key();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    size_t length;
    int der_length;

    cr_assert(eq(int, decode(SPEC_ENVELOPE, &envelope, NULL), STATUS_OK));
    pae = envelope_pae(envelope.type, envelope.payload, envelope.payload_length, &length);
    ECDSA_SIG_set0(pair, BN_bin2bn(envelope.signatures[0].signature.bytes, 32, NULL),
                   BN_bin2bn(envelope.signatures[0].signature.bytes + 32, 32, NULL));
    der_length = i2d_ECDSA_SIG(pair, &der);
    cr_assert(eq(int, EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1));
    cr_expect(eq(
        int, EVP_DigestVerify(context, der, (size_t)der_length, (unsigned char *)pae, length), 1));
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

Test(envelope, what_was_signed_comes_back_through_json)
{
    CLEANUP(envelope_clear) struct envelope made = {.type = ""};
    CLEANUP(envelope_clear) struct envelope read = {.type = ""};
    CLEANUP(freep) char *text = NULL;

    envelope_init(&made, "application/x", "{\"a\":1}", 7);
    cr_assert(eq(int, envelope_sign(&made, &keys[0], NULL), STATUS_OK));
    cr_assert(eq(int, envelope_sign(&made, &keys[2], NULL), STATUS_OK));
    cr_assert(eq(int, envelope_sign(&made, &keys[0], NULL), STATUS_OK));
    cr_expect(eq(sz, made.signature_count, 2), "signing twice is one signature");
    text = envelope_encode(&made);
    cr_assert(eq(int, decode(text, &read, NULL), STATUS_OK));
    cr_expect(eq(str, read.type, "application/x"));
    cr_expect(eq(str, read.payload, "{\"a\":1}"));
    cr_expect(digest_equals(&read.digest, &made.digest));
    cr_expect(envelope_is_signed_by(&read, &publics[0]));
    cr_expect(not(envelope_is_signed_by(&read, &publics[1])));
    cr_expect(envelope_is_signed_by(&read, &publics[2]));
}

Test(envelope, the_threshold_counts_distinct_keys)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};
    struct public_key twice[] = {publics[0], publics[0], publics[1]};

    envelope_init(&envelope, "t", "p", 1);
    cr_assert(eq(int, envelope_sign(&envelope, &keys[0], NULL), STATUS_OK));
    envelope.signatures[1] = envelope.signatures[0]; /* the same signature again */
    envelope.signatures[2] = envelope.signatures[0];
    envelope.signatures[2].hint = (struct public_key){{0}};
    envelope.signature_count = 3;
    cr_expect(eq(sz, envelope_count_signers(&envelope, publics, 3), 1));
    cr_expect(eq(sz, envelope_count_signers(&envelope, twice, 3), 1), "a key listed twice");
}

Test(envelope, a_hint_is_no_proof)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};

    envelope_init(&envelope, "t", "p", 1);
    cr_assert(eq(int, envelope_sign(&envelope, &keys[0], NULL), STATUS_OK));
    envelope.signatures[0].hint = publics[1];
    cr_expect(eq(sz, envelope_count_signers(&envelope, publics, 3), 0));
    envelope.signatures[0].hint = (struct public_key){{0}};
    cr_expect(eq(sz, envelope_count_signers(&envelope, publics, 3), 1),
              "without a hint all are tried");
}

Test(envelope, a_signature_covers_the_type)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};

    envelope_init(&envelope, "t", "p", 1);
    cr_assert(eq(int, envelope_sign(&envelope, &keys[0], NULL), STATUS_OK));
    envelope.type[0] = 'u';
    cr_expect(not(envelope_is_signed_by(&envelope, &publics[0])));
}

#define SIG "\"sig\":\"" SPEC_SIG "\""

Test(envelope, what_is_not_exactly_an_envelope_is_refused)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"", "malformed"},
        {"[]", "malformed"},
        {"{}", "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[]}", "malformed"},
        {"{\"payloadType\":\"\",\"payload\":\"\",\"signatures\":[{" SIG "}]}", "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"Zg\",\"signatures\":[{" SIG "}]}", "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"Zh==\",\"signatures\":[{" SIG "}]}", "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":7,\"signatures\":[{" SIG "}]}", "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"Zg==\"}]}",
         "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{" SIG ",\"keyid\":\"me\"}]}",
         "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{" SIG ",\"keyid\":null}]}",
         "malformed"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{" SIG
         ",\"keyid\":\"ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
         "small-order-key"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{" SIG ",\"cert\":1}]}",
         "unknown-member"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{" SIG "}],\"x\":1}",
         "unknown-member"},
        {"{\"payloadType\":\"t\",\"payload\":\"\",\"payload\":\"\",\"signatures\":[{" SIG "}]}",
         "duplicate-member"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct envelope envelope = {.type = "before"};
        struct error err;

        cr_expect(eq(int, decode(cases[i].text, &envelope, &err), STATUS_INVALID), "%s",
                  cases[i].text);
        cr_expect(eq(str, (char *)err.code, (char *)cases[i].code), "%s: %s", cases[i].text,
                  err.text);
        cr_expect(eq(str, envelope.type, "before"));
    }
}

Test(envelope, its_limits_hold)
{
    CLEANUP(envelope_clear) struct envelope made = {.type = ""};
    struct envelope read = {.type = ""};
    CLEANUP(freep) char *text = NULL, *larger = NULL, *payload = must_alloc(1001, 1);

    memset(payload, 'x', 1001);
    envelope_init(&made, "t", payload, 1000);
    cr_assert(eq(int, envelope_sign(&made, &keys[0], NULL), STATUS_OK));
    for (size_t i = 1; i < ENVELOPE_SIGNATURES_MAX; i++)
        made.signatures[i] = made.signatures[0];
    made.signature_count = ENVELOPE_SIGNATURES_MAX;
    cr_expect(eq(int, envelope_sign(&made, &keys[1], NULL), STATUS_TOO_LARGE));
    text = envelope_encode(&made);
    cr_assert(eq(int, envelope_decode(text, strlen(text), 1000, &read, NULL), STATUS_OK));
    envelope_clear(&read);
    cr_expect(eq(int, envelope_decode(text, strlen(text), 999, &read, NULL), STATUS_TOO_LARGE));

    text[strlen(text) - 2] = '\0'; /* one signature more */
    larger = text_format("%s,{" SIG "}]}", text);
    cr_expect(eq(int, envelope_decode(larger, strlen(larger), 1000, &read, NULL), STATUS_INVALID));
}

Test(envelope, the_largest_keyring_envelope_fits_its_stated_maximum)
{
    CLEANUP(envelope_clear) struct envelope made = {.type = ""};
    CLEANUP(envelope_clear) struct envelope read = {.type = ""};
    CLEANUP(freep) char *text = NULL, *payload = must_alloc(ENVELOPE_KEYRING_MAX, 1);

    envelope_init(&made, "t", payload, ENVELOPE_KEYRING_MAX);
    memset(made.type, 't', ENVELOPE_TYPE_MAX);
    cr_assert(eq(int, envelope_sign(&made, &keys[0], NULL), STATUS_OK));
    for (size_t i = 1; i < ENVELOPE_SIGNATURES_MAX; i++)
        made.signatures[i] = made.signatures[0];
    made.signature_count = ENVELOPE_SIGNATURES_MAX;
    text = envelope_encode(&made);
    cr_expect(
        eq(int, envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &read, NULL), STATUS_OK));
}
