#include "server/api/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "server/api/routes.h"
#include "server/engine/thread.h"

static void log_answer(const struct call *call, int http)
{
    char peer[HTTP_PEER_TEXT_MAX];

    http_peer_text(&call->head->peer, peer);
    LOG(LOG_DEBUG, "request.answered", LOG_S("method", call->head->method),
        LOG_S("path", call->head->path), LOG_N("status", http), LOG_S("peer", peer),
        LOG_N("ms", call->api->env->now_mono_ms(call->api->env) - call->begun_mono_ms));
}

void call_reply(struct call *call, struct http_reply *reply)
{
    struct http_exchange *exchange = call->exchange;

    atomic_fetch_add(&call->api->answers[reply->status / 100 % 6], 1);
    log_answer(call, reply->status);
    http_exchange_reply(exchange, reply);
}

void call_json(struct call *call, int http, char *json)
{
    CLEANUP(http_reply_clear) struct http_reply reply;

    http_reply_init(&reply, http);
    http_reply_field(&reply, "Cache-Control", "no-store");
    http_reply_memory(&reply, CALL_JSON, json, strlen(json));
    call_reply(call, &reply);
}

/* What is ours to mend is told to the log, with its cause; what the peer did wrong only to him. */
void call_problem(struct http_reply *ret_reply, const struct error *err)
{
    if (err->status == STATUS_STORAGE || err->status == STATUS_FULL)
        log_failure(LOG_ERROR, "request.failed", err);
    http_reply_problem(ret_reply, err);
}

void call_fail(struct call *call, const struct error *err)
{
    CLEANUP(http_reply_clear) struct http_reply reply;

    call_problem(&reply, err);
    call_reply(call, &reply);
}

void call_fail_http(struct call *call, int http, const char *words)
{
    CLEANUP(http_reply_clear) struct http_reply reply;

    http_reply_problem_http(&reply, http, words, 0);
    call_reply(call, &reply);
}

void call_empty(struct call *call, int http)
{
    CLEANUP(http_reply_clear) struct http_reply reply;

    http_reply_init(&reply, http);
    call_reply(call, &reply);
}

static void command_done(struct command *command, void *context)
{
    struct call *call = context;

    (void)command;
    call->then(call);
}

void call_command_any(struct call *call, enum command_kind kind, void (*then)(struct call *call))
{
    struct error err;

    call->then = then;
    call->command.kind = kind;
    call->command.done = command_done;
    call->command.context = call;
    if (engine_submit(call->api->engine_thread, &call->command, &err) == STATUS_OK)
        return;
    call->command.status = err.status;
    call->command.err = err;
    then(call);
}

static void succeeded(struct command *command, void *context)
{
    struct call *call = context;

    if (command->status == STATUS_OK)
        call->then(call);
    else
        call_fail(call, &command->err);
}

void call_command(struct call *call, enum command_kind kind, void (*then)(struct call *call))
{
    struct error err;

    call->then = then;
    call->command.kind = kind;
    call->command.done = succeeded;
    call->command.context = call;
    if (engine_submit(call->api->engine_thread, &call->command, &err) != STATUS_OK)
        call_fail(call, &err);
}

static void run_job(struct job *job, void *tool)
{
    struct call *call = (struct call *)(void *)((char *)job - offsetof(struct call, job));

    call->work(call, tool);
}

static enum status submit(struct call *call, struct worker *worker,
                          void (*work)(struct call *call, struct store *store), struct error *err)
{
    call->work = work;
    call->job.run = run_job;
    return worker_submit(worker, &call->job, err);
}

void call_read(struct call *call, void (*work)(struct call *call, struct store *store))
{
    struct error err;

    if (submit(call, call->api->reader, work, &err) != STATUS_OK)
        call_fail(call, &err);
}

enum status call_read_meanwhile(struct call *call,
                                void (*work)(struct call *call, struct store *store),
                                struct error *err)
{
    return submit(call, call->api->reader, work, err);
}

void call_disk(struct call *call, void (*work)(struct call *call, struct store *store))
{
    struct error err;

    if (submit(call, call->api->disk, work, &err) != STATUS_OK)
        call_fail(call, &err);
}

void *call_state(struct call *call, size_t size, void (*free_state)(void *state))
{
    call->state = must_alloc(1, size);
    call->free_state = free_state;
    return call->state;
}

enum status call_project(const struct call *call, struct digest *ret_project, struct error *err)
{
    struct project_parts parts;
    struct digest project;

    published_project(call->api->published, &parts);
    project = parts.project;
    project_parts_clear(&parts);
    if (digest_is_none(&project)) {
        error_set(err, STATUS_NOT_FOUND, "this site has no keyring yet; come back later");
        error_retry_after(err, 60);
        return STATUS_NOT_FOUND;
    }
    *ret_project = project;
    return STATUS_OK;
}

enum status call_digest(const struct call *call, size_t segment, struct digest *ret_digest,
                        struct error *err)
{
    struct digest digest;

    if (!text_to_exact_bytes(call->segments.at[segment].text, DIGEST_BYTES, digest.bytes))
        return error_set(err, STATUS_NOT_FOUND,
                         "a digest in a path is 64 lower-case hexadecimal digits");
    if (digest_is_none(&digest)) /* with us that is no digest at all */
        return error_set(err, STATUS_NOT_FOUND, "there is nothing of this digest");
    *ret_digest = digest;
    return STATUS_OK;
}

enum status call_batch(const struct call *call, struct batch_id *ret_batch, struct error *err)
{
    if (!batch_parse(call->segments.at[0].text, ret_batch))
        return error_set(err, STATUS_NOT_FOUND,
                         "a batch in a path is its id, 32 lower-case hexadecimal digits");
    return STATUS_OK;
}

enum status call_page(const struct call *call, const char *const *names, struct call_page *ret_page,
                      struct error *err)
{
    const char *allowed[8] = {"after", "limit"};
    size_t count = 2;
    struct call_page page;

    for (; names != NULL && *names != NULL && count < 7; names++)
        allowed[count++] = *names;
    TRY(http_head_only_parameters(call->head, allowed, err));
    TRY(http_head_parameter_integer(call->head, "after", 0, ID_MAX, 0, &page.after, err));
    TRY(http_head_parameter_integer(call->head, "limit", 1, PAGE_MAX, 100, &page.limit, err));
    *ret_page = page;
    return STATUS_OK;
}

void call_cursor(int64_t last, struct cursor *ret_cursor)
{
    (void)snprintf(ret_cursor->text, sizeof ret_cursor->text, "%lld", (long long)last);
}

enum status call_check_room(const struct call *call, struct error *err)
{
    struct published_stops stops = published_stops(call->api->published);

    if (!stops.uploads)
        return STATUS_OK;
    error_set(err, STATUS_FULL, "%s", stops.why);
    error_retry_after(err, 600 + call_chance(call) % 600);
    return STATUS_FULL;
}

uint32_t call_chance(const struct call *call)
{
    uint32_t chance;

    call->api->env->random(call->api->env, &chance, sizeof chance);
    return chance;
}
