/* Bearer tokens and account keys: 256 random bits, of which a site keeps the SHA-256 alone. */
#ifndef SERVER_SITE_TOKENS_H
#define SERVER_SITE_TOKENS_H

#include "common/crypto/digest.h"
#include "protocol/words.h"

struct env;

void token_make(struct env *env, struct token *ret_token);

/* What is kept of it: the digest of its 43 characters. */
struct digest token_digest(const struct token *token);

#endif
