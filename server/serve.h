/*
 * A whole server of one site, put together: store, engine, files, resources and listeners. What
 * `dugnad-server run` runs, and what tests run in their own process.
 */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct env;
struct server;

/*
 * Take the site in `folder` up: it is locked until server_close(). STATUS_BUSY: another server runs
 * it. STATUS_CONFLICT: its database is of a newer version. STATUS_INVALID, STATUS_NOT_FOUND: no
 * whole site, its settings or certificate are wrong, or somebody else has an address that it is to
 * listen on; the words say what to do. `env` and its
 * disk are used by several threads.
 */
enum status server_open(struct env *env, const char *folder, struct server **ret_server,
                        struct error *err) MUST_USE;

/* Where its settings say that clients reach it. */
const char *server_url(const struct server *server);

/* How many files its process may have open at full load: see server/site/descriptors.h. */
int64_t server_descriptors(const struct server *server);

/* The port of listener number `index`: those of listen, then listen_plain, then listen_proxy. */
uint16_t server_port(const struct server *server, size_t index);

/* What time brings; call it about once a second. */
void server_tick(struct server *server);

/* Remove files and outputs that nothing needs and whose time is over, all of them now; the ticks do
 * so a little at a time, twice an hour. Only where server_tick() is called. */
void server_collect(struct server *server);

/* Take up a renewed certificate now, not at one of the next ticks. Failures are logged. */
void server_reload(struct server *server);

/* Let running requests end (as long as stop_time allows), then stop. NULL is fine. */
void server_close(struct server *server);
DEFINE_CLEANUP(struct server *, server_close)

#endif
