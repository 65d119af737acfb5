#include "protocol/words.h"

#include <string.h>

#include "common/crypto/base64.h"

bool token_parse(const char *text, struct token *ret_token)
{
    uint8_t bytes[32];

    if (strlen(text) != TOKEN_CHARS || !base64url_decode(text, TOKEN_CHARS, bytes, sizeof bytes))
        return false;
    memcpy(ret_token->text, text, sizeof ret_token->text);
    return true;
}

bool cursor_parse(const char *text, struct cursor *ret_cursor)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._:-";
    size_t length = strlen(text);

    if (length == 0 || length > CURSOR_MAX || strspn(text, allowed) != length)
        return false;
    memcpy(ret_cursor->text, text, length + 1);
    return true;
}

void digests_clear(struct digests *digests)
{
    free(digests->digests);
    *digests = (struct digests){0};
}

void named_outputs_clear(struct named_outputs *outputs)
{
    free(outputs->outputs);
    *outputs = (struct named_outputs){0};
}

const struct named_output *named_outputs_find(const struct named_outputs *outputs, const char *name)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (strcmp(outputs->outputs[i].name.text, name) == 0)
            return &outputs->outputs[i];
    return NULL;
}

void bytes_clear(struct bytes *bytes)
{
    free(bytes->bytes);
    *bytes = (struct bytes){0};
}
