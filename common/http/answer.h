/* An answer as it arrives, line by line and piece by piece: for common/http/curl.c. */
#ifndef COMMON_HTTP_ANSWER_H
#define COMMON_HTTP_ANSWER_H

#include "common/http/client.h"

struct curl_slist;

struct answer {
    struct http_response response;
    struct http_sink *sink; /* borrowed; NULL: none */
    bool has_no_body;       /* HEAD */
    int64_t max_bytes;
    int64_t got_bytes;
    size_t head_bytes;
    char url[HTTP_URL_MAX];
    enum status failure; /* STATUS_OK: none so far */
    struct error err;
};

void answer_init(struct answer *answer, const struct http_request *request);
void answer_clear(struct answer *answer);

/* One line of the head, with its end. False: answer->failure says why the exchange must end. */
bool answer_take_line(struct answer *answer, const char *line, size_t length);

/* A piece of the body. */
bool answer_take_bytes(struct answer *answer, const char *bytes, size_t count);

/* What libcurl tells of one presented certificate; beyond HTTP_CHAIN_MAX they are left out. */
void answer_take_certificate(struct answer *answer, const struct curl_slist *facts);

/* The response is the caller's then. */
void answer_give(struct answer *answer, struct http_response *ret_response);

#endif
