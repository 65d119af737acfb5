/* The chunked coding of a body (RFC 9112, 7.1), as it arrives: pure. Trailers are checked and lost.
 */
#ifndef SERVER_HTTP_CHUNKED_H
#define SERVER_HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/parser.h"

#define HTTP_CHUNK_LINE_MAX    128  /* bytes of a size with its extensions */
#define HTTP_CHUNK_EXTRA_MAX   4096 /* bytes of all extensions of a body */
#define HTTP_TRAILERS_MAX      4096 /* bytes of all trailer fields */
#define HTTP_TRAILER_NAME_KEPT 24

/* Zeroed: at the beginning of a body. */
struct http_chunked {
    enum {
        HTTP_CHUNKED_SIZE,
        HTTP_CHUNKED_EXTENSION,
        HTTP_CHUNKED_SIZE_LF,
        HTTP_CHUNKED_DATA,
        HTTP_CHUNKED_DATA_CR,
        HTTP_CHUNKED_DATA_LF,
        HTTP_CHUNKED_TRAILER,
        HTTP_CHUNKED_TRAILER_NAME,
        HTTP_CHUNKED_TRAILER_VALUE,
        HTTP_CHUNKED_TRAILER_LF,
        HTTP_CHUNKED_LAST_LF,
        HTTP_CHUNKED_DONE,
    } state;
    int64_t left;  /* of the current chunk's size, while it is read, or of its data */
    size_t digits; /* of the current size */
    size_t line;   /* bytes of the current size line */
    size_t extra;  /* bytes of extensions in all */
    size_t trailers;
    char name[HTTP_TRAILER_NAME_KEPT]; /* the current trailer's, cut */
    size_t name_length;
};

enum http_chunk { HTTP_CHUNK_MORE, HTTP_CHUNK_DATA, HTTP_CHUNK_END, HTTP_CHUNK_REFUSED };

/*
 * Take some of the bytes: `*ret_taken` of them, all on MORE. DATA: the last `*ret_data` of those
 * taken are content, and it goes on. END: the body is over, what follows is not its.
 */
enum http_chunk http_chunked_next(struct http_chunked *chunked, const char *bytes, size_t length,
                                  size_t *ret_taken, size_t *ret_data,
                                  struct http_refusal *ret_refusal);

#endif
