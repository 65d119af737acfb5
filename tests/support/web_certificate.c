#include "tests/support/web_certificate.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void name_it(X509 *certificate)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_EXTENSION *alternatives =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");

    cr_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                         (const unsigned char *)"localhost", -1, -1, 0) == 1);
    cr_assert(X509_set_issuer_name(certificate, name) == 1);
    cr_assert(X509_add_ext(certificate, alternatives, -1) == 1);
    X509_EXTENSION_free(alternatives);
}

static void write_key(const char *path, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");

    cr_assert(file != NULL);
    cr_assert(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    cr_assert(fclose(file) == 0);
}

static void write_certificate(const char *path, X509 *certificate)
{
    FILE *file = fopen(path, "w");

    cr_assert(file != NULL);
    cr_assert(PEM_write_X509(file, certificate) == 1);
    cr_assert(fclose(file) == 0);
}

void web_certificate_make(const char *certificate_path, const char *key_path, long valid_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();

    cr_assert(key != NULL && certificate != NULL);
    cr_assert(X509_set_version(certificate, X509_VERSION_3) == 1);
    cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
    cr_assert(X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L * 2) != NULL);
    cr_assert(X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s) != NULL);
    cr_assert(X509_set_pubkey(certificate, key) == 1);
    name_it(certificate);
    cr_assert(X509_sign(certificate, key, EVP_sha256()) > 0);
    write_key(key_path, key);
    write_certificate(certificate_path, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
