#include "tests/support/fake_net.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"

struct http_exchange {
    struct http_sink *sink;
    int64_t max_bytes;
    enum status status;
    struct error err;
    struct http_response response;
    bool is_taken;
    struct fake_net *net;
    bool is_stalled;
    int looks_left; /* > 0: it is slow */
};

static struct fake_net *self_of(struct http_client *client)
{
    return (struct fake_net *)client;
}

const char *fake_request_header(const struct fake_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

void fake_reply(struct http_response *response, int status, const char *body, size_t length)
{
    response->status = status;
    buffer_clear(&response->body);
    buffer_init(&response->body, length);
    if (buffer_append(&response->body, body, length, NULL) != STATUS_OK)
        abort();
}

static char *body_of(const struct http_request *request)
{
    size_t length = (size_t)request->body.length, got = 0;
    char *body = must_alloc(length + 1, 1);

    if (request->body.file != NULL) {
        struct disk *disk = disk_file_disk(request->body.file);

        if (disk->read_at(request->body.file, request->body.offset, body, length, &got, NULL) !=
                STATUS_OK ||
            got != length)
            abort();
    } else if (length > 0) {
        memcpy(body, request->body.bytes, length);
    }
    return body;
}

static enum status through_sink(struct http_exchange *exchange)
{
    struct http_response *response = &exchange->response;
    struct http_sink *sink = exchange->sink;
    struct error *err = &exchange->err;

    if ((int64_t)response->body.length > exchange->max_bytes)
        return error_set(err, STATUS_TOO_LARGE, "the answer is larger than what was asked for");
    if (sink == NULL)
        return STATUS_OK;
    if (sink->begin != NULL)
        TRY(sink->begin(sink->context, response, err));
    TRY(sink->write(sink->context, buffer_text(&response->body), response->body.length, err));
    buffer_clear(&response->body);
    return STATUS_OK;
}

static void deliver(struct http_exchange *exchange)
{
    int status = exchange->response.status;

    if (exchange->status == STATUS_OK && status >= 200 && status < 300)
        exchange->status = through_sink(exchange);
}

/* Is it there now? */
static bool look_at_slow(struct http_exchange *exchange)
{
    if (--exchange->looks_left > 0)
        return false;
    exchange->net->slow--;
    exchange->net->open++;
    deliver(exchange);
    return true;
}

static void serve(struct fake_net *net, const struct fake_request *request,
                  struct http_exchange *exchange)
{
    enum fake_fate fate = net->fate != NULL ? net->fate(net->context, request) : FATE_DELIVERED;
    struct http_response *response = &exchange->response;

    if (fate != FATE_LOST_REQUEST) {
        net->served++;
        exchange->status = net->serve(net->context, request, response, &exchange->err);
    }
    exchange->looks_left = fate == FATE_SLOW ? FAKE_SLOW_LOOKS : 0;
    if (fate == FATE_SLOW)
        return;
    if (fate != FATE_DELIVERED)
        exchange->status =
            error_set(&exchange->err, STATUS_UNREACHABLE, "the connection to the server broke");
    else
        deliver(exchange);
}

static enum status start(struct http_client *client, const struct http_request *request,
                         struct http_exchange **ret_exchange, struct error *err)
{
    struct fake_net *net = self_of(client);
    CLEANUP(freep) char *body = body_of(request);
    const char *host = strstr(request->url, "://");
    struct fake_request fake = {
        .method = request->method,
        .url = request->url,
        .token = request->token,
        .body = body,
        .body_length = (size_t)request->body.length,
        .range_from = request->range_from,
        .if_none_match = request->if_none_match,
        .headers = request->headers,
        .header_count = request->header_count,
        .on_first_contact = request->on_first_contact,
        .ca_pem = request->ca_pem,
    };
    struct http_exchange *exchange;

    if (host == NULL || (fake.path = strchr(host + 3, '/')) == NULL)
        return error_set(err, STATUS_INVALID, "that is not an https:// URL");
    exchange = must_alloc(1, sizeof *exchange);
    exchange->sink = request->sink;
    exchange->max_bytes = request->max_bytes;
    http_response_init(&exchange->response);
    serve(net, &fake, exchange);
    exchange->net = net;
    exchange->is_stalled = net->stalled != NULL && text_starts_with(fake.path, net->stalled);
    if (exchange->looks_left > 0)
        net->slow++;
    else
        net->open += exchange->is_stalled ? 0 : 1;
    *ret_exchange = exchange;
    return STATUS_OK;
}

static bool poll_exchange(struct http_exchange *exchange, enum status *ret_status,
                          struct http_response *ret_response, struct error *err)
{
    assert(!exchange->is_taken);
    if (exchange->is_stalled && exchange->net->stalled != NULL)
        return false;
    if (exchange->looks_left > 0 && !look_at_slow(exchange))
        return false;
    exchange->is_taken = true;
    *ret_status = exchange->status;
    if (exchange->status == STATUS_OK) {
        *ret_response = exchange->response;
        http_response_init(&exchange->response);
    } else if (err != NULL) {
        *err = exchange->err;
    }
    return true;
}

static void wait_for_any(struct http_client *client, struct pollfd *others, unsigned other_count,
                         int64_t timeout_ms)
{
    /* What was asked is there already; others may be worth waiting for. */
    if (self_of(client)->open == 0)
        (void)poll(others, other_count, (int)timeout_ms);
}

static void release(struct http_client *client, struct http_exchange *exchange)
{
    if (exchange == NULL)
        return;
    if (exchange->looks_left > 0)
        self_of(client)->slow--;
    else
        self_of(client)->open -= exchange->is_stalled ? 0 : 1;
    http_response_clear(&exchange->response);
    free(exchange);
}

static void close_net(struct http_client *client)
{
    assert(self_of(client)->open == 0 && self_of(client)->slow == 0);
}

void fake_net_init(struct fake_net *ret_net)
{
    *ret_net = (struct fake_net){.base = {.start = start,
                                          .poll = poll_exchange,
                                          .wait = wait_for_any,
                                          .release = release,
                                          .close = close_net}};
}
