#include "tests/support/quick_scrypt.h"

#include <assert.h>
#include <dlfcn.h>
#include <openssl/evp.h>

#define QUICK_N 16

typedef int (*scrypt_fn)(const char *, size_t, const unsigned char *, size_t, uint64_t, uint64_t,
                         uint64_t, uint64_t, unsigned char *, size_t);

void quick_scrypt(void)
{
}

/* Found by the linker before libcrypto's, in programs that quick_scrypt() is part of. */
int EVP_PBE_scrypt(const char *pass, size_t passlen, const unsigned char *salt, size_t saltlen,
                   uint64_t N, uint64_t r, uint64_t p, uint64_t maxmem, unsigned char *key,
                   size_t keylen)
{
    scrypt_fn real = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "EVP_PBE_scrypt"); /* POSIX's way around ISO C */
    assert(real != NULL && N == UINT64_C(1) << 17);
    return real(pass, passlen, salt, saltlen, QUICK_N, r, p, maxmem, key, keylen);
}
