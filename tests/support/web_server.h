/*
 * A running HTTP server for tests: a plain listener, a TLS one, a unix socket, and one of each kind
 * behind a proxy, in a folder of its own. Set the configuration up, change what the test is about,
 * start. Everything asserts.
 */
#ifndef TESTS_SUPPORT_WEB_SERVER_H
#define TESTS_SUPPORT_WEB_SERVER_H

#include "server/http/server.h"
#include "tests/support/web_client.h"

enum web_listener { WEB_PLAIN, WEB_TLS, WEB_UNIX, WEB_PROXIED, WEB_PROXIED_TLS, WEB_LISTENERS };

struct web_server {
    char folder[64];
    char certificate_path[96], key_path[96], unix_path[96], unix_address[104];
    struct http_listen listen[WEB_LISTENERS];
    struct http_config config;
    struct http_server *server; /* NULL: not started */
};

/* One thread, the default limits. */
void web_server_init(struct web_server *web,
                     void (*head)(void *context, struct http_exchange *exchange), void *context);
void web_server_start(struct web_server *web);
void web_server_clear(struct web_server *web); /* stops, frees, removes the folder */

/* A client of the plain or the TLS listener. */
void web_server_visit(struct web_server *web, enum web_listener listener,
                      struct web_client *ret_client);

/* Wait until the counter reaches `least`; asserts that it does. */
void web_server_wait(struct web_server *web, size_t counter_offset, int64_t least);
#define WEB_SERVER_WAIT(web, counter, least)                                                       \
    web_server_wait((web), offsetof(struct http_counts, counter), (least))

#endif
