#include "bench/actor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/base64.h"
#include "protocol/scheduler_request.h"

static struct digest derive(const struct digest *secret, const char *purpose, uint64_t number)
{
    char text[48];
    int length = snprintf(text, sizeof text, "%s %" PRIu64, purpose, number);

    return digest_hmac(secret->bytes, sizeof secret->bytes, text, (size_t)length);
}

void crew_key_seed(const struct digest *secret, uint64_t number, uint8_t ret_seed[KEY_SEED_BYTES])
{
    struct digest seed = derive(secret, "key", number);

    memcpy(ret_seed, seed.bytes, KEY_SEED_BYTES);
}

struct token crew_token(const struct digest *secret, uint64_t number)
{
    struct digest bytes = derive(secret, "token", number);
    struct token token;

    base64url_encode(bytes.bytes, sizeof bytes.bytes, token.text);
    return token;
}

void actor_init(struct actor *actor, const struct digest *secret, uint64_t number,
                int64_t first_visit, const struct shares *shares)
{
    uint8_t seed[KEY_SEED_BYTES];

    *actor = (struct actor){
        .number = number, .character = character_of(shares, number), .next_visit = first_visit};
    crew_key_seed(secret, number, seed);
    private_key_from_seed(&actor->key, seed);
}

void actor_clear(struct actor *actor)
{
    private_key_clear(&actor->key);
    free(actor->held);
    *actor = (struct actor){0};
}

struct held_unit *actor_find(struct actor *actor, int64_t task)
{
    for (size_t i = 0; i < actor->held_count; i++)
        if (actor->held[i].task == task)
            return &actor->held[i];
    return NULL;
}

/* A server that resends what was granted before names it again. */
void actor_hold(struct actor *actor, int64_t task, const struct digest *unit)
{
    size_t count = actor->held_count;

    if (count == SCHEDULER_HELD_MAX || actor_find(actor, task) != NULL)
        return;
    /* Room for 1, 2, 4 …: a crew of a million must not cost what a busy host might need. */
    if ((count & (count - 1)) == 0) {
        size_t room = count == 0 ? 1 : count * 2;
        struct held_unit *larger = realloc(actor->held, room * sizeof *larger);

        if (larger == NULL)
            abort();
        actor->held = larger;
    }
    actor->held[actor->held_count++] = (struct held_unit){.task = task, .unit = *unit};
}

void actor_forget(struct actor *actor, int64_t task)
{
    struct held_unit *held = actor_find(actor, task);

    if (held != NULL)
        *held = actor->held[--actor->held_count];
}

uint64_t actor_lie(const struct actor *actor)
{
    return actor->character == CHARACTER_LIAR ? actor->number + 1 : 0;
}
