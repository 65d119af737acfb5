#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/problem.h"
#include "protocol/writer.h"
#include "server/http/reply.h"

#define PROBLEM_TYPE "application/problem+json"
#define BUSY_RETRY_S 2
#define FULL_RETRY_S 30 /* somebody has to make room, and then it goes on at once */

static void add_problem(struct http_reply *reply, char *text, int64_t retry_after_s)
{
    http_reply_memory(reply, PROBLEM_TYPE, text, strlen(text));
    http_reply_field(reply, "Cache-Control", "no-store");
    if (retry_after_s > 0)
        http_reply_field(reply, "Retry-After", "%lld", (long long)retry_after_s);
}

/* Nobody who can only wait is left without a time, wherever the failure came from. */
static void add_time(struct error *err)
{
    if (err->retry_after_s > 0)
        return;
    if (err->status == STATUS_BUSY)
        error_retry_after(err, BUSY_RETRY_S);
    else if (err->status == STATUS_FULL)
        error_retry_after(err, FULL_RETRY_S);
}

void http_reply_problem(struct http_reply *reply, const struct error *err)
{
    struct error told = *err;

    assert(err->status != STATUS_OK);
    add_time(&told);
    http_reply_init(reply, status_facts(told.status)->http);
    add_problem(reply, problem_encode(&told), told.retry_after_s);
    if (told.status == STATUS_UNAUTHORIZED) /* RFC 9110, 15.5.2 demands it */
        http_reply_field(reply, "WWW-Authenticate", "Bearer");
}

/* For what is HTTP's business alone there is no status, hence no message of the protocol. */
static char *encode_http(int http, const char *detail, int64_t retry_after_s)
{
    char words[sizeof((struct error *)0)->text];
    char type[16];
    struct writer writer;

    (void)snprintf(words, sizeof words, "%s", detail);
    text_sanitise(words, strlen(words)); /* a cut may have split a character */
    (void)snprintf(type, sizeof type, "http-%d", http);
    writer_init(&writer);
    write_text(&writer, "type", type);
    write_text(&writer, "title", "HTTP does not allow this request here");
    write_integer(&writer, "status", http);
    write_text(&writer, "detail", words);
    write_integer_unless_zero(&writer, "retry_after_s", retry_after_s);
    return writer_end(&writer);
}

void http_reply_problem_http(struct http_reply *reply, int http, const char *detail,
                             int64_t retry_after_s)
{
    for (enum status status = STATUS_OK + 1; status < STATUS_COUNT; status++)
        if (status_facts(status)->http == http && http != 500) {
            struct error err;

            error_set(&err, status, "%s", detail);
            error_retry_after(&err, retry_after_s);
            http_reply_problem(reply, &err);
            return;
        }
    http_reply_init(reply, http);
    add_problem(reply, encode_http(http, detail, retry_after_s), retry_after_s);
}
