#include "operator/remote.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/back_off.h"

#define FIRST_WAIT_MS 500
#define WAIT_STEP_MS  1000

static bool may_help(enum status status)
{
    return status == STATUS_UNREACHABLE || status == STATUS_BUSY || status == STATUS_LIMITED;
}

enum status remote_begin(struct profile *profile, const struct remote_request *request,
                         struct http_exchange **ret_exchange, struct error *err)
{
    CLEANUP(freep) char *url = text_format("%s%s", profile->url, request->path);
    struct http_client *http = profile->session->http;
    struct http_request asked = {
        .method = request->method,
        .url = url,
        .token = profile->token.text[0] != '\0' ? profile->token.text : NULL,
        .content_type = request->content_type,
        .body = request->body,
        .max_bytes = request->max_bytes,
        .sink = request->sink,
        .ca_pem = profile->ca_pem,
    };

    return http->start(http, &asked, ret_exchange, err);
}

void remote_move(struct profile *profile)
{
    struct http_client *http = profile->session->http;

    http->wait(http, NULL, 0, 0);
}

void remote_forget(struct profile *profile, struct http_exchange *exchange)
{
    struct http_client *http = profile->session->http;

    http->release(http, exchange);
}

/* What only reads is broken off by an interrupt; what changes something is heard to its end. */
static bool is_unwanted(const struct profile *profile, const struct remote_request *request)
{
    return request->method == HTTP_GET && session_is_interrupted(profile->session);
}

/* What a response says, given away if it is a good one. */
static enum status judge(struct profile *profile, struct http_response *response,
                         struct http_response *ret_response, struct error *err)
{
    enum status status = http_check(response, err);

    if (status == STATUS_OK) {
        *ret_response = *response;
        return STATUS_OK;
    }
    profile->session->was_refused = true;
    http_response_clear(response);
    return status;
}

bool remote_is_over(struct profile *profile, struct http_exchange **exchange,
                    enum status *ret_status, struct http_response *ret_response, struct error *err)
{
    struct http_client *http = profile->session->http;
    struct http_response response;

    http_response_init(&response);
    profile->session->was_refused = false;
    if (!http->poll(*exchange, ret_status, &response, err))
        return false;
    http->release(http, TAKE(*exchange));
    if (*ret_status == STATUS_OK)
        *ret_status = judge(profile, &response, ret_response, err);
    return true;
}

static enum status hear(struct profile *profile, const struct remote_request *request,
                        struct http_exchange *exchange, struct http_response *ret_response,
                        struct error *err)
{
    struct http_client *http = profile->session->http;
    enum status status;

    while (!remote_is_over(profile, &exchange, &status, ret_response, err)) {
        if (is_unwanted(profile, request)) {
            http->release(http, exchange);
            return session_go_on(profile->session, err);
        }
        session_meanwhile(profile->session);
        http->wait(http, NULL, 0, WAIT_STEP_MS);
    }
    return status;
}

static enum status ask_once(struct profile *profile, const struct remote_request *request,
                            struct http_response *ret_response, struct error *err)
{
    struct http_exchange *exchange;

    TRY(remote_begin(profile, request, &exchange, err));
    return hear(profile, request, exchange, ret_response, err);
}

/* How long before the next attempt; negative: longer than anybody at a terminal waits. */
static int64_t wait_ms(struct session *session, int64_t attempt, const struct error *err)
{
    uint64_t random;

    session->env->random(session->env, &random, sizeof random);
    if (err->retry_after_s > REMOTE_WAIT_MAX_S)
        return -1;
    if (err->retry_after_s > 0)
        return back_off_ms(attempt, err->retry_after_s, random);
    return (FIRST_WAIT_MS << attempt) / 2 + (int64_t)(random % (FIRST_WAIT_MS << attempt));
}

/* What may come after an attempt that failed, for the reason in `err`. */
static enum status ask_again(struct profile *profile, const struct remote_request *request,
                             enum status status, struct http_response *ret_response,
                             struct error *err)
{
    struct session *session = profile->session;

    for (int64_t attempt = 0; attempt + 1 < REMOTE_ATTEMPTS && may_help(status); attempt++) {
        int64_t ms = wait_ms(session, attempt, err);

        if (request->sink != NULL || ms < 0 || session_is_interrupted(session))
            break;
        session_warn(session, "%s; trying again in %.1f s", err->text, (double)ms / 1000);
        session_wait(session, ms);
        *err = (struct error){0};
        status = ask_once(profile, request, ret_response, err);
    }
    return status;
}

enum status remote_ask(struct profile *profile, const struct remote_request *request,
                       struct http_response *ret_response, struct error *err)
{
    struct error mine = {0};
    enum status status = ask_once(profile, request, ret_response, &mine);

    status = ask_again(profile, request, status, ret_response, &mine);
    if (status != STATUS_OK && err != NULL)
        *err = mine;
    return status;
}

enum status remote_end(struct profile *profile, const struct remote_request *request,
                       struct http_exchange **exchange, struct http_response *ret_response,
                       struct error *err)
{
    struct error mine = {0};
    enum status status = hear(profile, request, TAKE(*exchange), ret_response, &mine);

    status = ask_again(profile, request, status, ret_response, &mine);
    if (status != STATUS_OK && err != NULL)
        *err = mine;
    return status;
}

static enum status ask_for_body(struct profile *profile, const struct remote_request *request,
                                struct buffer *ret_body, struct error *err)
{
    struct http_response response;

    TRY(remote_ask(profile, request, &response, err));
    *ret_body = response.body;
    response.body = (struct buffer){0};
    http_response_clear(&response);
    return STATUS_OK;
}

enum status remote_get(struct profile *profile, const char *path, size_t max_bytes,
                       struct buffer *ret_body, struct error *err)
{
    struct remote_request request = {
        .method = HTTP_GET, .path = path, .max_bytes = (int64_t)max_bytes};

    return ask_for_body(profile, &request, ret_body, err);
}

enum status remote_post(struct profile *profile, const char *path, const char *json,
                        size_t max_bytes, struct buffer *ret_body, struct error *err)
{
    struct remote_request request = {
        .method = HTTP_POST,
        .path = path,
        .body = {.bytes = json, .length = (int64_t)strlen(json)},
        .max_bytes = (int64_t)max_bytes,
    };

    return ask_for_body(profile, &request, ret_body, err);
}

enum status remote_misunderstood(const struct error *why, struct error *err)
{
    return error_set(err, STATUS_UNREACHABLE, "the server's answer cannot be read: %s", why->text);
}
