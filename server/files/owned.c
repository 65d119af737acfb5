#include "server/files/owned.h"

#include <assert.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"

void owned_id_make(struct env *env, int64_t server, char ret_id[OWNED_ID_CHARS + 1])
{
    uint8_t bytes[OWNED_ID_BYTES];

    assert(server >= 1 && server <= OWNED_SERVERS_MAX);
    env->random(env, bytes, sizeof bytes);
    bytes[0] = (uint8_t)(server - 1);
    text_from_bytes(bytes, sizeof bytes, ret_id);
}

bool owned_is_of(const char *name, int64_t server)
{
    char id[OWNED_ID_CHARS + 1] = "";
    uint8_t bytes[OWNED_ID_BYTES];

    if (strlen(name) < OWNED_ID_CHARS)
        return false;
    memcpy(id, name, OWNED_ID_CHARS);
    return text_to_exact_bytes(id, sizeof bytes, bytes) && bytes[0] == server - 1;
}

bool owned_is_leftover(const char *name, int64_t server, int64_t changed_s, int64_t now_s)
{
    return owned_is_of(name, server) || changed_s < now_s - OWNED_ABANDONED_S;
}
