#include "tests/support/fake_tls.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "server/site/certificate.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static char *read_file(const char *path)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = CERTIFICATE_MAX_BYTES};

    MUST(disk_real()->read(disk_real(), path, &text, NULL) == STATUS_OK);
    return text_copy_n(buffer_text(&text), text.length);
}

static void read_chain(const char *pem, struct http_chain *ret_chain)
{
    BIO *memory = BIO_new_mem_buf(pem, -1);
    X509 *next;

    MUST(memory != NULL);
    while ((next = PEM_read_bio_X509(memory, NULL, NULL, NULL)) != NULL) {
        size_t i = ret_chain->count++;
        int length = i2d_X509(next, NULL);
        unsigned char *end = must_alloc((size_t)length, 1);

        ret_chain->certificates[i].der = end;
        ret_chain->certificates[i].length = (size_t)length;
        MUST(i2d_X509(next, &end) == length);
        X509_free(next);
    }
    BIO_free(memory);
}

static void make_files(const char *ca, const char *key, const char *site)
{
    const struct certificate_pair files = {.certificate = ca, .key = key};
    const struct certificate_host host = {.text = "127.0.0.1"};
    struct env *env = env_real();

    MUST(certificate_make_ca(env, "A sample", &files, NULL) == STATUS_OK);
    MUST(certificate_make(env, &files, &host, site, NULL) == STATUS_OK);
}

void fake_tls_make(struct fake_tls *ret_tls)
{
    char folder[] = "/tmp/dugnad-tls-XXXXXX";
    CLEANUP(freep) char *ca = NULL;
    CLEANUP(freep) char *key = NULL;
    CLEANUP(freep) char *site = NULL;
    CLEANUP(freep) char *pem = NULL;

    *ret_tls = (struct fake_tls){.ca_pem = NULL};
    MUST(mkdtemp(folder) != NULL);
    ca = text_format("%s/ca.pem", folder);
    key = text_format("%s/ca.key", folder);
    site = text_format("%s/site.pem", folder);
    make_files(ca, key, site);
    pem = read_file(site);
    read_chain(pem, &ret_tls->chain);
    MUST(ret_tls->chain.count == 2);
    ret_tls->ca_pem = read_file(ca);
    MUST(http_ca_digest(ret_tls->ca_pem, strlen(ret_tls->ca_pem), &ret_tls->ca, NULL) == STATUS_OK);
    MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

void fake_tls_clear(struct fake_tls *tls)
{
    http_chain_clear(&tls->chain);
    free(tls->ca_pem);
    tls->ca_pem = NULL;
}

char *fake_tls_leaf_pem(const struct fake_tls *tls)
{
    const unsigned char *der = tls->chain.certificates[0].der;
    X509 *leaf = d2i_X509(NULL, &der, (long)tls->chain.certificates[0].length);
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL, *pem;
    long length;

    MUST(leaf != NULL && memory != NULL && PEM_write_bio_X509(memory, leaf) == 1);
    length = BIO_get_mem_data(memory, &bytes);
    pem = text_copy_n(bytes, (size_t)length);
    BIO_free(memory);
    X509_free(leaf);
    return pem;
}

void fake_tls_present(const struct fake_tls *tls, struct http_chain *ret_chain)
{
    for (size_t i = 0; i < tls->chain.count; i++) {
        size_t length = tls->chain.certificates[i].length;
        unsigned char *der = must_alloc(length, 1);

        memcpy(der, tls->chain.certificates[i].der, length);
        ret_chain->certificates[i].der = der;
        ret_chain->certificates[i].length = length;
    }
    ret_chain->count = tls->chain.count;
}
