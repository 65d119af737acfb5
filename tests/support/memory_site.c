#include "tests/support/memory_site.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/crypto/envelope.h"
#include "common/env/real.h"
#include "protocol/apps.h"
#include "protocol/files_missing.h"
#include "protocol/listing.h"
#include "protocol/problem.h"
#include "protocol/project.h"
#include "protocol/published.h"

/* One exchange: it is over as soon as it began. */
struct http_exchange {
    enum status status;
    int http;
    char *body; /* owned */
    struct http_sink *sink;
    bool hangs, is_put, is_get; /* of a file */
};

static void refuse(struct http_exchange *exchange, enum status status, const char *words)
{
    struct error err = {0};

    error_set(&err, status, "%s", words);
    exchange->http = status_facts(status)->http;
    exchange->body = problem_encode(&err);
}

static void answer(struct http_exchange *exchange, char *body)
{
    exchange->http = 200;
    exchange->body = body;
}

static void take(struct envelope *ret_envelope, const char *body)
{
    cr_assert(eq(int, envelope_decode(body, strlen(body), ENVELOPE_KEYRING_MAX, ret_envelope, NULL),
                 STATUS_OK));
}

/* --- what is published --- */

static void answer_project(struct memory_site *site, struct http_exchange *exchange)
{
    struct project project = {.name = "Grid",
                              .project = site->project,
                              .keyrings = site->keyrings,
                              .freshness = site->freshness,
                              .version_count = 1,
                              .versions = {1},
                              .time_s = 1700000000,
                              .upload_max = INT64_C(4) << 30};

    answer(exchange, project_encode(&project));
}

/* The newest envelope of a payload, in its place. */
static void keep(struct texts *list, const struct digest *digest, const char *body)
{
    for (size_t i = 0; i < list->count; i++) {
        CLEANUP(envelope_clear) struct envelope known = {0};

        take(&known, list->texts[i]);
        if (!digest_equals(&known.digest, digest))
            continue;
        free(list->texts[i]);
        list->texts[i] = text_copy(body);
        return;
    }
    texts_add(list, body);
}

static void publish(struct memory_site *site, struct http_exchange *exchange, const char *body,
                    enum published_kind kind)
{
    struct published published = {.kind = kind, .number = 1};
    struct envelope envelope = {0};

    take(&envelope, body);
    published.digest = envelope.digest;
    if (kind == PUBLISHED_KEYRING) {
        if (site->keyrings.count == 0)
            site->project = envelope.digest;
        texts_add(&site->keyrings, body);
        published.number = (int64_t)site->keyrings.count;
        published.digest = site->project;
    } else if (kind == PUBLISHED_FRESHNESS) {
        free(site->freshness);
        site->freshness = text_copy(body);
    } else {
        keep(kind == PUBLISHED_VARIANT ? &site->variants : &site->app_versions, &envelope.digest,
             body);
    }
    envelope_clear(&envelope);
    answer(exchange, published_encode(&published));
}

static void answer_apps(struct memory_site *site, struct http_exchange *exchange)
{
    struct app_entry entries[8] = {0};
    struct apps apps = {.apps = entries};

    for (size_t i = 0; i < site->app_versions.count && i < 8; i++) {
        entries[i].app_version = site->app_versions.texts[i];
        entries[i].variants = site->variants;
        apps.count++;
    }
    answer(exchange, apps_encode(&apps));
}

/* One version, with all variants there are. */
static void answer_app(struct memory_site *site, struct http_exchange *exchange, const char *hex)
{
    CLEANUP(freep) char *named = text_format("sha256:%s", hex);

    for (size_t i = 0; i < site->app_versions.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        struct app_entry entry = {.app_version = site->app_versions.texts[i],
                                  .variants = site->variants};
        struct apps apps = {.count = 1, .apps = &entry};

        take(&envelope, entry.app_version);
        if (strcmp(digest_format(&envelope.digest).text, named) == 0) {
            answer(exchange, apps_encode(&apps));
            return;
        }
    }
    refuse(exchange, STATUS_NOT_FOUND, "there is no such app version");
}

