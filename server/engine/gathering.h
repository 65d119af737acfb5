/* The names of what a cycle's commands concern, collected for one load. */
#ifndef SERVER_ENGINE_GATHERING_H
#define SERVER_ENGINE_GATHERING_H

#include "db/work.h"

struct id_list {
    int64_t *ids; /* owned */
    size_t count;
    size_t capacity;
};

/* Zeroed: empty. */
struct gathering {
    struct id_list hosts;
    struct id_list units;
    struct id_list tasks;
    struct id_list batches;
    struct public_key *keys; /* owned */
    size_t key_count;
};

void gathering_clear(struct gathering *gathering);
void id_list_add(struct id_list *list, int64_t id);
void gathering_add_key(struct gathering *gathering, const struct public_key *key);

/* Borrows the lists. */
struct work_request gathering_request(const struct gathering *gathering);

#endif
