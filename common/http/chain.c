#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/http/certificate.h"
#include "common/http/client.h"
#include "common/http/url.h"

DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(X509_STORE *, X509_STORE_free)
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

static void free_stack(STACK_OF(X509) * stack)
{
    sk_X509_pop_free(stack, X509_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, free_stack)

enum status certificate_failure(long verify_result, struct error *err)
{
    const char *code = "certificate-refused", *words = "was refused";

    switch (verify_result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        code = "certificate-unknown-ca";
        words = "is from an authority that neither this system nor the project's keyring knows";
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        code = "certificate-expired";
        words = "has expired";
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        code = "certificate-not-yet-valid";
        words = "is not valid yet; is this machine's clock right?";
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        code = "certificate-wrong-name";
        words = "names another host";
        break;
    default:
        break;
    }
    error_set(err, STATUS_UNTRUSTED, "the server's certificate %s", words);
    error_detail(err, "%s", X509_verify_cert_error_string(verify_result));
    error_code(err, code);
    return STATUS_UNTRUSTED;
}

static X509 *parse(const struct http_chain *chain, size_t index)
{
    const unsigned char *der = chain->certificates[index].der;

    return d2i_X509(NULL, &der, (long)chain->certificates[index].length);
}

static struct digest digest_of_certificate(const struct http_chain *chain, size_t index)
{
    return digest_of(chain->certificates[index].der, chain->certificates[index].length);
}

static bool is_listed(const struct digest *digest, const struct digest *cas, size_t ca_count)
{
    for (size_t i = 0; i < ca_count; i++)
        if (digest_equals(digest, &cas[i]))
            return true;
    return false;
}

/* Of the presented ones, those that the keyring lists are the whole of what is trusted. */
static X509 *find_listed(const struct http_chain *chain, const struct digest *cas, size_t ca_count)
{
    for (size_t i = chain->count; i > 0; i--) {
        struct digest digest = digest_of_certificate(chain, i - 1);

        if (is_listed(&digest, cas, ca_count))
            return parse(chain, i - 1);
    }
    return NULL;
}

static STACK_OF(X509) * others(const struct http_chain *chain)
{
    STACK_OF(X509) *stack = sk_X509_new_null();

    if (stack == NULL)
        abort();
    for (size_t i = 1; i < chain->count; i++) {
        X509 *certificate = parse(chain, i);

        if (certificate != NULL && sk_X509_push(stack, certificate) <= 0)
            abort();
    }
    return stack;
}

static bool expect_host(X509_STORE_CTX *context, const char *host)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static enum status verify(X509 *leaf, X509 *ca, STACK_OF(X509) * rest, const char *host,
                          int64_t now_s, struct error *err)
{
    CLEANUP(X509_STORE_freep) X509_STORE *store = X509_STORE_new();
    CLEANUP(X509_STORE_CTX_freep) X509_STORE_CTX *context = X509_STORE_CTX_new();

    ERR_clear_error();
    if (store == NULL || context == NULL || X509_STORE_add_cert(store, ca) != 1 ||
        X509_STORE_CTX_init(context, store, leaf, rest) != 1 ||
        X509_STORE_CTX_set_default(context, "ssl_server") != 1 || !expect_host(context, host))
        return error_set(err, STATUS_UNTRUSTED, "the server's certificate cannot be checked");
    X509_STORE_CTX_set_time(context, 0, (time_t)now_s);
    /* The listed CA may be an intermediate one: what the keyring lists is trusted as it is. */
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    if (X509_verify_cert(context) == 1)
        return STATUS_OK;
    return certificate_failure(X509_STORE_CTX_get_error(context), err);
}

static char *pem_of(X509 *certificate)
{
    CLEANUP(BIO_free_allp) BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL, *copy;
    long length;

    if (memory == NULL || PEM_write_bio_X509(memory, certificate) != 1)
        abort();
    length = BIO_get_mem_data(memory, &bytes);
    copy = must_alloc((size_t)length + 1, 1);
    memcpy(copy, bytes, (size_t)length);
    return copy;
}

enum status http_chain_find_ca(const struct http_chain *chain, const char *url, int64_t now_s,
                               const struct digest *cas, size_t ca_count, char **ret_pem,
                               struct error *err)
{
    CLEANUP(X509_freep) X509 *leaf = chain->count > 0 ? parse(chain, 0) : NULL;
    CLEANUP(X509_freep) X509 *ca = find_listed(chain, cas, ca_count);
    CLEANUP(free_stackp) STACK_OF(X509) *rest = others(chain);
    struct http_url host;

    if (leaf == NULL || ca == NULL)
        return certificate_failure(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, err);
    TRY(http_url_host(url, &host, err));
    TRY(verify(leaf, ca, rest, host.text, now_s, err));
    *ret_pem = pem_of(ca);
    return STATUS_OK;
}

static X509 *read_pem(const char *pem, size_t length)
{
    CLEANUP(BIO_free_allp)
    BIO *memory = length <= HTTP_CA_PEM_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;

    ERR_clear_error();
    return memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
}

enum status http_ca_digest(const char *pem, size_t length, struct digest *ret_digest,
                           struct error *err)
{
    CLEANUP(X509_freep) X509 *certificate = read_pem(pem, length);
    unsigned char *der = NULL;
    int der_length;

    if (certificate == NULL)
        return error_set(err, STATUS_INVALID, "that is not a certificate in PEM form");
    der_length = i2d_X509(certificate, &der);
    if (der_length <= 0)
        abort();
    *ret_digest = digest_of(der, (size_t)der_length);
    OPENSSL_free(der);
    return STATUS_OK;
}

/* The extensions decide alone: what OpenSSL still takes for a CA of an older kind is none here. */
static enum status check_powers(X509 *certificate, struct error *err)
{
    uint32_t flags = X509_get_extension_flags(certificate);

    if ((flags & EXFLAG_INVALID) != 0)
        return error_set(err, STATUS_INVALID, "that certificate has extensions that are malformed");
    if ((flags & EXFLAG_CA) == 0)
        return error_set(err, STATUS_INVALID,
                         "that certificate is no CA (basicConstraints says not CA:TRUE): no client "
                         "would believe a server by it");
    if ((X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) == 0)
        return error_set(err, STATUS_INVALID,
                         "that CA may not sign certificates (keyUsage has no keyCertSign)");
    return STATUS_OK;
}

enum status http_ca_check(const char *pem, size_t length, int64_t now_s, struct error *err)
{
    CLEANUP(X509_freep) X509 *certificate = read_pem(pem, length);
    time_t now = (time_t)now_s;

    if (certificate == NULL)
        return error_set(err, STATUS_INVALID, "that is not a certificate in PEM form");
    TRY(check_powers(certificate, err));
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0)
        return error_set(err, STATUS_INVALID, "that CA is not valid yet");
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0)
        return error_set(err, STATUS_INVALID, "that CA has expired");
    return STATUS_OK;
}
