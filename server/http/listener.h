/* Sockets that are listened on. */
#ifndef SERVER_HTTP_LISTENER_H
#define SERVER_HTTP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/error.h"
#include "server/http/head.h"

/* An address as the kernel has it. */
struct http_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/*
 * "192.0.2.1:443", "[::1]:0" or "unix:/path". STATUS_INVALID: not one of them; names are not looked
 * up.
 */
enum status http_address_parse(const char *text, struct http_address *ret_address,
                               struct error *err);

/* Can only this machine reach it? */
bool http_address_is_local(const struct http_address *address);
bool http_address_is_unix(const struct http_address *address);

uint16_t http_address_port(const struct http_address *address); /* 0 of a unix socket */
void http_address_set_port(struct http_address *address, uint16_t port);

struct http_peer http_address_peer(const struct http_address *address);

/*
 * A listening socket, one of several on the same address (a unix socket's cannot be shared so:
 * dup() it). A dead unix socket that lies in the way is removed. With port 0, `address` is given
 * the port it got. STATUS_BUSY: somebody else listens there.
 */
enum status http_listener_open(struct http_address *address, int *ret_socket, struct error *err);

/* Does another process listen on this address already? SO_REUSEPORT alone would let us join it. */
enum status http_listener_probe(const struct http_address *address, struct error *err);

#endif
