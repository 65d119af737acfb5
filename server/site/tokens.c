#include "server/site/tokens.h"

#include "common/base/env.h"
#include "common/crypto/base64.h"
#include "common/crypto/keys.h"

void token_make(struct env *env, struct token *ret_token)
{
    uint8_t bytes[32];

    env->random(env, bytes, sizeof bytes);
    base64url_encode(bytes, sizeof bytes, ret_token->text);
    secret_clear(bytes, sizeof bytes);
}

struct digest token_digest(const struct token *token)
{
    return digest_of(token->text, TOKEN_CHARS);
}
