#include "server/site/certificate.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/text.h"

#define DAY_SECONDS INT64_C(86400)
#define BEGINS_S    INT64_C(1704067200) /* 2024-01-01: before any site */

DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)

static enum status ssl_failure(struct error *err, const char *words)
{
    error_set(err, STATUS_INVALID, "%s", words);
    error_detail(err, "%s", ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    return STATUS_INVALID;
}

static enum status not_whole(struct error *err, const char *path, const char *what)
{
    error_set(
        err, STATUS_INVALID,
        "%.120s holds no whole %s in PEM form: it is cut short, or something else; restore it",
        path, what);
    error_detail(err, "%s", ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    return STATUS_INVALID;
}

static bool is_address(const char *host)
{
    CLEANUP(ASN1_OCTET_STRING_freep) ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);

    ERR_clear_error();
    return address != NULL;
}

static bool is_host_name(const char *host)
{
    for (const char *at = host; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '-' && (*at != '.' || at[1] == '.'))
            return false;
    return *host != '\0' && *host != '.' && *host != '-';
}

/* Brackets belong to IPv6 addresses; then the colons within part nothing. */
static size_t host_length(const char **host)
{
    if (**host == '[') {
        (*host)++;
        return strcspn(*host, "]");
    }
    return strcspn(*host, ":/?#");
}

/* What follows the host: nothing, or a port that one can connect to. */
static bool is_port_or_nothing(const char *rest)
{
    int64_t port;

    return *rest == '\0' || (*rest == ':' && text_to_integer(rest + 1, 1, 65535, &port));
}

enum status certificate_host_of(const char *url, struct certificate_host *ret_host,
                                struct error *err)
{
    struct certificate_host host = {0};
    const char *from = url + strlen("https://");
    bool is_bracketed;
    size_t length;

    if (!text_starts_with(url, "https://"))
        return error_set(err, STATUS_INVALID, "the url begins with https://");
    is_bracketed = *from == '[';
    length = host_length(&from);
    if (length < sizeof host.text)
        memcpy(host.text, from, length);
    if (is_bracketed != (strchr(host.text, ':') != NULL) || is_bracketed != (from[length] == ']') ||
        (!is_address(host.text) && !is_host_name(host.text)))
        return error_set(err, STATUS_INVALID, "the url names no host");
    if (!is_port_or_nothing(from + length + is_bracketed))
        return error_set(err, STATUS_INVALID,
                         "after its host the url has nothing, or a port of 1..65535");
    *ret_host = host;
    return STATUS_OK;
}

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool is_added;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    if (extension == NULL)
        return false;
    is_added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static bool set_serial(X509 *certificate, struct env *env)
{
    unsigned char bytes[16];
    BIGNUM *number;
    bool is_set;

    env->random(env, bytes, sizeof bytes);
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and always as long */
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    is_set =
        number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return is_set;
}

/*
 * Valid from long ago: a server whose clock runs ahead would else renew into a certificate that
 * every client with a right clock takes for one of the future.
 */
static X509 *begin_certificate(struct env *env, EVP_PKEY *key, const char *common_name, int days)
{
    X509 *certificate = X509_new();
    int64_t now_s = env->now_s(env);

    if (certificate == NULL)
        abort();
    if (X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate, env) ||
        ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)BEGINS_S) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(now_s + days * DAY_SECONDS)) ==
            NULL ||
        X509_set_pubkey(certificate, key) != 1 ||
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)common_name, -1, -1, 0) != 1)
        abort();
    return certificate;
}

static void take_memory(BIO *from, struct buffer *to)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(from, &bytes);

    if (length < 0 || buffer_append(to, bytes, (size_t)length, NULL) != STATUS_OK)
        abort();
}

static void print_certificate(X509 *certificate, struct buffer *pem)
{
    CLEANUP(BIO_free_allp) BIO *memory = BIO_new(BIO_s_mem());

    if (memory == NULL || PEM_write_bio_X509(memory, certificate) != 1)
        abort();
    take_memory(memory, pem);
}

static void print_key(EVP_PKEY *key, struct buffer *pem)
{
    CLEANUP(BIO_free_allp) BIO *memory = BIO_new(BIO_s_secmem());

    if (memory == NULL ||
        PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) != 1)
        abort();
    take_memory(memory, pem);
}

static enum status write_secret(struct disk *disk, const char *path, struct buffer *pem,
                                struct error *err)
{
    enum status status = disk->write(disk, path, pem->bytes, pem->length, 0600, err);

    OPENSSL_cleanse(pem->bytes, pem->length);
    return status;
}

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (key == NULL)
        abort();
    return key;
}

enum status certificate_make_ca(struct env *env, const char *name,
                                const struct certificate_pair *ret_files, struct error *err)
{
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = new_key();
    CLEANUP(freep) char *common_name = text_format("%.50s CA", name);
    CLEANUP(X509_freep) X509 *ca = begin_certificate(env, key, common_name, CERTIFICATE_CA_DAYS);
    CLEANUP(buffer_clear) struct buffer pem = {.max = CERTIFICATE_MAX_BYTES};
    CLEANUP(buffer_clear) struct buffer secret = {.max = CERTIFICATE_MAX_BYTES};

    if (X509_set_issuer_name(ca, X509_get_subject_name(ca)) != 1 ||
        !add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(ca, ca, NID_subject_key_identifier, "hash") ||
        X509_sign(ca, key, EVP_sha256()) <= 0)
        return ssl_failure(err, "no authority can be made for that name");
    print_certificate(ca, &pem);
    print_key(key, &secret);
    TRY(write_secret(env->disk, ret_files->key, &secret, err));
    return env->disk->write(env->disk, ret_files->certificate, pem.bytes, pem.length, 0644, err);
}

