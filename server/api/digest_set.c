#include "server/api/digest_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

struct digest_set {
    size_t size;
    pthread_mutex_t mutex;
    struct digest *slots; /* one place for each digest: the newer wins */
};

struct digest_set *digest_set_new(size_t size)
{
    struct digest_set *set = must_alloc(1, sizeof *set);

    set->size = size;
    set->slots = must_alloc(size, sizeof *set->slots);
    if (pthread_mutex_init(&set->mutex, NULL) != 0)
        abort();
    return set;
}

void digest_set_free(struct digest_set *set)
{
    if (set == NULL)
        return;
    (void)pthread_mutex_destroy(&set->mutex);
    free(set->slots);
    free(set);
}

static struct digest *slot_of(struct digest_set *set, const struct digest *digest)
{
    uint64_t number;

    memcpy(&number, digest->bytes, sizeof number);
    return &set->slots[number % set->size];
}

bool digest_set_has(struct digest_set *set, const struct digest *digest)
{
    bool has;

    pthread_mutex_lock(&set->mutex);
    has = digest_equals(slot_of(set, digest), digest);
    pthread_mutex_unlock(&set->mutex);
    return has;
}

void digest_set_add(struct digest_set *set, const struct digest *digest)
{
    pthread_mutex_lock(&set->mutex);
    *slot_of(set, digest) = *digest;
    pthread_mutex_unlock(&set->mutex);
}
