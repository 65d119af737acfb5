/*
 * struct http_client over libcurl's multi interface. What an answer's head says is read in
 * answer.c; here are connections, bodies and the ways in which an exchange ends.
 */
#include <assert.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/http/answer.h"
#include "common/http/certificate.h"
#include "common/http/client.h"
#include "common/http/url.h"

#define OTHERS_MAX        256
#define CONNECTIONS_MAX   8 /* kept open */
#define CONNECT_DEFAULT_S 20
#define TOTAL_DEFAULT_S   120
#define RATE_DEFAULT_BPS  64
#define RATE_DEFAULT_S    60

struct curl_client {
    struct http_client base;
    CURLM *multi;
    char *user_agent;
    size_t exchanges; /* not yet released */
};

struct http_exchange {
    CURL *easy;
    struct curl_slist *headers;
    struct http_body body;
    int64_t sent; /* of the body */
    struct answer answer;
    bool is_over;
    CURLcode how;
    char words[CURL_ERROR_SIZE];
};

static const char *const method_names[] = {
    [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

static struct curl_client *self_of(struct http_client *client)
{
    return (struct curl_client *)client;
}

static size_t on_header(char *line, size_t one, size_t length, void *context)
{
    struct http_exchange *exchange = context;

    return answer_take_line(&exchange->answer, line, one * length) ? one * length : 0;
}

static size_t on_bytes(char *bytes, size_t one, size_t count, void *context)
{
    struct http_exchange *exchange = context;

    return answer_take_bytes(&exchange->answer, bytes, one * count) ? one * count : 0;
}

static size_t on_body_wanted(char *ret_bytes, size_t one, size_t room, void *context)
{
    struct http_exchange *exchange = context;
    struct http_body *body = &exchange->body;
    int64_t left = body->length - exchange->sent;
    size_t count = (int64_t)(one * room) < left ? one * room : (size_t)left;

    if (body->file == NULL) {
        if (count > 0)
            memcpy(ret_bytes, (const char *)body->bytes + exchange->sent, count);
    } else if (count > 0) {
        struct disk *disk = disk_file_disk(body->file);
        size_t got = 0;

        exchange->answer.failure = disk->read_at(body->file, body->offset + exchange->sent,
                                                 ret_bytes, count, &got, &exchange->answer.err);
        if (exchange->answer.failure == STATUS_OK && got == 0)
            exchange->answer.failure = error_set(&exchange->answer.err, STATUS_STORAGE,
                                                 "the file to send is shorter than it was");
        if (exchange->answer.failure != STATUS_OK)
            return CURL_READFUNC_ABORT;
        count = got;
    }
    exchange->sent += (int64_t)count;
    return count;
}

/* libcurl repeats a request when the server had closed an idle connection. */
static int on_rewind(void *context, curl_off_t offset, int origin)
{
    struct http_exchange *exchange = context;

    if (origin != SEEK_SET || offset < 0 || offset > exchange->body.length)
        return CURL_SEEKFUNC_FAIL;
    exchange->sent = offset;
    return CURL_SEEKFUNC_OK;
}

/* The system's store, as OpenSSL finds it; libcurl itself adds the request's CA. */
static CURLcode on_tls_context(CURL *easy, void *tls, void *context)
{
    (void)easy;
    (void)context;
    return SSL_CTX_set_default_verify_paths(tls) == 1 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static void set_verification(CURL *easy, const struct http_request *request)
{
    bool is_verified = !request->on_first_contact;
    struct curl_blob ca = {.flags = CURL_BLOB_COPY};

    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    /* libcurl's cached store would be shared between requests with and without a CA. */
    (void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    if (request->ca_pem != NULL) {
        ca.data = (void *)(uintptr_t)request->ca_pem;
        ca.len = strlen(request->ca_pem);
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
    }
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, is_verified ? 1L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, is_verified ? 2L : 0L);
    if (is_verified)
        return;
    /* Neither this connection nor its session may ever serve a request that is to be verified. */
    (void)curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static void set_patience(CURL *easy, const struct http_request *request)
{
    const struct http_patience *patience = &request->patience;
    bool is_large = request->sink != NULL || request->body.file != NULL;
    int64_t total_s = or_default(patience->total_s, is_large ? 0 : TOTAL_DEFAULT_S);

    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                           (long)or_default(patience->connect_s, CONNECT_DEFAULT_S));
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)total_s);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT,
                           (long)or_default(patience->min_rate_bps, RATE_DEFAULT_BPS));
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                           (long)or_default(patience->min_rate_s, RATE_DEFAULT_S));
}

static void set_body(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    bool has_body = request->method == HTTP_POST || request->method == HTTP_PUT ||
                    request->method == HTTP_PATCH;

    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method_names[request->method]);
    if (request->method == HTTP_HEAD)
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (!has_body)
        return;
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body.length);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_body_wanted);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
}

