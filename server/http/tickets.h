/*
 * Keys of session tickets that several servers of a site share: a client resumes at whichever it
 * reaches. They follow from the site's secret and the hour, so nobody has to hand them round:
 * each holds for TICKETS_EPOCH_S, and one more for what was sealed with it; servers whose clocks
 * part by less understand each other. Without a secret OpenSSL's own keys are used, which no
 * other process knows.
 */
#ifndef SERVER_HTTP_TICKETS_H
#define SERVER_HTTP_TICKETS_H

#include <openssl/types.h>
#include <stddef.h>

#include "common/crypto/digest.h"

#define TICKETS_EPOCH_S (12 * 3600)

struct env;

struct tickets {
    struct env *env;      /* borrowed */
    struct digest secret; /* made from the site's; none: not shared */
};

/* `count` bytes of secret; 0: not shared. */
void tickets_init(struct tickets *tickets, struct env *env, const void *secret, size_t count);
void tickets_clear(struct tickets *tickets);

/* `tickets` outlives the context. False: OpenSSL refuses. */
bool tickets_use(struct tickets *tickets, SSL_CTX *context);

#endif
