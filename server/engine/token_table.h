/* A hash table from tokens' digests to whose they are. Not for two threads at once. */
#ifndef SERVER_ENGINE_TOKEN_TABLE_H
#define SERVER_ENGINE_TOKEN_TABLE_H

#include "server/engine/published.h"

struct token_slot {
    struct digest token; /* none: free */
    struct published_credential credential;
};

/* Zeroed: empty. */
struct token_table {
    struct token_slot *slots; /* owned; a power of two of them */
    size_t capacity;
    size_t count;
};

void token_table_clear(struct token_table *table);
const struct published_credential *token_table_find(const struct token_table *table,
                                                    const struct digest *token);
void token_table_put(struct token_table *table, const struct digest *token,
                     const struct published_credential *credential);

/* Its slot stays taken, by a credential of no kind. */
void token_table_forget(struct token_table *table, const struct digest *token);

#endif
