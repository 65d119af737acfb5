/*
 * A network for tests of clients: each request is served by a function at once, and may get lost on
 * its way there or back.
 */
#ifndef TESTS_SUPPORT_FAKE_NET_H
#define TESTS_SUPPORT_FAKE_NET_H

#include "common/http/client.h"

struct fake_request {
    enum http_method method;
    const char *url;
    const char *path;  /* of the URL: from the first slash after the host */
    const char *token; /* NULL: none */
    const char *body;  /* NUL-terminated beyond its length */
    size_t body_length;
    int64_t range_from;
    const char *if_none_match;
    const struct http_header *headers;
    size_t header_count;
    bool on_first_contact;
    const char *ca_pem; /* NULL: the system's alone */
};

/* The header's value; NULL: it was not sent. */
const char *fake_request_header(const struct fake_request *request, const char *name);

enum fake_fate {
    FATE_DELIVERED,
    FATE_LOST_REQUEST, /* the server never sees it */
    FATE_LOST_REPLY,   /* the server has served it, the client does not hear */
    FATE_SLOW,         /* served at once; the reply is there after so many looks: */
};

#define FAKE_SLOW_LOOKS 100

struct fake_net {
    struct http_client base; /* first */

    /* Fill the response (its body too); anything but STATUS_OK ends the exchange so. */
    enum status (*serve)(void *context, const struct fake_request *request,
                         struct http_response *ret_response, struct error *err);
    enum fake_fate (*fate)(void *context, const struct fake_request *request); /* NULL: all well */
    void *context;
    const char *stalled; /* requests for paths that begin so are served and do not end while it is
                            set; NULL: none */
    int64_t served;
    int64_t open; /* exchanges not released, but for stalled ones and those on their slow way */
    int64_t slow; /* exchanges on their slow way: let time pass between two looks */
};

void fake_net_init(struct fake_net *ret_net);

/* Give the response this status and body. */
void fake_reply(struct http_response *response, int status, const char *body, size_t length);

#endif