static enum status read_certificate(struct disk *disk, const char *path, X509 **ret_certificate,
                                    struct error *err)
{
    CLEANUP(buffer_clear) struct buffer pem = {.max = CERTIFICATE_MAX_BYTES};
    CLEANUP(BIO_free_allp) BIO *memory = NULL;

    TRY(disk->read(disk, path, &pem, err));
    memory = BIO_new_mem_buf(buffer_text(&pem), (int)pem.length);
    *ret_certificate = memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
    if (*ret_certificate == NULL)
        return not_whole(err, path, "certificate");
    return STATUS_OK;
}

static enum status read_key(struct disk *disk, const char *path, EVP_PKEY **ret_key,
                            struct error *err)
{
    CLEANUP(buffer_clear) struct buffer pem = {.max = CERTIFICATE_MAX_BYTES};
    CLEANUP(BIO_free_allp) BIO *memory = NULL;
    static char no_passphrase[] = "";

    TRY(disk->read(disk, path, &pem, err));
    memory = BIO_new_mem_buf(buffer_text(&pem), (int)pem.length);
    *ret_key = memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, NULL, no_passphrase) : NULL;
    OPENSSL_cleanse(pem.bytes, pem.length);
    if (*ret_key == NULL)
        return not_whole(err, path, "key without a passphrase");
    return STATUS_OK;
}

static enum status sign_for_host(X509 *certificate, X509 *ca, EVP_PKEY *ca_key,
                                 const struct certificate_host *host, struct error *err)
{
    CLEANUP(freep)
    char *names = text_format("%s:%s", is_address(host->text) ? "IP" : "DNS", host->text);

    if (X509_set_issuer_name(certificate, X509_get_subject_name(ca)) != 1 ||
        !add_extension(certificate, ca, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(certificate, ca, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(certificate, ca, NID_ext_key_usage, "serverAuth") ||
        !add_extension(certificate, ca, NID_subject_alt_name, names) ||
        !add_extension(certificate, ca, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, ca, NID_authority_key_identifier, "keyid:always") ||
        X509_sign(certificate, ca_key, EVP_sha256()) <= 0)
        return ssl_failure(err, "no certificate can be made for this host");
    return STATUS_OK;
}

enum status certificate_make(struct env *env, const struct certificate_pair *ca_files,
                             const struct certificate_host *host, const char *path,
                             struct error *err)
{
    CLEANUP(X509_freep) X509 *ca = NULL;
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *ca_key = NULL;
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = new_key();
    CLEANUP(X509_freep) X509 *certificate = begin_certificate(env, key, "dugnad", CERTIFICATE_DAYS);
    CLEANUP(buffer_clear) struct buffer pem = {.max = CERTIFICATE_MAX_BYTES};

    TRY(read_certificate(env->disk, ca_files->certificate, &ca, err));
    TRY(read_key(env->disk, ca_files->key, &ca_key, err));
    TRY(sign_for_host(certificate, ca, ca_key, host, err));
    print_certificate(certificate, &pem);
    print_certificate(ca, &pem);
    print_key(key, &pem);
    return write_secret(env->disk, path, &pem, err);
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm parts;

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return 0;
    return timegm(&parts);
}

static struct digest digest_of_certificate(X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    struct digest digest;

    if (length < 0)
        abort();
    digest = digest_of(der, (size_t)length);
    OPENSSL_free(der);
    return digest;
}

enum status certificate_look(struct disk *disk, const char *path,
                             const struct certificate_host *host,
                             struct certificate_facts *ret_facts, struct error *err)
{
    CLEANUP(X509_freep) X509 *certificate = NULL;

    TRY(read_certificate(disk, path, &certificate, err));
    *ret_facts = (struct certificate_facts){
        .begins_s = time_of(X509_get0_notBefore(certificate)),
        .ends_s = time_of(X509_get0_notAfter(certificate)),
        .digest = digest_of_certificate(certificate),
    };
    if (host != NULL)
        ret_facts->names_host = is_address(host->text)
                                    ? X509_check_ip_asc(certificate, host->text, 0) == 1
                                    : X509_check_host(certificate, host->text, 0, 0, NULL) == 1;
    return STATUS_OK;
}

enum status certificate_check_key(struct disk *disk, const struct certificate_pair *files,
                                  struct error *err)
{
    CLEANUP(X509_freep) X509 *certificate = NULL;
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;

    TRY(read_certificate(disk, files->certificate, &certificate, err));
    TRY(read_key(disk, files->key, &key, err));
    if (X509_check_private_key(certificate, key) == 1)
        return STATUS_OK;
    ERR_clear_error();
    return error_set(err, STATUS_INVALID, "the key %.150s is not the certificate's", files->key);
}
