/* Self-signed certificates for "localhost", made on the spot. Everything asserts. */
#ifndef TESTS_SUPPORT_WEB_CERTIFICATE_H
#define TESTS_SUPPORT_WEB_CERTIFICATE_H

/*
 * A new P-256 key and its certificate as PEM files. It ends `valid_s` seconds from now; negative:
 * ended already.
 */
void web_certificate_make(const char *certificate_path, const char *key_path, long valid_s);

#endif
