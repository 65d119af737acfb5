#include "server/serve.h"

#include <stdlib.h>

#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/log.h"
#include "db/store.h"
#include "server/api/api.h"
#include "server/collect.h"
#include "server/engine/command.h"
#include "server/engine/engine.h"
#include "server/engine/thread.h"
#include "server/files/store.h"
#include "server/files/uploads.h"
#include "server/http/server.h"
#include "server/site/certificate.h"
#include "server/site/descriptors.h"
#include "server/site/folder.h"
#include "server/site/proof.h"

#define EXPIRE_EVERY_S      60
#define CERTIFICATE_EVERY_S 10
#define COLLECT_EVERY_S     1800
#define COLLECT_STEPS       64    /* of a pass, in one tick */
#define TICKETS_EVERY_S     43200 /* new keys of session tickets, and the renewal is thought of */

struct server {
    struct env *env;
    struct disk_path folder;
    struct config config;
    struct site_secret secret;
    struct site_certificate certificate;
    bool has_tls;
    struct disk_file *lock;
    struct store *store;
    struct store *reader;
    struct file_store *files;
    struct uploads *uploads;
    struct engine *engine;
    struct engine_thread *engine_thread;
    struct api *api;
    struct http_server *http;
    struct collecting collecting;  /* the pass that goes on */
    int64_t certificate_changed_s; /* of its file, when it was read */
    int64_t expire_at_s, certificate_at_s, tickets_at_s, collect_at_s; /* monotonic */
};

static enum status lock_site(struct server *server, struct error *err)
{
    struct disk *disk = server->env->disk;
    struct disk_path path;
    enum status status;

    TRY(site_path(server->folder.text, "lock", &path, err));
    status = disk->lock(disk, path.text, &server->lock, err);
    if (status == STATUS_BUSY)
        return error_set(err, STATUS_BUSY, "another dugnad-server runs the site in %.120s",
                         server->folder.text);
    return status;
}

static int64_t changed_s(const struct server *server)
{
    struct disk *disk = server->env->disk;
    struct disk_entry entry;

    if (disk->look(disk, server->certificate.certificate.text, &entry, NULL) != STATUS_OK)
        return 0;
    return entry.changed_s;
}

static enum status open_certificate(struct server *server, struct error *err)
{
    bool is_new = false;

    struct error missing = {0};

    server->has_tls = server->config.listen.count > 0;
    if (site_check_authority(server->env->disk, server->folder.text, &server->config, &missing) !=
        STATUS_OK)
        log_failure(LOG_WARN, "certificate.not_renewable", &missing);
    TRY(site_certificate(server->folder.text, &server->config, &server->certificate, err));
    if (!server->has_tls)
        return STATUS_OK;
    if (server->certificate.is_own)
        TRY(site_prove_authority(server->env->disk, server->folder.text, server->config.server,
                                 err));
    TRY(site_renew_certificate(server->env, server->folder.text, &server->config, &is_new, err));
    if (is_new)
        LOG(LOG_INFO, "certificate.renewed", LOG_S("url", server->config.url.text));
    TRY(site_check_certificate(server->env, server->folder.text, &server->config, err));
    server->certificate_changed_s = changed_s(server);
    return STATUS_OK;
}

static enum status open_stores(struct server *server, struct error *err)
{
    const struct config *config = &server->config;

    if (*config->database.text == '\0')
        TRY(site_prove_database(server->env->disk, server->folder.text, err));
    TRY(site_open_store(server->folder.text, config, true, &server->store, err));
    return site_open_store(server->folder.text, config, false, &server->reader, err);
}

static enum status open_files(struct server *server, struct error *err)
{
    const struct config *config = &server->config;
    struct upload_limits limits = {.server = config->server,
                                   .per_host = (size_t)config->uploads_per_host,
                                   .in_all = (size_t)config->uploads_in_all,
                                   .keep_s = config->upload_keep};
    struct disk_path path;

    TRY(site_check_folders(server->env->disk, server->folder.text, server->reader, err));
    TRY(site_path(server->folder.text, "files", &path, err));
    TRY(file_store_open_folder(server->env, path.text, config->server, &server->files, err));
    TRY(site_path(server->folder.text, "files/uploads", &path, err));
    TRY(uploads_open(server->env, path.text, server->files, &limits, &server->uploads, err));
    return site_prove(server->env->disk, server->folder.text, config->server, err);
}

static bool has_file(void *context, const struct digest *digest)
{
    return file_store_has(context, digest);
}

static enum status open_engine(struct server *server, struct error *err)
{
    const struct config *config = &server->config;
    struct engine_config settings = ENGINE_CONFIG_DEFAULT;

