/*
 * An HTTP client and a raw site for it, one at a time: what the site says, and what came of the
 * last request. asking_set_up() and asking_tear_down() are a suite's. Everything asserts.
 */
#ifndef TESTS_SUPPORT_ASKING_H
#define TESTS_SUPPORT_ASKING_H

#include "common/http/client.h"
#include "tests/support/raw_site.h"

/* What the site says to every request. */
struct saying {
    const char *status;
    const char *headers;
    const char *body;
    const char *raw; /* instead, byte for byte */
};

struct asking {
    struct raw_site site; /* to be started by the test */
    struct http_client *http;
    struct http_response response;
    struct error err;
    char last_request[RAW_SITE_REQUEST_MAX];
    struct saying saying; /* at first: 200, no headers, "hello" */
};
extern struct asking asking;

void asking_set_up(void);
void asking_tear_down(void);

/* A GET of at most 1000 bytes; ca_pem NULL: the machine's CAs. */
enum status asking_get(const char *path, const char *ca_pem);

/* A site of this plan is started, and refused under this code before a byte is sent. */
void asking_expect_code(const struct raw_site_plan *plan, const char *code);

#endif
