#include "bench/server/echo.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/project.h"
#include "common/base/env.h"
#include "common/base/text.h"
#include "common/json/profile.h"
#include "protocol/scheduler_reply.h"
#include "server/http/server.h"
#include "server/site/config.h"
#include "server/site/folder.h"

#define UNITS      1024 /* different ones that are handed out */
#define JSON_TYPE  "application/json"
#define DEPTH_MAX  16
#define DEADLINE_S 604800

struct echo {
    struct echo_wish wish;
    struct env *env;
    struct bench_project project;
    struct http_server *http;
    char *units[UNITS];       /* envelopes as JSON; owned */
    struct texts envelopes;   /* app version and variant */
    atomic_int_fast64_t task; /* the number of the next one */
};

/* What is needed of a request to answer it. */
struct heard {
    struct scheduler_request request; /* the statement alone */
    json_t *root, *payload;           /* owned */
    int64_t tasks;
    bool knows_app;
};

static void heard_clear(struct heard *heard)
{
    scheduler_request_clear(&heard->request);
    json_decref(heard->root);
    json_decref(heard->payload);
}

static enum status hear(const struct echo *echo, const struct buffer *body, struct heard *heard,
                        struct error *err)
{
    static const struct profile_limits limits = {SCHEDULER_REQUEST_MAX, DEPTH_MAX};
    struct envelope *statement = &heard->request.statement;
    json_t *want, *have;

    TRY(profile_parse(body->bytes, body->length, &limits, &heard->root, err));
    TRY(envelope_from_json(json_object_get(heard->root, "statement"), VISIT_PAYLOAD_MAX, statement,
                           err));
    if (echo->wish.verifies && !envelope_is_signed_by(statement, &statement->signatures[0].hint))
        return error_set(err, STATUS_UNTRUSTED, "the statement is not signed");
    TRY(profile_parse(statement->payload, statement->payload_length, &profile_payload,
                      &heard->payload, err));
    want = json_object_get(heard->root, "want");
    have = json_object_get(heard->root, "have");
    heard->tasks = json_integer_value(json_object_get(want, "tasks"));
    heard->knows_app = json_array_size(json_object_get(have, "app_versions")) > 0;
    if (heard->tasks > SCHEDULER_WANT_MAX)
        return error_set(err, STATUS_INVALID, "more tasks than a visit may want");
    return STATUS_OK;
}

static void acknowledge(const struct heard *heard, struct scheduler_reply *reply)
{
    const json_t *finished = json_object_get(heard->payload, "finished");

    reply->ack_count = json_array_size(finished);
    reply->acks = must_alloc(reply->ack_count, sizeof *reply->acks);
    for (size_t i = 0; i < reply->ack_count; i++)
        reply->acks[i] = (struct scheduler_ack){
            .task = json_integer_value(json_object_get(json_array_get(finished, i), "task")),
            .state = ACK_STORED};
}

static void grant(struct echo *echo, const struct heard *heard, int64_t now_s,
                  struct scheduler_reply *reply)
{
    reply->grant_count = heard->tasks > 0 ? (size_t)heard->tasks : 0;
    reply->grants = must_alloc(reply->grant_count, sizeof *reply->grants);
    for (size_t i = 0; i < reply->grant_count; i++) {
        int64_t task = atomic_fetch_add(&echo->task, 1);

        reply->grants[i] = (struct scheduler_grant){.task = task,
                                                    .unit = text_copy(echo->units[task % UNITS]),
                                                    .app_version = echo->project.app_version.digest,
                                                    .variant = echo->project.variant.digest,
                                                    .deadline_s = now_s + DEADLINE_S};
    }
    for (size_t i = 0; !heard->knows_app && i < echo->envelopes.count; i++)
        texts_add(&reply->envelopes, echo->envelopes.texts[i]);
}

static char *answer(struct echo *echo, const struct heard *heard)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    int64_t now_s = echo->env->now_s(echo->env);

    reply.visit = json_integer_value(json_object_get(heard->payload, "visit"));
    reply.time_s = now_s;
    acknowledge(heard, &reply);
    grant(echo, heard, now_s, &reply);
    reply.keyring_version = reply.freshness_sequence = 1;
    reply.return_s = 1;
    return scheduler_reply_encode(&reply);
}

static void complete(void *user, struct http_exchange *exchange, struct buffer *body)
{
    CLEANUP(heard_clear) struct heard heard = {.tasks = 0};
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct echo *echo = user;
    struct error err = {0};
    char *text;

    if (hear(echo, body, &heard, &err) != STATUS_OK) {
        http_exchange_fail(exchange, &err);
        return;
    }
    text = answer(echo, &heard);
    http_reply_init(&reply, 200);
    http_reply_field(&reply, "Cache-Control", "no-store");
    http_reply_memory(&reply, JSON_TYPE, text, strlen(text));
    http_exchange_reply(exchange, &reply);
}

static void head(void *context, struct http_exchange *exchange)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};

    if (strcmp(http_exchange_head(exchange)->method, "POST") == 0) {
        http_exchange_set_user(exchange, context, NULL);
        http_exchange_collect(exchange, SCHEDULER_REQUEST_MAX, complete);
        return;
    }
    http_reply_init(&reply, 200);
    http_reply_text(&reply, JSON_TYPE, "{\"status\":\"ok\"}");
    http_exchange_reply(exchange, &reply);
}

static void make_answers(struct echo *echo, const char *url)
{
    const struct envelope *envelopes[] = {&echo->project.app_version, &echo->project.variant};

    bench_project_make(&echo->project, echo->env, url, echo->wish.output_bytes);
    atomic_init(&echo->task, 1);
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(freep) char *text = envelope_encode(envelopes[i]);

        texts_add(&echo->envelopes, text);
    }
    for (size_t i = 0; i < UNITS; i++) {
        CLEANUP(work_unit_clear) struct work_unit unit = {0};
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        bench_project_unit(&echo->project, (int64_t)i, &unit, &envelope);
        echo->units[i] = envelope_encode(&envelope);
    }
}

static enum status serve(struct echo *echo, const struct config *config, struct error *err)
{
    struct site_certificate certificate;
    struct http_listen listen = {.address = config->listen.items[0].text, .is_tls = true};
    struct http_config settings = {.listen = &listen,
                                   .listen_count = 1,
                                   .certificate_path = certificate.certificate.text,
                                   .key_path = certificate.key.text,
                                   .server_name = "dugnad",
                                   .threads = (int)config->threads,
                                   .limits = HTTP_LIMITS_DEFAULT,
                                   .handler = {.head = head, .context = echo},
                                   .env = echo->env};

    TRY(site_certificate(echo->wish.site, config, &certificate, err));
    settings.limits.connections = (int)config->connections;
    return http_server_start(&settings, &echo->http, err);
}

enum status echo_start(struct env *env, const struct echo_wish *wish, struct echo **ret_echo,
                       struct error *err)
{
    struct echo *echo = must_alloc(1, sizeof *echo);
    struct config config;
    enum status status = site_load_config(env->disk, wish->site, &config, err);

    echo->wish = *wish;
    echo->env = env;
    if (status == STATUS_OK) {
        make_answers(echo, config.url.text);
        status = serve(echo, &config, err);
    }
    if (status == STATUS_OK)
        *ret_echo = echo;
    else
        echo_stop(echo);
    return status;
}

void echo_stop(struct echo *echo)
{
    http_server_free(echo->http);
    for (size_t i = 0; i < UNITS; i++)
        free(echo->units[i]);
    texts_clear(&echo->envelopes);
    bench_project_clear(&echo->project);
    free(echo);
}
