/* common/crypto/keys: RFC 8032's vectors, what OpenSSL would accept and we do not, key files. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/crypto/keys.h"
#include "common/env/real.h"
#include "tests/support/ending.h"
#include "tests/support/fake_env.h"

/* RFC 8032, section 7.1, tests 1, 2 and 3. */
static const struct vector {
    const char *seed, *public_key, *message, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

static char folder[] = "/tmp/dugnad-keys-XXXXXX";
static struct fake_env fake;

static void set_up(void)
{
    fake_env_init(&fake, 1);
}

static void go_to_folder(void)
{
    set_up();
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
}

static void leave_folder(void)
{
    END_MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

static void from_hex(const char *hex, void *ret_bytes, size_t count)
{
    cr_assert(text_to_exact_bytes(hex, count, ret_bytes));
}

TestSuite(keys, .init = set_up);
TestSuite(key_files, .init = go_to_folder, .fini = leave_folder);

Test(keys, the_vectors_of_rfc_8032_hold)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
        uint8_t seed[KEY_SEED_BYTES], message[2] = {0}, expected[SIGNATURE_BYTES];
        size_t count = strlen(vectors[i].message) / 2;
        struct signature signature;
        char hex[2 * PUBLIC_KEY_BYTES + 1];

        from_hex(vectors[i].seed, seed, sizeof seed);
        from_hex(vectors[i].message, message, count);
        from_hex(vectors[i].signature, expected, sizeof expected);
        private_key_from_seed(&key, seed);
        text_from_bytes(key.public_key.bytes, PUBLIC_KEY_BYTES, hex);
        cr_expect(eq(str, hex, (char *)vectors[i].public_key));
        signature = private_key_sign(&key, message, count);
        cr_expect(zero(int, memcmp(signature.bytes, expected, sizeof expected)));
        cr_expect(public_key_verify(&key.public_key, message, count, &signature));
        message[0] ^= 1;
        cr_expect(
            not(public_key_verify(&key.public_key, message, count == 0 ? 1 : count, &signature)));
    }
}

Test(keys, the_written_form_is_read_back_and_no_other)
{
    CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
    struct public_key_text text;
    struct public_key read;
    struct error err;

    private_key_generate(&key, &fake.base);
    text = public_key_format(&key.public_key);
    cr_assert(eq(sz, strlen(text.text), PUBLIC_KEY_CHARS));
    cr_assert(eq(int, public_key_parse(text.text, &read, &err), STATUS_OK));
    cr_expect(public_key_equals(&read, &key.public_key));

    text.text[PUBLIC_KEY_CHARS - 1] = '\0';
    cr_expect(eq(int, public_key_parse(text.text, &read, &err), STATUS_INVALID));
    cr_expect(eq(str, (char *)err.code, "malformed"));
    text.text[0] = 'E';
    cr_expect(eq(int, public_key_parse(text.text, &read, &err), STATUS_INVALID));
}

