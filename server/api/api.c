#include "server/api/api.h"

#include <stdio.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "server/api/budget.h"
#include "server/api/call.h"
#include "server/api/digest_set.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/engine/thread.h"
#include "server/site/tokens.h"

#define BUDGET_PREFIXES 65536
#define BUDGET_HOSTS    65536
#define PUBLIC_FILES    16384
#define CONFIRMED       256
#define CONFIRMED_MS    10000 /* so long a token that was revoked elsewhere may still be good */
#define DISK_THREADS    2
#define MINUTE_MS       60000
#define HOUR_MS         3600000

static struct budget *budget(struct env *env, int64_t burst, int64_t period_ms, size_t size)
{
    struct budget_rate rate = {.burst = burst, .period_ms = period_ms};
    uint64_t seed;

    env->random(env, &seed, sizeof seed);
    return budget_new(&rate, size, seed);
}

void api_new(const struct api_config *config, struct api **ret_api)
{
    struct api *api = must_alloc(1, sizeof *api);
    const struct config *limits = config->limits;

    api->env = config->env;
    api->engine = config->engine;
    api->engine_thread = config->engine_thread;
    api->published = engine_published(config->engine);
    api->files = config->files;
    api->uploads = config->uploads;
    api->limits = *limits;
    api->secret = config->secret;
    api->budgets.strangers =
        budget(api->env, limits->strangers_per_minute, MINUTE_MS, BUDGET_PREFIXES);
    api->budgets.accounts = budget(api->env, limits->accounts_per_hour, HOUR_MS, BUDGET_PREFIXES);
    api->budgets.challenges =
        budget(api->env, limits->challenges_per_minute, MINUTE_MS, BUDGET_PREFIXES);
    api->budgets.visits = budget(api->env, limits->visits_per_minute, MINUTE_MS, BUDGET_HOSTS);
    api->budgets.requests = budget(api->env, limits->requests_per_minute, MINUTE_MS, BUDGET_HOSTS);
    api->public_files = digest_set_new(PUBLIC_FILES);
    api->confirmed = digest_set_new(CONFIRMED);
    api->disk = worker_start(DISK_THREADS, NULL);
    api->reader = worker_start(1, config->reader);
    *ret_api = api;
}

void api_set_server(struct api *api, struct http_server *server)
{
    atomic_store(&api->server, server);
}

void api_stop(struct api *api)
{
    worker_stop(TAKE(api->disk));
    worker_stop(TAKE(api->reader));
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    api_stop(api);
    budget_free(api->budgets.strangers);
    budget_free(api->budgets.accounts);
    budget_free(api->budgets.challenges);
    budget_free(api->budgets.visits);
    budget_free(api->budgets.requests);
    digest_set_free(api->public_files);
    digest_set_free(api->confirmed);
    secret_clear(&api->secret, sizeof api->secret);
    free(api);
}

static void free_call(void *user)
{
    struct call *call = user;

    if (call->free_state != NULL)
        call->free_state(call->state);
    buffer_clear(&call->body);
    free(call);
}

/* Constant in time: what is compared is the digest of what was sent. */
static bool read_token(struct call *call)
{
    const char *text = http_head_bearer(call->head);
    struct token token;

    if (text == NULL || !token_parse(text, &token))
        return false;
    call->token = token_digest(&token);
    secret_clear(&token, sizeof token);
    return true;
}

static enum status spend_for_host(struct call *call, struct error *err)
{
    char subject[32];
    struct budget *budget = strcmp(call->route->pattern, "/v1/scheduler") == 0
                                ? call->api->budgets.visits
                                : call->api->budgets.requests;

    (void)snprintf(subject, sizeof subject, "%lld", (long long)call->who.subject);
    return budget_spend(budget, subject, call->begun_mono_ms, call_chance(call), err);
}

static enum status check_access(const struct call *call, struct error *err)
{
    enum access access = call->route->access;
    enum token_kind kind = call->who.kind;
    bool may = access == ACCESS_ANYONE || (access == ACCESS_ACCOUNT && kind == TOKEN_ACCOUNT) ||
               (access == ACCESS_HOST && kind == TOKEN_HOST) ||
               (access == ACCESS_READER && (kind == TOKEN_READER || kind == TOKEN_OPERATOR)) ||
               (access == ACCESS_OPERATOR && kind == TOKEN_OPERATOR);

    if (may)
        return STATUS_OK;
    if (kind == TOKEN_READER)
        return error_set(err, STATUS_FORBIDDEN, "this token may only read");
    return error_set(err, STATUS_FORBIDDEN, "this takes the token of %s",
                     access == ACCESS_HOST      ? "a host"
                     : access == ACCESS_ACCOUNT ? "an account"
                                                : "an operator");
}

/* Operators are trusted with the server's time; strangers and hosts have budgets. Any stranger can
 * make accounts. */
static enum status admit(struct call *call, struct error *err)
{
    if (!call->is_known || call->who.kind == TOKEN_ACCOUNT)
        return budget_spend(call->api->budgets.strangers, call->prefix.text, call->begun_mono_ms,
                            call_chance(call), err);
    if (call->who.kind == TOKEN_HOST)
        return spend_for_host(call, err);
    return STATUS_OK;
}

