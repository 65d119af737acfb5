/* What the files of the fake site share. For tests/support/fake_site*.c only. */
#ifndef TESTS_SUPPORT_FAKE_SITE_PARTS_H
#define TESTS_SUPPORT_FAKE_SITE_PARTS_H

#include "tests/support/fake_site.h"

/* The client broke the protocol: the first such note is kept. */
void fake_site_broke(struct fake_site *site, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* NULL: there is none of this number. */
struct fake_task *fake_site_task(struct fake_site *site, int64_t number);

/* `text` is taken over. */
void fake_reply_text(struct http_response *response, int status, char *text);
void fake_reply_problem(struct http_response *response, enum status status, int64_t retry_after_s,
                        const char *words);

/* The host was withdrawn: what it was sent, others compute. */
void fake_site_withdraw(struct fake_site *site);

void fake_site_visit(struct fake_site *site, const struct fake_request *request,
                     struct http_response *response);
void fake_site_file(struct fake_site *site, const struct fake_request *request,
                    struct http_response *response);
void fake_site_bundle(struct fake_site *site, const struct fake_request *request,
                      struct http_response *response);
enum status fake_site_upload(struct fake_site *site, const struct fake_request *request,
                             struct http_response *response, struct error *err);

#endif