static void add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    CLEANUP(freep) char *line = text_format("%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);

    if (longer == NULL)
        abort();
    exchange->headers = longer;
}

static void set_headers(struct http_exchange *exchange, const struct http_request *request)
{
    CLEANUP(freep) char *bearer = NULL;
    CLEANUP(freep) char *range = NULL;

    if (request->body.length > 0 || request->content_type != NULL)
        add_header(exchange, "Content-Type",
                   request->content_type != NULL ? request->content_type : "application/json");
    if (request->token != NULL) {
        bearer = text_format("Bearer %s", request->token);
        add_header(exchange, "Authorization", bearer);
    }
    if (request->range_from > 0) {
        range = text_format("bytes=%lld-", (long long)request->range_from);
        add_header(exchange, "Range", range);
        if (request->if_match != NULL)
            add_header(exchange, "If-Range", request->if_match);
    }
    if (request->if_none_match != NULL)
        add_header(exchange, "If-None-Match", request->if_none_match);
    for (size_t i = 0; i < request->header_count; i++)
        add_header(exchange, request->headers[i].name, request->headers[i].value);
    add_header(exchange, "Expect", ""); /* leaves it out: nobody waits for a 100 */
    (void)curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
}

static void set_up(struct curl_client *self, struct http_exchange *exchange,
                   const struct http_request *request)
{
    CURL *easy = exchange->easy;
    struct http_url host;

    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that hangs: its thread is left behind, not waited for. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, self->user_agent);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's */
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->words);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    /* A proxy is no way to one's own machine. */
    if (http_url_host(request->url, &host, NULL) == STATUS_OK &&
        (strcmp(host.text, "localhost") == 0 || text_starts_with(host.text, "127.") ||
         strcmp(host.text, "::1") == 0))
        (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    set_verification(easy, request);
    set_patience(easy, request);
    set_body(exchange, request);
    set_headers(exchange, request);
}

static bool is_header_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static bool is_project_url(const char *url)
{
    static const char path[] = "/v1/project";
    size_t length = strlen(url);

    return length > sizeof path && strcmp(url + length - (sizeof path - 1), path) == 0;
}

static enum status check_request(const struct http_request *request, struct error *err)
{
    if (!http_url_is_same_origin(request->url, request->url))
        return error_set(err, STATUS_INVALID, "that is not an https:// URL");
    if (request->token != NULL && !is_header_text(request->token))
        return error_set(err, STATUS_INVALID, "a token is printable ASCII");
    if (request->header_count > HTTP_HEADERS_MAX)
        return error_set(err, STATUS_INVALID, "a request has up to %d headers", HTTP_HEADERS_MAX);
    for (size_t i = 0; i < request->header_count; i++)
        if (!is_header_text(request->headers[i].name) || !is_header_text(request->headers[i].value))
            return error_set(err, STATUS_INVALID, "a header is printable ASCII");
    if (request->ca_pem != NULL && strlen(request->ca_pem) > HTTP_CA_PEM_MAX)
        return error_set(err, STATUS_INVALID, "a CA has up to %d bytes", HTTP_CA_PEM_MAX);
    if (request->on_first_contact &&
        (request->method != HTTP_GET || request->token != NULL || !is_project_url(request->url)))
        return error_set(err, STATUS_INVALID, "on first contact only the project is asked for");
    return STATUS_OK;
}

static void exchange_free(struct http_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    answer_clear(&exchange->answer);
    free(exchange);
}

static enum status start(struct http_client *client, const struct http_request *request,
                         struct http_exchange **ret_exchange, struct error *err)
{
    struct curl_client *self = self_of(client);
    struct http_exchange *exchange;

    TRY(check_request(request, err));
    exchange = must_alloc(1, sizeof *exchange);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL)
        abort();
    exchange->body = request->body;
    answer_init(&exchange->answer, request);
    set_up(self, exchange, request);
    if (curl_multi_add_handle(self->multi, exchange->easy) != CURLM_OK)
        abort();
    self->exchanges++;
    *ret_exchange = exchange;
    return STATUS_OK;
}

static enum status tls_failure(struct http_exchange *exchange, struct error *err)
{
    long result = X509_V_OK;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    /* The chain was fine, then libcurl looked at the names; only after that it sets the result. */
    if (result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED)
        result = X509_V_ERR_HOSTNAME_MISMATCH;
    return certificate_failure(result, err);
}

/* What a proxy answers to CONNECT is no answer of the site. Whose fault it is names the proxy. */
static bool is_refused_by_proxy(struct http_exchange *exchange, struct error *err)
{
    const char *address = NULL;
    long code = 0, port = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &code);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_IP, &address);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_PORT, &port);
    if (code < 300)
        return false;
    error_set(err, STATUS_UNREACHABLE, "the proxy at %.60s, port %ld, %s (%ld)",
              address != NULL && *address != '\0' ? address : "an unknown address", port,
              code == 407 ? "wants another name and password than https_proxy gives"
                          : "refuses to connect to the server",
              code);
    error_detail(err, "curl %d: %s", (int)exchange->how, exchange->words);
    return true;
}