/* Each y of small order, with either sign, and each way to write it that is not reduced. */
static const char *const weak_keys[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

Test(keys, keys_of_small_order_or_not_canonical_are_refused)
{
    for (size_t i = 0; i < sizeof weak_keys / sizeof *weak_keys; i++) {
        struct public_key key, read;
        struct error err;

        from_hex(weak_keys[i], key.bytes, sizeof key.bytes);
        cr_expect(not(public_key_is_sound(&key)), "%s", weak_keys[i]);
        cr_expect(
            eq(int, public_key_parse(public_key_format(&key).text, &read, &err), STATUS_INVALID));
        cr_expect(eq(str, (char *)err.code, "small-order-key"));
    }
}

/* The forgery that OpenSSL lets pass: with a key of order 1, R = [S]B signs every message. */
Test(keys, a_signature_that_openssl_accepts_under_the_neutral_element_is_refused)
{
    struct public_key key = {{1}};
    struct signature signature = {{1}}; /* R neutral, S = 0 */
    EVP_PKEY *weak = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key.bytes, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    cr_assert(eq(int, EVP_DigestVerifyInit(context, NULL, NULL, NULL, weak), 1));
    cr_expect(eq(int, EVP_DigestVerify(context, signature.bytes, 64, (const uint8_t *)"x", 1), 1),
              "OpenSSL has grown stricter: this test shows nothing any more");
    cr_expect(not(public_key_verify(&key, "x", 1, &signature)));
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(weak);
}

Test(keys, a_signature_with_s_not_reduced_or_weak_r_is_refused)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
    struct signature signature, changed;
    unsigned carry = 0;

    private_key_generate(&key, &fake.base);
    signature = changed = private_key_sign(&key, "x", 1);
    for (size_t i = 0; i < 32; i++) {
        carry += changed.bytes[32 + i] + order[i];
        changed.bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    cr_expect(signature_is_sound(&signature));
    cr_expect(not(signature_is_sound(&changed)), "S + L stands for the same scalar");
    cr_expect(not(public_key_verify(&key.public_key, "x", 1, &changed)));
    memset(signature.bytes, 0, 32);
    cr_expect(not(signature_is_sound(&signature)));
}

Test(keys, any_flipped_bit_breaks_a_signature)
{
    CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
    struct signature signature;

    private_key_generate(&key, &fake.base);
    signature = private_key_sign(&key, "message", 7);
    for (size_t bit = 0; bit < 8 * SIGNATURE_BYTES; bit++) {
        struct signature changed = signature;

        changed.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cr_expect(not(public_key_verify(&key.public_key, "message", 7, &changed)));
    }
}

static bool openssl_verifies(const struct public_key *key, const void *bytes, size_t count,
                             const struct signature *signature)
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_valid;

    cr_assert(eq(int, EVP_DigestVerifyInit(context, NULL, NULL, NULL, public), 1));
    is_valid = EVP_DigestVerify(context, signature->bytes, 64, bytes, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    return is_valid;
}

/* Two libraries, one verdict: one makes signatures and both judge them, whole and changed. */
Test(keys, what_we_accept_and_what_openssl_accepts_is_the_same)
{
    uint8_t message[97];
    int accepted = 0;

    for (size_t round = 0; round < 200; round++) {
        CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
        size_t count = round % sizeof message, at = round % (8 * SIGNATURE_BYTES);
        struct signature signature;
        bool ours;

        private_key_generate(&key, &fake.base);
        fake.base.random(&fake.base, message, sizeof message);
        signature = private_key_sign(&key, message, count);
        if (round % 2 == 1)
            signature.bytes[at / 8] ^= (uint8_t)(1U << at % 8);
        ours = public_key_verify(&key.public_key, message, count, &signature);
        cr_expect(eq(int, ours, openssl_verifies(&key.public_key, message, count, &signature)));
        accepted += ours;
    }
    cr_expect(eq(int, accepted, 100));
}

Test(key_files, a_key_comes_back_with_its_passphrase_only, .timeout = 30)
{
    CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
    CLEANUP(private_key_clear) struct private_key read = {.secret = NULL};
    struct disk *disk = disk_real();
    struct stat facts;
    struct error err;

    private_key_generate(&key, &fake.base);
    cr_assert(eq(int, private_key_save(&key, &fake.base, "k", "correct horse", &err), STATUS_OK));
    cr_assert(zero(int, stat("k", &facts)));
    cr_expect(eq(int, facts.st_mode & 0777, 0600));
    cr_expect(eq(int, private_key_load(&read, disk, "k", NULL, &err), STATUS_FORBIDDEN));
    cr_expect(eq(int, private_key_load(&read, disk, "k", "battery", &err), STATUS_FORBIDDEN));
    cr_expect(eq(str, (char *)err.code, "passphrase"));
    cr_assert(eq(int, private_key_load(&read, disk, "k", "correct horse", &err), STATUS_OK));
    cr_expect(public_key_equals(&read.public_key, &key.public_key));
}

/* So that a key is never lost with this program: others can read what it wrote. */
Test(key_files, the_encrypted_form_is_pkcs8_with_the_stated_scrypt)
{
    CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
    const X509_ALGOR *algorithm;
    const ASN1_OCTET_STRING *sealed;
    PBE2PARAM *pbe2;
    SCRYPT_PARAMS *scrypt;
    X509_SIG *parsed;
    FILE *file;

    private_key_generate(&key, &fake.base);
    cr_assert(eq(int, private_key_save(&key, &fake.base, "k", "p", NULL), STATUS_OK));
    file = fopen("k", "r");
    cr_assert(file != NULL);
    parsed = PEM_read_PKCS8(file, NULL, NULL, NULL);
    (void)fclose(file);
    cr_assert(parsed != NULL);
    X509_SIG_get0(parsed, &algorithm, &sealed);
    cr_assert(eq(int, OBJ_obj2nid(algorithm->algorithm), NID_pbes2));
    pbe2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    cr_assert(pbe2 != NULL);
    cr_expect(eq(int, OBJ_obj2nid(pbe2->encryption->algorithm), NID_aes_256_cbc));
    cr_assert(eq(int, OBJ_obj2nid(pbe2->keyfunc->algorithm), NID_id_scrypt));
    scrypt = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), pbe2->keyfunc->parameter);
    cr_assert(scrypt != NULL);
    cr_expect(eq(long, ASN1_INTEGER_get(scrypt->costParameter), 1L << 17));
    cr_expect(eq(long, ASN1_INTEGER_get(scrypt->blockSize), 8));
    cr_expect(eq(long, ASN1_INTEGER_get(scrypt->parallelizationParameter), 1));
    SCRYPT_PARAMS_free(scrypt);
    PBE2PARAM_free(pbe2);
    X509_SIG_free(parsed);
}

