/* URLs of servers: https only, no user, no fragment. */
#ifndef COMMON_HTTP_URL_H
#define COMMON_HTTP_URL_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/http/client.h"

struct http_url {
    char text[HTTP_URL_MAX];
};

/*
 * A site's base URL in one form: scheme and host in lower case, the default port left out, no slash
 * at the end: "https://grid.example/dugnad". STATUS_INVALID: what is wrong with it.
 */
enum status http_url_site(const char *text, struct http_url *ret_site, struct error *err) MUST_USE;

/* Scheme, host and port are the same. False, too, where one of them is no URL. */
bool http_url_is_same_origin(const char *a, const char *b);

/* A Location: what it means, seen from `base`. STATUS_UNTRUSTED: on another origin. */
enum status http_url_resolve(const char *base, const char *location, struct http_url *ret_url,
                             struct error *err) MUST_USE;

/* The host alone, without port; an IPv6 address without its brackets. */
enum status http_url_host(const char *url, struct http_url *ret_host, struct error *err) MUST_USE;

#endif
