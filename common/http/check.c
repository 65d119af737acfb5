/* What a response means, and the wait for one: all that does not depend on how it came. */
#include <jansson.h>
#include <string.h>

#include "common/base/text.h"
#include "common/http/client.h"
#include "common/json/profile.h"

#define PERFORM_STEP_MS 1000

void http_response_init(struct http_response *response)
{
    *response = (struct http_response){
        .retry_after_s = HTTP_ABSENT,
        .content_length = HTTP_ABSENT,
        .upload_offset = HTTP_ABSENT,
        .range_first = HTTP_ABSENT,
        .range_total = HTTP_ABSENT,
    };
}

void http_chain_clear(struct http_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        free(chain->certificates[i].der);
    chain->count = 0;
}

void http_response_clear(struct http_response *response)
{
    buffer_clear(&response->body);
    http_chain_clear(&response->chain);
}

void http_client_close(struct http_client *client)
{
    if (client != NULL)
        client->close(client);
}

enum status http_perform(struct http_client *client, const struct http_request *request,
                         struct http_response *ret_response, struct error *err)
{
    struct http_exchange *exchange = NULL;
    enum status status;

    TRY(client->start(client, request, &exchange, err));
    while (!client->poll(exchange, &status, ret_response, err))
        client->wait(client, NULL, 0, PERFORM_STEP_MS);
    client->release(client, exchange);
    return status;
}

/* By the code alone, where no problem document says it better. */
static enum status status_of_code(int code)
{
    for (int status = STATUS_OK + 1; status < STATUS_COUNT; status++)
        if (status_facts((enum status)status)->http == code)
            return (enum status)status;
    return code >= 400 && code < 500 ? STATUS_INVALID : STATUS_UNREACHABLE;
}

/* An answer that we did not get past a proxy is no word of the server's. */
static enum status status_of_response(const struct http_response *response)
{
    if (response->status == 502 || response->status == 504)
        return STATUS_UNREACHABLE;
    return status_of_code(response->status);
}

static const char *text_member(json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));

    return text != NULL ? text : "";
}

/* Codes by which a client behaves differently; NULL: none of them. */
static const char *known_code(const char *code)
{
    static const char *const codes[] = {"clone"};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(code, codes[i]) == 0)
            return codes[i];
    return NULL;
}

static void take_words(const struct http_response *response, json_t *root, struct error *err)
{
    const char *words = text_member(root, "detail");

    if (err == NULL)
        return;
    if (words[0] == '\0')
        words = text_member(root, "title");
    if (words[0] != '\0') {
        (void)snprintf(err->text, sizeof err->text, "%s", words);
        text_sanitise(err->text, strlen(err->text));
    }
    error_detail(err, "HTTP status %d", response->status);
    error_code(err, known_code(text_member(root, "code")));
}

static enum status read_problem(const struct http_response *response, struct error *err)
{
    static const struct profile_limits limits = {.bytes = HTTP_PROBLEM_MAX, .depth = 8};
    json_auto_t *root = NULL;
    enum status status;
    int64_t retry_after_s = response->retry_after_s;

    if (profile_parse(buffer_text(&response->body), response->body.length, &limits, &root, NULL) !=
        STATUS_OK)
        root = NULL;
    status = status_from_name(text_member(root, "type"));
    if (status == STATUS_OK || status == STATUS_COUNT)
        status = status_of_response(response);
    if (json_is_integer(json_object_get(root, "retry_after_s")))
        retry_after_s = json_integer_value(json_object_get(root, "retry_after_s"));

    error_set(err, status, "the server answered with status %d", response->status);
    take_words(response, root, err);
    if (retry_after_s > 0)
        error_retry_after(err, retry_after_s);
    return status;
}

enum status http_check(const struct http_response *response, struct error *err)
{
    if ((response->status >= 200 && response->status < 300) || response->status == 304)
        return STATUS_OK;
    if (response->status >= 300 && response->status < 400) {
        error_set(err, STATUS_UNTRUSTED,
                  "the server sends us elsewhere (status %d); that is not followed",
                  response->status);
        error_code(err, "redirect");
        return STATUS_UNTRUSTED;
    }
    return read_problem(response, err);
}