    settings.site = server->folder.text;
    settings.server = config->server;
    settings.has_file = has_file;
    settings.files = server->files;
    settings.min_return_s = config->min_return;
    settings.soon_return_s = config->soon_return;
    settings.look_s = config->idle_look;
    settings.max_return_s = config->max_return;
    settings.enrolments_per_hour = config->enrolments_per_hour;
    settings.upload_max = config->upload_max;
    settings.body_wait_s = config->body_wait;
    settings.gather_ms = config->gather_ms;
    settings.window = (size_t)config->window;
    settings.issue =
        (struct engine_floor){.percent = config->issue_floor_percent, .bytes = config->issue_floor};
    settings.uploads = (struct engine_floor){.percent = config->upload_floor_percent,
                                             .bytes = config->upload_floor};
    TRY(engine_open(server->store, server->env, &settings, &server->engine, err));
    return engine_thread_start(server->engine, &server->engine_thread, err);
}

static size_t add_listeners(struct http_listen *listen, size_t count,
                            const struct config_list *list, struct http_listen kind)
{
    for (size_t i = 0; i < list->count && count < HTTP_LISTENERS_MAX; i++) {
        listen[count] = kind;
        listen[count++].address = list->items[i].text;
    }
    return count;
}

static struct http_limits limits_of(const struct config *config)
{
    struct http_limits limits = HTTP_LIMITS_DEFAULT;

    limits.connections = (int)config->connections;
    limits.handshake_ms = config->handshake_time * 1000;
    limits.header_ms = config->header_time * 1000;
    limits.idle_ms = config->idle_time * 1000;
    limits.body_ms = config->body_time * 1000;
    return limits;
}

/* Whoever has the address, it is no server of this site: its lock is ours. */
static enum status not_of_this_site(struct error *err)
{
    if (err != NULL)
        err->status = STATUS_INVALID;
    return STATUS_INVALID;
}

static enum status open_listeners(struct server *server, struct error *err)
{
    const struct config *config = &server->config;
    struct http_listen listen[HTTP_LISTENERS_MAX];
    struct http_config settings = {
        .listen = listen,
        .certificate_path = server->has_tls ? server->certificate.certificate.text : NULL,
        .key_path = server->has_tls ? server->certificate.key.text : NULL,
        .server_name = "dugnad",
        .threads = (int)config->threads,
        .limits = limits_of(config),
        .handler = api_handler(server->api),
        .env = server->env,
    };
    enum status status;

    if (*config->database.text != '\0') { /* others of this site may be asked next */
        settings.ticket_secret = server->secret.bytes;
        settings.ticket_secret_length = sizeof server->secret.bytes;
    }
    settings.listen_count =
        add_listeners(listen, 0, &config->listen, (struct http_listen){.is_tls = true});
    settings.listen_count = add_listeners(listen, settings.listen_count, &config->listen_plain,
                                          (struct http_listen){.is_tls = false});
    settings.listen_count = add_listeners(listen, settings.listen_count, &config->listen_proxy,
                                          (struct http_listen){.is_behind_proxy = true});
    status = http_server_start(&settings, &server->http, err);
    if (status == STATUS_BUSY)
        return not_of_this_site(err);
    TRY(status);
    api_set_server(server->api, server->http);
    return STATUS_OK;
}

static enum status open_all(struct server *server, struct error *err)
{
    struct disk *disk = server->env->disk;
    struct api_config api;

    TRY(site_load_config(disk, server->folder.text, &server->config, err));
    TRY(site_load_secret(disk, server->folder.text, &server->secret, err));
    TRY(lock_site(server, err));
    TRY(open_certificate(server, err));
    TRY(open_stores(server, err));
    TRY(open_files(server, err));
    TRY(open_engine(server, err));
    api = (struct api_config){.env = server->env,
                              .engine = server->engine,
                              .engine_thread = server->engine_thread,
                              .files = server->files,
                              .uploads = server->uploads,
                              .reader = server->reader,
                              .limits = &server->config,
                              .secret = server->secret};
    api_new(&api, &server->api);
    return open_listeners(server, err);
}

enum status server_open(struct env *env, const char *folder, struct server **ret_server,
                        struct error *err)
{
    CLEANUP(server_closep) struct server *server = must_alloc(1, sizeof *server);
    int64_t now_s = env->now_mono_ms(env) / 1000;

    server->env = env;
    server->expire_at_s = now_s + EXPIRE_EVERY_S;
    server->certificate_at_s = now_s + CERTIFICATE_EVERY_S;
    server->tickets_at_s = now_s + TICKETS_EVERY_S;
    server->collect_at_s = now_s + COLLECT_EVERY_S;
    server->collecting.phase = COLLECT_DONE;
    TRY(disk_join(&server->folder, err, "%s", folder));
    TRY(open_all(server, err));
    *ret_server = TAKE(server);
    return STATUS_OK;
}