Test(key_files, an_unencrypted_key_is_what_openssl_reads)
{
    CLEANUP(private_key_clear) struct private_key key = {.secret = NULL};
    CLEANUP(private_key_clear) struct private_key read = {.secret = NULL};
    EVP_PKEY *theirs;
    FILE *file;

    private_key_generate(&key, &fake.base);
    cr_assert(eq(int, private_key_save(&key, &fake.base, "k", NULL, NULL), STATUS_OK));
    file = fopen("k", "r");
    cr_assert(file != NULL);
    theirs = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file);
    cr_assert(theirs != NULL);
    cr_expect(eq(int, EVP_PKEY_eq(theirs, key.secret), 1));
    EVP_PKEY_free(theirs);
    cr_assert(eq(int, private_key_load(&read, disk_real(), "k", NULL, NULL), STATUS_OK));
    cr_expect(public_key_equals(&read.public_key, &key.public_key));
}

/* RFC 8410, section 10.3: the same form, made by others. */
Test(key_files, the_example_of_rfc_8410_is_read)
{
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                              "-----END PRIVATE KEY-----\n";
    CLEANUP(private_key_clear) struct private_key read = {.secret = NULL};
    struct disk *disk = disk_real();
    char hex[2 * PUBLIC_KEY_BYTES + 1];

    cr_assert(eq(int, disk->write(disk, "k", pem, strlen(pem), 0600, NULL), STATUS_OK));
    cr_assert(eq(int, private_key_load(&read, disk, "k", NULL, NULL), STATUS_OK));
    text_from_bytes(read.public_key.bytes, PUBLIC_KEY_BYTES, hex);
    cr_expect(eq(str, hex, "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"));
}

Test(key_files, what_is_no_key_of_ours_is_refused)
{
    static const char *const files[] = {
        "",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\nmore",
        "-----BEGIN PRIVATE KEY-----\n" /* X25519 */
        "MC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
    };
    static char large[2000];
    struct private_key read = {.secret = NULL};
    struct disk *disk = disk_real();

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        cr_assert(
            eq(int, disk->write(disk, "k", files[i], strlen(files[i]), 0600, NULL), STATUS_OK));
        cr_expect(eq(int, private_key_load(&read, disk, "k", NULL, NULL), STATUS_INVALID), "%zu",
                  i);
    }
    memset(large, 'x', sizeof large);
    cr_assert(eq(int, disk->write(disk, "k", large, sizeof large, 0600, NULL), STATUS_OK));
    cr_expect(eq(int, private_key_load(&read, disk, "k", NULL, NULL), STATUS_INVALID));
    cr_expect(eq(int, private_key_load(&read, disk, "none", NULL, NULL), STATUS_NOT_FOUND));
    cr_expect(read.secret == NULL);
}
