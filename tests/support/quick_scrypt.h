/*
 * A program that calls quick_scrypt() derives the keys of key files at a ten-thousandth of the
 * cost, for tests that rotate dozens of keys; their files are read by nothing else. What the real
 * cost is, and that the product pays it, is tests/unit/common/crypto/test_keys. No product links
 * this.
 */
#ifndef TESTS_SUPPORT_QUICK_SCRYPT_H
#define TESTS_SUPPORT_QUICK_SCRYPT_H

/* Does nothing; to name it is what takes it in. */
void quick_scrypt(void);

#endif
