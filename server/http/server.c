#include "server/http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "server/http/listener.h"
#include "server/http/loop.h"
#include "server/http/tls.h"

struct http_server {
    struct http_shared shared;
    struct http_loop *loops; /* owned */
    size_t loop_count;
    uint16_t ports[HTTP_LISTENERS_MAX];
    size_t listen_count;
    bool is_stopped;
};

static enum status check_limits(const struct http_limits *limits, struct error *err)
{
    if (limits->connections < 1 || limits->connections_per_peer < 1 || limits->head_bytes < 128 ||
        limits->target_bytes < 1 || limits->fields < 1 || limits->fields > HTTP_HEADERS_MAX ||
        limits->body_bytes < 0 || limits->discard_bytes < 0 || limits->collected_bytes < 0 ||
        limits->body_pace_bytes < 0 || limits->reply_pace_bytes < 0)
        return error_set(err, STATUS_INVALID, "a limit of the HTTP server is out of range");
    if (limits->handshake_ms < 1 || limits->header_ms < 1 || limits->idle_ms < 1 ||
        limits->body_ms < 1 || limits->pace_window_ms < 1 || limits->reply_wait_ms < 1 ||
        limits->linger_ms < 1)
        return error_set(err, STATUS_INVALID, "a deadline of the HTTP server is not positive");
    return STATUS_OK;
}

static enum status check_config(const struct http_config *config, struct error *err)
{
    bool needs_tls = false;

    if (config->listen_count < 1 || config->listen_count > HTTP_LISTENERS_MAX)
        return error_set(err, STATUS_INVALID, "there are 1 to %d addresses to listen on",
                         HTTP_LISTENERS_MAX);
    if (config->threads < 1 || config->threads > HTTP_THREADS_MAX)
        return error_set(err, STATUS_INVALID, "there are 1 to %d threads", HTTP_THREADS_MAX);
    for (size_t i = 0; i < config->listen_count; i++)
        needs_tls = needs_tls || config->listen[i].is_tls;
    if (needs_tls && (config->certificate_path == NULL || config->key_path == NULL))
        return error_set(err, STATUS_INVALID, "TLS needs a certificate and its key");
    return check_limits(&config->limits, err);
}

/* Threads share a unix socket; of an address with a port, each has a socket of its own. */
static enum status open_for_loops(struct http_server *server, const struct http_listen *listen,
                                  struct http_address *address, struct error *err)
{
    for (size_t i = 0; i < server->loop_count; i++) {
        struct http_loop *loop = &server->loops[i];
        struct http_loop_listener *listener = &loop->listeners[loop->listener_count];

        *listener = (struct http_loop_listener){.watch = {.kind = HTTP_WATCH_LISTENER},
                                                .is_tls = listen->is_tls,
                                                .is_behind_proxy = listen->is_behind_proxy};
        if (i > 0 && http_address_is_unix(address))
            listener->socket =
                fcntl(server->loops[0].listeners[loop->listener_count].socket, F_DUPFD_CLOEXEC, 0);
        else
            TRY(http_listener_open(address, &listener->socket, err));
        if (listener->socket < 0)
            return error_set(err, STATUS_STORAGE, "there are too many open files");
        loop->listener_count++;
    }
    return STATUS_OK;
}

static enum status open_listener(struct http_server *server, const struct http_listen *listen,
                                 struct error *err)
{
    struct http_address address;

    TRY(http_address_parse(listen->address, &address, err));
    if (!listen->is_tls && !http_address_is_local(&address))
        return error_set(err, STATUS_INVALID,
                         "without TLS, %.60s must be loopback or a unix socket", listen->address);
    TRY(http_listener_probe(&address, err));
    TRY(open_for_loops(server, listen, &address, err));
    server->ports[server->listen_count++] = http_address_port(&address);
    return STATUS_OK;
}

static enum status open_all(struct http_server *server, const struct http_config *config,
                            struct error *err)
{
    for (size_t i = 0; i < server->loop_count; i++)
        TRY(http_loop_init(&server->loops[i], &server->shared, err));
    for (size_t i = 0; i < config->listen_count; i++)
        TRY(open_listener(server, &config->listen[i], err));
    for (size_t i = 0; i < server->loop_count; i++)
        TRY(http_loop_start(&server->loops[i], err));
    return STATUS_OK;
}

static int per_thread(int total, int threads)
{
    return (total + threads - 1) / threads;
}

static struct http_server *server_new(const struct http_config *config)
{
    struct http_server *server = must_alloc(1, sizeof *server);

    server->shared.env = config->env;
    server->shared.limits = config->limits;
    server->shared.handler = config->handler;
    server->shared.connections = per_thread(config->limits.connections, config->threads);
    server->shared.connections_per_peer =
        per_thread(config->limits.connections_per_peer, config->threads);
    if (config->server_name != NULL)
        server->shared.server_name = text_copy(config->server_name);
    server->loop_count = (size_t)config->threads;
    server->loops = must_alloc(server->loop_count, sizeof *server->loops);
    return server;
}

enum status http_server_start(const struct http_config *config, struct http_server **ret_server,
                              struct error *err)
{
    CLEANUP(http_server_freep) struct http_server *server = NULL;

    assert(config->env != NULL && config->handler.head != NULL);
    TRY(check_config(config, err));
    server = server_new(config);
    if (config->certificate_path != NULL && config->key_path != NULL)
        TRY(http_tls_new(config, &server->shared.tls, err));
    TRY(open_all(server, config, err));
    *ret_server = TAKE(server);
    return STATUS_OK;
}

uint16_t http_server_port(const struct http_server *server, size_t index)
{
    assert(index < server->listen_count);
    return server->ports[index];
}

enum status http_server_reload_certificate(struct http_server *server, struct error *err)
{
    if (server->shared.tls == NULL)
        return STATUS_OK;
    return http_tls_reload(server->shared.tls, err);
}

int64_t http_server_certificate_end_s(struct http_server *server)
{
    return server->shared.tls != NULL ? http_tls_end_s(server->shared.tls) : 0;
}

struct http_counts http_server_counts(const struct http_server *server)
{
    const struct http_shared *shared = &server->shared;

    return (struct http_counts){
        .open_now = atomic_load(&shared->open_now),
        .accepted = atomic_load(&shared->accepted),
        .turned_away = atomic_load(&shared->turned_away),
        .handshakes = atomic_load(&shared->handshakes),
        .handshakes_failed = atomic_load(&shared->handshakes_failed),
        .requests = atomic_load(&shared->requests),
        .refused = atomic_load(&shared->refused),
        .timeouts = atomic_load(&shared->timeouts),
    };
}

void http_server_stop(struct http_server *server, int64_t grace_ms)
{
    struct env *env = server->shared.env;

    if (server->is_stopped)
        return;
    server->is_stopped = true;
    atomic_store(&server->shared.stop_mono_ms, env->now_mono_ms(env) + grace_ms);
    atomic_store(&server->shared.is_stopping, true);
    for (size_t i = 0; i < server->loop_count; i++)
        if (server->loops[i].has_thread)
            http_loop_wake(&server->loops[i]);
    for (size_t i = 0; i < server->loop_count; i++)
        http_loop_join(&server->loops[i]);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    http_server_stop(server, 0);
    for (size_t i = 0; i < server->loop_count; i++)
        http_loop_clear(&server->loops[i]);
    free(server->loops);
    http_tls_free(server->shared.tls);
    free(server->shared.server_name);
    free(server);
}
