/* POST /v1/accounts: a new volunteer; GET /v1/account. */
#ifndef PROTOCOL_ACCOUNT_H
#define PROTOCOL_ACCOUNT_H

#include "protocol/words.h"

#define ACCOUNT_MAX 4096 /* bytes of request and reply */

struct account_request {
    char name[VOLUNTEER_NAME_MAX + 1]; /* "": none */
};

enum status account_request_decode(const char *body, size_t length,
                                   struct account_request *ret_request, struct error *err) MUST_USE;
char *account_request_encode(const struct account_request *request);

/* The key is the volunteer's secret. */
enum status account_reply_decode(const char *body, size_t length, struct token *ret_account,
                                 struct error *err) MUST_USE;
char *account_reply_encode(const struct token *account);

/* GET /v1/account, with the key as token: whose it is. */
char *account_owner_encode(int64_t volunteer);

#endif
