/* What is wrong with a certificate, in words: for common/http/ only. */
#ifndef COMMON_HTTP_CERTIFICATE_H
#define COMMON_HTTP_CERTIFICATE_H

#include "common/base/error.h"

/* `verify_result` is one of OpenSSL's X509_V_ERR_…. Always STATUS_UNTRUSTED, with its code. */
enum status certificate_failure(long verify_result, struct error *err);

#endif
