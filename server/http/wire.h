/* Bytes to and from a peer that may or may not speak TLS; nothing here waits. */
#ifndef SERVER_HTTP_WIRE_H
#define SERVER_HTTP_WIRE_H

#include <openssl/types.h>
#include <stddef.h>

struct http_wire {
    int socket; /* owned, non-blocking; -1: none */
    SSL *ssl;   /* owned; NULL: plain */
};

enum http_io {
    HTTP_IO_DONE,       /* at least one byte moved; or the handshake is finished */
    HTTP_IO_WANT_READ,  /* call again when the socket can be read … */
    HTTP_IO_WANT_WRITE, /* … or written */
    HTTP_IO_END,        /* the peer sends nothing any more (reading only) */
    HTTP_IO_BROKEN,
};

enum http_io http_wire_handshake(struct http_wire *wire);
enum http_io http_wire_read(struct http_wire *wire, char *ret_bytes, size_t size,
                            size_t *ret_count);
enum http_io http_wire_write(struct http_wire *wire, const char *bytes, size_t length,
                             size_t *ret_count);

/* Past the TLS: what stands before the handshake. */
enum http_io http_wire_read_raw(struct http_wire *wire, char *ret_bytes, size_t size,
                                size_t *ret_count);

/* Tell the peer that nothing more comes. It may still send. */
void http_wire_finish(struct http_wire *wire);
void http_wire_close(struct http_wire *wire);

#endif
