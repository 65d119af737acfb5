#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/problem.h"
#include "server/http/reply.h"

#define PROBLEM_TYPE "application/problem+json"

static void add_problem(struct http_reply *reply, char *text, int64_t retry_after_s)
{
    http_reply_memory(reply, PROBLEM_TYPE, text, strlen(text));
    http_reply_field(reply, "Cache-Control", "no-store");
    if (retry_after_s > 0)
        http_reply_field(reply, "Retry-After", "%lld", (long long)retry_after_s);
}

void http_reply_problem(struct http_reply *reply, const struct error *err)
{
    const struct status_facts *facts = status_facts(err->status);

    assert(err->status != STATUS_OK);
    http_reply_init(reply, facts->http);
    add_problem(reply, problem_encode(err), err->retry_after_s);
    if (err->status == STATUS_UNAUTHORIZED) /* RFC 9110, 15.5.2 demands it */
        http_reply_field(reply, "WWW-Authenticate", "Bearer");
}

/* For what is HTTP's business alone there is no status, hence no message of the protocol. */
static char *encode_http(int http, const char *detail)
{
    char words[sizeof((struct error *)0)->text];
    char type[16];
    json_t *problem;
    char *text;

    (void)snprintf(words, sizeof words, "%s", detail);
    text_sanitise(words, strlen(words)); /* a cut may have split a character */
    (void)snprintf(type, sizeof type, "http-%d", http);
    problem = json_pack("{s:s, s:s, s:i, s:s}", "type", type, "title",
                        "HTTP does not allow this request here", "status", http, "detail", words);
    text = json_dumps(problem, JSON_COMPACT);
    json_decref(problem);
    assert(text != NULL);
    return text;
}

void http_reply_problem_http(struct http_reply *reply, int http, const char *detail)
{
    for (enum status status = STATUS_OK + 1; status < STATUS_COUNT; status++)
        if (status_facts(status)->http == http && http != 500) {
            struct error err;

            error_set(&err, status, "%s", detail);
            http_reply_init(reply, http);
            add_problem(reply, problem_encode(&err), 0);
            return;
        }
    http_reply_init(reply, http);
    add_problem(reply, encode_http(http, detail), 0);
}