static void found_out(struct call *call)
{
    struct error err = call->command.err;

    if (call->command.status == STATUS_OK) {
        call->who = call->command.credential.credential;
        call->is_known = true;
        digest_set_add(call->api->confirmed, &call->token, call->begun_mono_ms);
        if (check_access(call, &err) == STATUS_OK && admit(call, &err) == STATUS_OK) {
            call->route->handle(call);
            return;
        }
    }
    if (err.status == STATUS_UNAUTHORIZED)
        error_set(&err, STATUS_UNAUTHORIZED, "this token is unknown, expired or revoked");
    call_fail(call, &err);
}

/* A stream cannot wait for the answer: the next request with this token finds it in the table. */
static void found_out_for_stream(struct call *call)
{
    struct error err = call->command.err;

    if (call->command.status == STATUS_OK) {
        error_set(&err, STATUS_BUSY, "the server has just started; send it again");
        error_retry_after(&err, 1);
    }
    if (err.status == STATUS_UNAUTHORIZED)
        error_set(&err, STATUS_UNAUTHORIZED, "this token is unknown, expired or revoked");
    call_fail(call, &err);
}

struct confirmation {
    struct command command;
    struct api *api;
    int64_t asked_mono_ms;
};

static void confirmed(struct command *command, void *context)
{
    struct confirmation *confirmation = context;

    if (command->status == STATUS_OK)
        digest_set_add(confirmation->api->confirmed, &command->credential.token,
                       confirmation->asked_mono_ms);
    free(confirmation);
}

/* For a stream, which goes on meanwhile: a token that is refused is good for no other one. */
static void confirm_meanwhile(struct call *call)
{
    struct confirmation *confirmation = must_alloc(1, sizeof *confirmation);

    confirmation->api = call->api;
    confirmation->asked_mono_ms = call->begun_mono_ms;
    confirmation->command.kind = COMMAND_CREDENTIAL;
    confirmation->command.done = confirmed;
    confirmation->command.context = confirmation;
    confirmation->command.credential.token = call->token;
    if (engine_submit(call->api->engine_thread, &confirmation->command, NULL) != STATUS_OK)
        free(confirmation);
}

/* The engine knows tokens that its table lost, or that another process made or revoked. */
static void go_on(struct call *call)
{
    if (call->must_confirm && call->route->body == BODY_STREAM) {
        confirm_meanwhile(call);
        call->must_confirm = false;
    }
    if (call->route->access == ACCESS_ANYONE || (call->is_known && !call->must_confirm)) {
        call->route->handle(call);
        return;
    }
    call->command.credential.token = call->token;
    call_command_any(call, COMMAND_CREDENTIAL,
                     call->route->body == BODY_STREAM ? found_out_for_stream : found_out);
}

static void got_body(void *user, struct http_exchange *exchange, struct buffer *body)
{
    struct call *call = user;
    size_t max = body->max;

    (void)exchange;
    call->body = *body;
    buffer_init(body, max);
    go_on(call);
}

static enum status check_body(struct call *call, struct error *err)
{
    const struct route *route = call->route;

    if (route->body == BODY_NONE || route->type == NULL ||
        http_head_has_type(call->head, route->type))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "the content type has to be %s", route->type);
}

static enum status check_caller(struct call *call, struct error *err)
{
    bool has_token = read_token(call);
    int64_t now_s = call->api->env->now_s(call->api->env);

    call->is_known = has_token && published_find_credential(call->api->published, &call->token,
                                                            now_s, &call->who);
    TRY(admit(call, err));
    if (call->route->access == ACCESS_ANYONE)
        return STATUS_OK;
    call->must_confirm =
        call->is_known && call->who.kind != TOKEN_HOST &&
        !digest_set_has(call->api->confirmed, &call->token, call->begun_mono_ms - CONFIRMED_MS);
    if (!has_token)
        return error_set(err, STATUS_UNAUTHORIZED, "send a token: Authorization: Bearer TOKEN");
    return call->is_known ? check_access(call, err) : STATUS_OK;
}

static bool find_route(struct call *call)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    char allowed[ROUTES_ALLOW_MAX];
    struct error err;

    call->route = routes_find(call->head->method, call->head->path, &call->segments, allowed);
    if (call->route != NULL)
        return true;
    if (*allowed == '\0') {
        error_set(&err, STATUS_NOT_FOUND, "there is no such resource; see docs/PROTOCOL.md");
        call_fail(call, &err);
        return false;
    }
    http_reply_problem_http(&reply, 405, "this resource has other methods, see Allow", 0);
    http_reply_field(&reply, "Allow", "%s", allowed);
    call_reply(call, &reply);
    return false;
}

static void on_head(void *context, struct http_exchange *exchange)
{
    struct call *call = must_alloc(1, sizeof *call);
    struct error err;

    call->api = context;
    call->exchange = exchange;
    call->head = http_exchange_head(exchange);
    call->begun_mono_ms = call->api->env->now_mono_ms(call->api->env);
    call->prefix = prefix_of(&call->head->peer);
    http_exchange_set_user(exchange, call, free_call);
    if (!find_route(call))
        return;
    if (check_caller(call, &err) != STATUS_OK)
        call_fail(call, &err);
    else if (check_body(call, &err) != STATUS_OK)
        call_fail_http(call, 415, err.text);
    else if (call->route->body == BODY_WHOLE)
        http_exchange_collect(exchange, (size_t)call->route->body_max, got_body);
    else
        go_on(call);
}

struct http_handler api_handler(struct api *api)
{
    return (struct http_handler){.head = on_head, .context = api};
}
