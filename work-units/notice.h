/*
 * A notice to volunteers. Signed by a `work` key.
 *
 * {"type", "project": digest, "text": plain, may have lines, "issued", "until"}
 */
#ifndef WORK_UNITS_NOTICE_H
#define WORK_UNITS_NOTICE_H

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "work-units/names.h"

#define NOTICE_TYPE     "application/vnd.dugnad.notice+json"
#define NOTICE_TEXT_MAX 500 /* bytes */

struct notice {
    struct digest project;
    char text[NOTICE_TEXT_MAX + 1]; /* not empty */
    int64_t issued_s;
    int64_t until_s; /* after issued_s */
};

/* As keyring_decode(), keyring_encode(). */
enum status notice_decode(const char *payload, size_t length, struct notice *ret_notice,
                          struct error *err) MUST_USE;
char *notice_encode(const struct notice *notice);

#endif
