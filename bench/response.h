/*
 * One HTTP/1.1 response in a buffer. Only what a Dugnad server sends is understood: a body has a
 * Content-Length or comes in chunks, or there is none.
 */
#ifndef BENCH_RESPONSE_H
#define BENCH_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define RESPONSE_HEAD_MAX     (16 * 1024)
#define RESPONSE_BODY_MAX     (16 * 1024 * 1024)
#define RESPONSE_LOCATION_MAX 512

struct response {
    int status; /* 100..599 */
    bool ends_connection;
    char location[RESPONSE_LOCATION_MAX]; /* "": none */
    const char *body;                     /* in the buffer that was read; chunks put together */
    size_t body_length;
};

/*
 * Read the response that `bytes` begin with. *ret_used 0: it is not whole yet. Chunks are put
 * together in place, once all are there. STATUS_INVALID: that is no such response.
 * STATUS_TOO_LARGE: beyond the limits above.
 */
enum status response_read(char *bytes, size_t length, struct response *ret_response,
                          size_t *ret_used, struct error *err) MUST_USE;

#endif