static void answer_missing(struct memory_site *site, struct http_exchange *exchange,
                           const char *body)
{
    struct digests asked = {0};
    size_t missing = 0;

    cr_assert(eq(int, files_missing_request_decode(body, strlen(body), &asked, NULL), STATUS_OK));
    for (size_t i = 0; i < asked.count; i++)
        if (!texts_have(&site->files, digest_format(&asked.digests[i]).text))
            asked.digests[missing++] = asked.digests[i];
    if (site->before_files != NULL)
        site->before_files();
    answer(exchange, files_missing_reply_encode(asked.digests, missing));
    digests_clear(&asked);
}

static void take_file(struct memory_site *site, struct http_exchange *exchange, const char *hex,
                      const char *body, size_t length)
{
    struct digest digest = digest_of(body, length);
    CLEANUP(freep) char *named = text_format("sha256:%s", hex);

    if (strcmp(named, digest_format(&digest).text) != 0) {
        refuse(exchange, STATUS_INVALID, "the bytes have another digest");
        return;
    }
    if (!texts_have(&site->files, named)) {
        texts_add(&site->files, named);
        texts_add(&site->bodies, body);
    }
    answer(exchange, text_copy(""));
}

static void answer_file(struct memory_site *site, struct http_exchange *exchange, const char *hex)
{
    CLEANUP(freep) char *named = text_format("sha256:%s", hex);

    for (size_t i = 0; i < site->files.count; i++) {
        if (strcmp(site->files.texts[i], named) == 0) {
            answer(exchange, text_copy(site->bodies.texts[i]));
            return;
        }
    }
    refuse(exchange, STATUS_NOT_FOUND, "there is no such file");
}

/* --- the batch --- */

static struct batch_status status_of(const struct memory_site *site)
{
    int64_t units = (int64_t)site->units.count;
    struct batch_status status = {
        .batch = site->batch.batch,
        .app = {"app"},
        .app_version = site->batch.app_version,
        .phase = site->is_closed ? PHASE_FINISHED : PHASE_OPEN,
        .created_s = 1700000000,
        .units = units,
        .accepted = units - site->failed - site->cancelled,
        .failed = site->failed,
        .cancelled = site->cancelled,
    };

    memcpy(status.name, site->batch.name, sizeof status.name);
    return status;
}

static void answer_batch(struct memory_site *site, struct http_exchange *exchange)
{
    struct batch_status status = status_of(site);

    status.retry = site->retry;
    status.retry.is_running = site->retry.is_there && site->retry_looks++ < 3;

    answer(exchange, batch_status_encode(&status));
}

static void answer_batches(struct memory_site *site, struct http_exchange *exchange)
{
    struct batch_status status = status_of(site);
    struct batch_page page = {.count = site->has_batch, .batches = &status};

    answer(exchange, batch_page_encode(&page));
}

static void create(struct memory_site *site, struct http_exchange *exchange, const char *body)
{
    struct batch_request request;

    cr_assert(eq(int, batch_request_decode(body, strlen(body), &request, NULL), STATUS_OK));
    if (site->has_batch && memcmp(&site->batch.batch, &request.batch, sizeof request.batch) != 0) {
        refuse(exchange, STATUS_CONFLICT, "there is another batch of that name");
        return;
    }
    site->batch = request;
    site->has_batch = true;
    answer_batch(site, exchange);
}

/* Units begin alike and end in their signatures: looked at from the end, they soon differ. */
static bool has_unit(const struct memory_site *site, const char *line)
{
    size_t length = strlen(line), tail = length < 100 ? length : 100;

    for (size_t i = 0; i < site->units.count; i++) {
        const char *other = site->units.texts[i];

        if (strlen(other) == length &&
            memcmp(other + length - tail, line + length - tail, tail) == 0 &&
            strcmp(other, line) == 0)
            return true;
    }
    return false;
}

static void take_units(struct memory_site *site, struct http_exchange *exchange, const char *body)
{
    CLEANUP(freep) char *copy = text_copy(body);
    char *rest = copy, *line;
    struct units_received received = {0};

    if (site->units_answer != NULL) {
        answer(exchange, text_copy(site->units_answer));
        return;
    }
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (line[0] == '\0')
            continue;
        received.received++;
        if (has_unit(site, line))
            received.known++;
        else
            texts_add(&site->units, line);
    }
    received.added = received.received - received.known;
    answer(exchange, units_received_encode(&received));
}

static void act(struct memory_site *site, struct http_exchange *exchange, const char *body)
{
    (void)text_fit(site->last_action, sizeof site->last_action, body);
    site->is_closed = site->is_closed || strstr(body, "close") != NULL;
    answer_batch(site, exchange);
}

