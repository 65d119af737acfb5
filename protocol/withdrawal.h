/*
 * POST /v1/hosts/{number}/withdraw: an operator says that a host is gone for good. Asked with an
 * empty object.
 */
#ifndef PROTOCOL_WITHDRAWAL_H
#define PROTOCOL_WITHDRAWAL_H

#include "protocol/words.h"

#define WITHDRAWAL_MAX 1024

struct withdrawal_reply {
    int64_t host;
    int64_t withdrawn; /* copies that others get; 0: it had none */
    int64_t left;      /* copies it still has: their units have no place for another one */
};

enum status withdrawal_reply_decode(const char *body, size_t length,
                                    struct withdrawal_reply *ret_reply, struct error *err) MUST_USE;
char *withdrawal_reply_encode(const struct withdrawal_reply *reply);

#endif
