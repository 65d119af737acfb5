/*
 * The HTTP resources of a site: what docs/PROTOCOL.md says, one file per resource. Runs on net
 * threads: it bounds, parses, authenticates and verifies, and turns requests into commands for the
 * engine; what reads the database or waits for the disk goes to threads of its own.
 */
#ifndef SERVER_API_API_H
#define SERVER_API_API_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/error.h"
#include "server/api/worker.h"
#include "server/http/server.h"
#include "server/site/folder.h"

struct api;
struct engine;
struct engine_thread;
struct env;
struct file_store;
struct store;
struct uploads;

/* All borrowed until api_free(), but for the texts and limits. */
struct api_config {
    struct env *env;
    struct engine *engine;
    struct engine_thread *engine_thread;
    struct file_store *files;
    struct uploads *uploads;
    struct store *reader; /* a store for reading alone; belongs to the api until api_stop() */
    const struct config *limits;
    struct site_secret secret;
};

void api_new(const struct api_config *config, struct api **ret_api);

/* Give this to http_server_start(). */
struct http_handler api_handler(struct api *api);

/* Whose connections are counted in /metrics. Once, before requests come or right after. */
void api_set_server(struct api *api, struct http_server *server);

/*
 * The order of stopping: http_server_stop(), engine_thread_stop(), api_stop(), http_server_free(),
 * api_free(). Waits for what its own threads have to do.
 */
void api_stop(struct api *api);
void api_free(struct api *api); /* NULL is fine */

#endif