/* The cursor of a line is its number. */
static void answer_results(struct memory_site *site, struct http_exchange *exchange,
                           const char *path)
{
    const char *after = strstr(path, "after=");
    size_t first = after != NULL ? strtoul(after + strlen("after="), NULL, 10) : 0;
    CLEANUP(buffer_clear) struct buffer body = {0};

    buffer_init(&body, 1 << 20);
    if (site->lists_in_circles && first >= site->results.count)
        first = 0;
    for (size_t i = first; i < site->results.count && i < first + 2; i++)
        (void)buffer_append_text(&body, site->results.texts[i], NULL);
    answer(exchange, text_copy(buffer_text(&body)));
}

/* The cursor of a page is its number. */
static void answer_circle(const struct memory_site *site, struct http_exchange *exchange,
                          const char *path)
{
    const char *after = strstr(path, "after=");
    long page = after != NULL ? strtol(after + strlen("after="), NULL, 10) : 0;
    const char *what = strstr(path, "/hosts") != NULL   ? "hosts"
                       : strstr(path, "/tasks") != NULL ? "tasks"
                                                        : "batches";

    answer(exchange,
           text_format("{\"%s\":[],\"next\":\"%ld\"}", what, page % site->listing_circle + 1));
}

static bool is_listing(const char *path)
{
    return text_starts_with(path, "/v1/hosts") || strstr(path, "/tasks?") != NULL ||
           strcmp(path, "/v1/batches") == 0 || text_starts_with(path, "/v1/batches?");
}

/* --- who answers what --- */

static void route_batch(struct memory_site *site, struct http_exchange *exchange, const char *path,
                        const char *body)
{
    if (!site->has_batch)
        refuse(exchange, STATUS_NOT_FOUND, "there is no such batch");
    else if (strstr(path, "/units") != NULL)
        take_units(site, exchange, body);
    else if (strstr(path, "/actions") != NULL)
        act(site, exchange, body);
    else if (strstr(path, "/results") != NULL)
        answer_results(site, exchange, path);
    else
        answer_batch(site, exchange);
}

static void route(struct memory_site *site, struct http_exchange *exchange, enum http_method method,
                  const char *path, const char *body, size_t length)
{
    if (site->listing_circle > 0 && method == HTTP_GET && is_listing(path))
        answer_circle(site, exchange, path);
    else if (text_starts_with(path, "/v1/files/") && method == HTTP_GET)
        answer_file(site, exchange, path + strlen("/v1/files/"));
    else if (strcmp(path, "/v1/project") == 0)
        answer_project(site, exchange);
    else if (strcmp(path, "/v1/keyrings") == 0)
        publish(site, exchange, body, PUBLISHED_KEYRING);
    else if (strcmp(path, "/v1/freshness") == 0)
        publish(site, exchange, body, PUBLISHED_FRESHNESS);
    else if (strcmp(path, "/v1/app-versions") == 0)
        publish(site, exchange, body, PUBLISHED_APP_VERSION);
    else if (strcmp(path, "/v1/variants") == 0)
        publish(site, exchange, body, PUBLISHED_VARIANT);
    else if (strcmp(path, "/v1/apps") == 0)
        answer_apps(site, exchange);
    else if (text_starts_with(path, "/v1/apps/"))
        answer_app(site, exchange, path + strlen("/v1/apps/"));
    else if (strcmp(path, "/v1/files/missing") == 0)
        answer_missing(site, exchange, body);
    else if (text_starts_with(path, "/v1/files/"))
        take_file(site, exchange, path + strlen("/v1/files/"), body, length);
    else if (strcmp(path, "/v1/batches") == 0 && length == 0)
        answer_batches(site, exchange);
    else if (strcmp(path, "/v1/batches") == 0)
        create(site, exchange, body);
    else if (text_starts_with(path, "/v1/batches/"))
        route_batch(site, exchange, path, body);
    else if (text_starts_with(path, "/v1/hosts/") && site->host_answer != NULL)
        answer(exchange, text_copy(site->host_answer));
    else if (text_starts_with(path, "/v1/outputs/") && site->output != NULL)
        answer(exchange, text_copy(site->output));
    else
        refuse(exchange, STATUS_NOT_FOUND, "there is no such thing");
}

