#include "server/http/wire.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

static enum http_io socket_failure(enum http_io wanted)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? wanted : HTTP_IO_BROKEN;
}

static enum http_io tls_failure(struct http_wire *wire, int result)
{
    switch (SSL_get_error(wire->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return HTTP_IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return HTTP_IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return HTTP_IO_END;
    default:
        ERR_clear_error();
        return HTTP_IO_BROKEN;
    }
}

enum http_io http_wire_handshake(struct http_wire *wire)
{
    int result;

    if (wire->ssl == NULL)
        return HTTP_IO_DONE;
    ERR_clear_error();
    result = SSL_do_handshake(wire->ssl);
    return result == 1 ? HTTP_IO_DONE : tls_failure(wire, result);
}

enum http_io http_wire_read_raw(struct http_wire *wire, char *ret_bytes, size_t size,
                                size_t *ret_count)
{
    ssize_t got;

    do
        got = recv(wire->socket, ret_bytes, size, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return socket_failure(HTTP_IO_WANT_READ);
    if (got == 0)
        return HTTP_IO_END;
    *ret_count = (size_t)got;
    return HTTP_IO_DONE;
}

enum http_io http_wire_read(struct http_wire *wire, char *ret_bytes, size_t size, size_t *ret_count)
{
    int result;

    if (wire->ssl == NULL)
        return http_wire_read_raw(wire, ret_bytes, size, ret_count);
    ERR_clear_error();
    result = SSL_read_ex(wire->ssl, ret_bytes, size, ret_count);
    return result == 1 ? HTTP_IO_DONE : tls_failure(wire, result);
}

enum http_io http_wire_write(struct http_wire *wire, const char *bytes, size_t length,
                             size_t *ret_count)
{
    ssize_t sent;
    int result;

    if (wire->ssl != NULL) {
        ERR_clear_error();
        result = SSL_write_ex(wire->ssl, bytes, length, ret_count);
        return result == 1 ? HTTP_IO_DONE : tls_failure(wire, result);
    }
    do
        sent = send(wire->socket, bytes, length, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return socket_failure(HTTP_IO_WANT_WRITE);
    *ret_count = (size_t)sent;
    return HTTP_IO_DONE;
}

void http_wire_finish(struct http_wire *wire)
{
    if (wire->ssl != NULL) {
        ERR_clear_error();
        (void)SSL_shutdown(wire->ssl);
        ERR_clear_error();
    }
    (void)shutdown(wire->socket, SHUT_WR);
}

void http_wire_close(struct http_wire *wire)
{
    SSL_free(wire->ssl);
    if (wire->socket >= 0)
        (void)close(wire->socket);
    *wire = (struct http_wire){.socket = -1};
}
