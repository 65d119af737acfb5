/* Which request goes where: method, path, who may, and what body comes with it. */
#ifndef SERVER_API_ROUTES_H
#define SERVER_API_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "server/http/head.h"

struct call;

enum access {
    ACCESS_ANYONE,
    ACCESS_ACCOUNT,
    ACCESS_HOST,
    ACCESS_READER, /* operators, too */
    ACCESS_OPERATOR,
};

enum body_kind {
    BODY_NONE,
    BODY_WHOLE,  /* handle() is called once call->body has it */
    BODY_STREAM, /* handle() is called with the head, and asks for the body itself */
};

struct route {
    const char *method;  /* HEAD goes where GET does */
    const char *pattern; /* as http_path_fits() takes it */
    enum access access;
    enum body_kind body;
    const char *type; /* the body's content type; NULL: no matter */
    int64_t body_max; /* bytes, of BODY_WHOLE */
    void (*handle)(struct call *call);
};

extern const struct route routes[];
extern const size_t route_count;

#define ROUTES_ALLOW_MAX 64

/*
 * NULL: none fits; then `ret_allow` lists the methods that the path does have, for 405, or is
 * empty, for 404.
 */
const struct route *routes_find(const char *method, const char *path,
                                struct http_segments *ret_segments,
                                char ret_allow[ROUTES_ALLOW_MAX]);

#endif