/* The body as text, whether it came from memory or a file. */
static char *body_of(const struct http_body *body)
{
    struct disk *disk = disk_real();
    char *copy = must_alloc((size_t)body->length + 1, 1);
    size_t count = 0;

    if (body->file != NULL)
        cr_assert(eq(
            int, disk->read_at(body->file, body->offset, copy, (size_t)body->length, &count, NULL),
            STATUS_OK));
    else if (body->length > 0)
        memcpy(copy, body->bytes, (size_t)body->length);
    return copy;
}

/* The cut is there: does this request still get through it? */
static bool arrives(const struct memory_site *site)
{
    int64_t late = site->requests - site->cut_after;

    return (site->cut == CUT_ANSWER && late == 0) ||
           (site->cut == CUT_HOLE && (late == 1 || late == 2));
}

static enum status start(struct http_client *client, const struct http_request *request,
                         struct http_exchange **ret_exchange, struct error *err)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    struct memory_site *site = (struct memory_site *)client;
    struct http_exchange *exchange = must_alloc(1, sizeof *exchange);
    const char *path = strchr(request->url + strlen("https://"), '/');
    CLEANUP(freep) char *body = body_of(&request->body);
    CLEANUP(freep) char *said = text_format("%s %s", methods[request->method], path);
    bool is_cut = site->cut != CUT_NEVER && site->requests >= site->cut_after;

    (void)err;
    cr_assert(text_starts_with(request->url, "https://") && path != NULL, "%s", request->url);
    if (request->token != NULL && !text_starts_with(request->url, MEMORY_SITE_URL "/"))
        site->tokens_elsewhere++;
    texts_add(&site->log, said);
    exchange->sink = request->sink;
    if (!is_cut || arrives(site))
        route(site, exchange, request->method, path, body, (size_t)request->body.length);
    if (is_cut)
        exchange->status = STATUS_UNREACHABLE;
    site->requests++;
    exchange->hangs = site->while_waiting != NULL &&
                      (!site->hangs_on || (exchange->body && *exchange->body == site->hangs_on));
    exchange->is_get = request->method == HTTP_GET && text_starts_with(path, "/v1/files/");
    exchange->is_put = request->method == HTTP_PUT;
    site->gets += exchange->is_get;
    site->most_gets = site->gets > site->most_gets ? site->gets : site->most_gets;
    site->puts += exchange->is_put;
    site->most_puts = site->puts > site->most_puts ? site->puts : site->most_puts;
    *ret_exchange = exchange;
    return STATUS_OK;
}

static bool poll_exchange(struct http_exchange *exchange, enum status *ret_status,
                          struct http_response *ret_response, struct error *err)
{
    struct http_response response;

    if (exchange->hangs)
        return false;
    *ret_status = exchange->status;
    if (exchange->status != STATUS_OK) {
        error_set(err, exchange->status, "the connection broke");
        return true;
    }
    http_response_init(&response);
    response.status = exchange->http;
    if (exchange->sink != NULL && exchange->http == 200) {
        *ret_status = exchange->sink->write(exchange->sink->context, exchange->body,
                                            strlen(exchange->body), err);
    } else {
        buffer_init(&response.body, 1 << 24);
        (void)buffer_append_text(&response.body, exchange->body, NULL);
    }
    if (*ret_status == STATUS_OK)
        *ret_response = response;
    return true;
}

static void wait_for(struct http_client *client, struct pollfd *others, unsigned other_count,
                     int64_t timeout_ms)
{
    const struct memory_site *site = (const struct memory_site *)client;

    (void)others, (void)other_count, (void)timeout_ms;
    if (site->while_waiting != NULL)
        site->while_waiting();
}

static void release(struct http_client *client, struct http_exchange *exchange)
{
    struct memory_site *site = (struct memory_site *)client;

    if (exchange == NULL)
        return;
    site->puts -= exchange->is_put;
    site->gets -= exchange->is_get;
    free(exchange->body);
    free(exchange);
}

void memory_site_init(struct memory_site *site)
{
    *site = (struct memory_site){
        .client = {.start = start, .poll = poll_exchange, .wait = wait_for, .release = release}};
}

void memory_site_clear(struct memory_site *site)
{
    texts_clear(&site->keyrings);
    texts_clear(&site->app_versions);
    texts_clear(&site->variants);
    texts_clear(&site->units);
    texts_clear(&site->files);
    texts_clear(&site->bodies);
    texts_clear(&site->results);
    texts_clear(&site->log);
    free(site->freshness);
    free(site->output);
}