static enum status transport_failure(struct http_exchange *exchange, struct error *err)
{
    if (is_refused_by_proxy(exchange, err))
        return STATUS_UNREACHABLE;
    switch (exchange->how) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return tls_failure(exchange, err);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        error_set(err, STATUS_INVALID, "the server's answer is not HTTP");
        break;
    case CURLE_OPERATION_TIMEDOUT:
        error_set(err, STATUS_UNREACHABLE, "the server took too long");
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        error_set(err, STATUS_UNREACHABLE, "the server's name is unknown here (no network?)");
        break;
    case CURLE_COULDNT_CONNECT:
        error_set(err, STATUS_UNREACHABLE, "the server cannot be reached");
        break;
    default:
        error_set(err, STATUS_UNREACHABLE, "the connection to the server broke");
        break;
    }
    error_detail(err, "curl %d: %s", (int)exchange->how,
                 exchange->words[0] != '\0' ? exchange->words : curl_easy_strerror(exchange->how));
    return exchange->how == CURLE_WEIRD_SERVER_REPLY || exchange->how == CURLE_UNSUPPORTED_PROTOCOL
               ? STATUS_INVALID
               : STATUS_UNREACHABLE;
}

static enum status finish(struct http_exchange *exchange, struct http_response *ret_response,
                          struct error *err)
{
    struct answer *answer = &exchange->answer;
    struct curl_certinfo *chain = NULL;
    curl_off_t retry_after_s = 0;

    if (answer->failure != STATUS_OK) {
        if (err != NULL)
            *err = answer->err;
        return answer->failure;
    }
    if (exchange->how != CURLE_OK)
        return transport_failure(exchange, err);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > 0)
        answer->response.retry_after_s = retry_after_s;
    if (curl_easy_getinfo(exchange->easy, CURLINFO_CERTINFO, &chain) == CURLE_OK && chain != NULL)
        for (int i = 0; i < chain->num_of_certs; i++)
            answer_take_certificate(answer, chain->certinfo[i]);
    answer_give(answer, ret_response);
    return STATUS_OK;
}

static bool poll_exchange(struct http_exchange *exchange, enum status *ret_status,
                          struct http_response *ret_response, struct error *err)
{
    if (!exchange->is_over)
        return false;
    *ret_status = finish(exchange, ret_response, err);
    return true;
}

static void note_ended(struct curl_client *self)
{
    struct http_exchange *exchange;
    struct CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(self->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange) !=
                CURLE_OK)
            continue;
        exchange->how = message->data.result;
        exchange->is_over = true;
    }
}

static void wait_for_any(struct http_client *client, struct pollfd *others, unsigned other_count,
                         int64_t timeout_ms)
{
    struct curl_client *self = self_of(client);
    struct curl_waitfd waits[OTHERS_MAX];
    int running;

    assert(other_count <= OTHERS_MAX && timeout_ms >= 0);
    for (unsigned i = 0; i < other_count; i++) {
        waits[i] = (struct curl_waitfd){.fd = others[i].fd};
        if ((others[i].events & POLLIN) != 0)
            waits[i].events |= CURL_WAIT_POLLIN;
        if ((others[i].events & POLLOUT) != 0)
            waits[i].events |= CURL_WAIT_POLLOUT;
    }
    (void)curl_multi_poll(self->multi, waits, other_count,
                          timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX, NULL);
    /* libcurl tells nothing of hang-ups. */
    if (other_count > 0)
        (void)poll(others, other_count, 0);
    (void)curl_multi_perform(self->multi, &running);
    note_ended(self);
}

static void release(struct http_client *client, struct http_exchange *exchange)
{
    struct curl_client *self = self_of(client);

    if (exchange == NULL)
        return;
    (void)curl_multi_remove_handle(self->multi, exchange->easy);
    exchange_free(exchange);
    self->exchanges--;
}

static void close_client(struct http_client *client)
{
    struct curl_client *self = self_of(client);

    assert(self->exchanges == 0);
    (void)curl_multi_cleanup(self->multi);
    free(self->user_agent);
    free(self);
    curl_global_cleanup();
}

enum status http_client_open_curl(const struct http_client_options *options,
                                  struct http_client **ret_client, struct error *err)
{
    struct curl_client *self;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, STATUS_STORAGE, "the network library does not start");
    self = must_alloc(1, sizeof *self);
    self->base = (struct http_client){.start = start,
                                      .poll = poll_exchange,
                                      .wait = wait_for_any,
                                      .release = release,
                                      .close = close_client};
    self->user_agent = text_copy(options->user_agent);
    self->multi = curl_multi_init();
    if (self->multi == NULL)
        abort();
    (void)curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    *ret_client = &self->base;
    return STATUS_OK;
}
