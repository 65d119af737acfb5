#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/http/reply.h"

#define PROBLEM_TYPE "application/problem+json"

static void write_problem(struct http_reply *reply, const char *type, const char *detail,
                          int64_t retry_after_s)
{
    char words[sizeof((struct error *)0)->text];
    json_t *problem;
    char *text;

    (void)snprintf(words, sizeof words, "%s", detail);
    text_sanitise(words, strlen(words)); /* a cut may have split a character */
    problem = json_pack("{s:s, s:s, s:i}", "type", type, "title", words, "status", reply->status);
    if (retry_after_s > 0)
        json_object_set_new(problem, "retry_after_s", json_integer(retry_after_s));
    text = json_dumps(problem, JSON_COMPACT);
    json_decref(problem);
    assert(text != NULL);
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
    write_problem(reply, facts->name, err->text, err->retry_after_s);
    if (err->status == STATUS_UNAUTHORIZED) /* RFC 9110, 15.5.2 demands it */
        http_reply_field(reply, "WWW-Authenticate", "Bearer");
}

void http_reply_problem_http(struct http_reply *reply, int http, const char *detail)
{
    char type[16];

    http_reply_init(reply, http);
    (void)snprintf(type, sizeof type, "http-%d", http);
    for (enum status status = STATUS_OK + 1; status < STATUS_COUNT; status++)
        if (status_facts(status)->http == http && http != 500) {
            write_problem(reply, status_facts(status)->name, detail, 0);
            return;
        }
    write_problem(reply, type, detail, 0);
}