const char *server_url(const struct server *server)
{
    return server->config.url.text;
}

int64_t server_descriptors(const struct server *server)
{
    return DESCRIPTORS_FOR(server->config.connections, server->config.threads);
}

uint16_t server_port(const struct server *server, size_t index)
{
    return http_server_port(server->http, index);
}

void server_reload(struct server *server)
{
    struct error err = {0};

    if (!server->has_tls)
        return;
    server->certificate_changed_s = changed_s(server);
    if (http_server_reload_certificate(server->http, &err) == STATUS_OK)
        LOG(LOG_INFO, "certificate.loaded",
            LOG_N("ends", http_server_certificate_end_s(server->http)));
    else
        log_failure(LOG_ERROR, "certificate.refused", &err);
}

static void renew(struct server *server)
{
    struct error err = {0};
    bool is_new = false;

    if (!server->has_tls)
        return;
    if (site_renew_certificate(server->env, server->folder.text, &server->config, &is_new, &err) !=
        STATUS_OK)
        log_failure(LOG_ERROR, "certificate.renewal_failed", &err);
    server_reload(server);
}

/* With a clock in doubt nothing is old. */
static void begin_pass(struct server *server)
{
    int64_t now_s = server->env->now_s(server->env);

    server->collecting = (struct collecting){
        .files = server->files,
        .now_s = now_s,
        .files_before_s = now_s - server->config.file_keep,
        .outputs_before_s = now_s - server->config.output_keep,
        .details_before_s = now_s - server->config.details_keep,
        .phase = engine_clock(server->engine).is_in_doubt ? COLLECT_DONE : COLLECT_INPUTS};
}

/* A pass that failed is given up: the next one begins anew. */
static void collect_some(struct server *server, int steps)
{
    struct collecting *pass = &server->collecting;
    struct error err = {0};
    enum status status = STATUS_OK;

    if (pass->phase == COLLECT_DONE)
        return;
    for (int i = 0; i < steps && pass->phase != COLLECT_DONE && status == STATUS_OK; i++) {
        struct command command = {.kind = COMMAND_READ,
                                  .read = {.read = collect_step, .read_context = pass}};

        status = engine_call(server->engine_thread, &command, &err);
    }
    if (status != STATUS_OK) {
        log_failure(LOG_ERROR, "files.not_collected", &err);
        pass->phase = COLLECT_DONE;
    }
    if (pass->phase == COLLECT_DONE)
        LOG(LOG_INFO, "files.collected", LOG_N("inputs_released", pass->released),
            LOG_N("files", pass->files_removed), LOG_N("orphans", pass->orphans_removed),
            LOG_N("bodies", pass->bodies_removed), LOG_N("details", pass->details_forgotten));
}

void server_collect(struct server *server)
{
    begin_pass(server);
    while (server->collecting.phase != COLLECT_DONE)
        collect_some(server, COLLECT_STEPS);
}

void server_tick(struct server *server)
{
    int64_t now_s = server->env->now_mono_ms(server->env) / 1000;

    if (now_s >= server->expire_at_s) {
        server->expire_at_s = now_s + EXPIRE_EVERY_S;
        uploads_expire(server->uploads);
    }
    if (now_s >= server->tickets_at_s) {
        server->tickets_at_s = now_s + TICKETS_EVERY_S;
        renew(server);
    }
    if (now_s >= server->collect_at_s) {
        server->collect_at_s = now_s + COLLECT_EVERY_S;
        if (server->collecting.phase == COLLECT_DONE)
            begin_pass(server);
    }
    collect_some(server, COLLECT_STEPS);
    if (now_s >= server->certificate_at_s) {
        server->certificate_at_s = now_s + CERTIFICATE_EVERY_S;
        if (server->has_tls && changed_s(server) != server->certificate_changed_s)
            server_reload(server);
    }
}

/* First whoever brings commands, then the engine, then what still waits for a disk. */
void server_close(struct server *server)
{
    if (server == NULL)
        return;
    if (server->http != NULL)
        http_server_stop(server->http, server->config.stop_time * 1000);
    engine_thread_stop(server->engine_thread);
    if (server->api != NULL)
        api_stop(server->api);
    http_server_free(server->http);
    api_free(server->api);
    engine_close(server->engine);
    store_close(server->reader);
    store_close(server->store);
    uploads_free(server->uploads);
    file_store_close(server->files);
    disk_file_close(server->lock);
    secret_clear(&server->secret, sizeof server->secret);
    free(server);
}
