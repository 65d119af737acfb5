#include "server/engine/token_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void token_table_clear(struct token_table *table)
{
    free(table->slots);
    *table = (struct token_table){0};
}

/* Tokens are digests: their first bytes are as good as any hash of them. */
static struct token_slot *slot_of(const struct token_table *table, const struct digest *token)
{
    uint64_t hash;
    size_t at;

    memcpy(&hash, token->bytes, sizeof hash);
    at = (size_t)hash & (table->capacity - 1);
    while (!digest_is_none(&table->slots[at].token) &&
           !digest_equals(&table->slots[at].token, token))
        at = (at + 1) & (table->capacity - 1);
    return &table->slots[at];
}

static void grow(struct token_table *table)
{
    struct token_table bigger = {.capacity =
                                     table->capacity > 0 ? table->capacity * 2 : FIRST_CAPACITY,
                                 .count = table->count};

    bigger.slots = must_alloc(bigger.capacity, sizeof *bigger.slots);
    for (size_t i = 0; i < table->capacity; i++)
        if (!digest_is_none(&table->slots[i].token))
            *slot_of(&bigger, &table->slots[i].token) = table->slots[i];
    free(table->slots);
    *table = bigger;
}

const struct published_credential *token_table_find(const struct token_table *table,
                                                    const struct digest *token)
{
    const struct token_slot *slot;

    if (table->capacity == 0)
        return NULL;
    slot = slot_of(table, token);
    return slot->credential.kind != 0 ? &slot->credential : NULL;
}

void token_table_put(struct token_table *table, const struct digest *token,
                     const struct published_credential *credential)
{
    struct token_slot *slot;

    if (table->count * 2 >= table->capacity)
        grow(table);
    slot = slot_of(table, token);
    table->count += digest_is_none(&slot->token);
    *slot = (struct token_slot){.token = *token, .credential = *credential};
}

void token_table_forget(struct token_table *table, const struct digest *token)
{
    if (token_table_find(table, token) != NULL)
        slot_of(table, token)->credential = (struct published_credential){0};
}
