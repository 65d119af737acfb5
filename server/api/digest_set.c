#include "server/api/digest_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

struct slot {
    struct digest digest;
    int64_t added_mono_ms;
};

struct digest_set {
    size_t size;
    pthread_mutex_t mutex;
    struct slot *slots; /* one place for each digest: the newer wins */
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

static struct slot *slot_of(struct digest_set *set, const struct digest *digest)
{
    uint64_t number;

    memcpy(&number, digest->bytes, sizeof number);
    return &set->slots[number % set->size];
}

bool digest_set_has(struct digest_set *set, const struct digest *digest, int64_t since_mono_ms)
{
    const struct slot *slot = slot_of(set, digest);
    bool has;

    pthread_mutex_lock(&set->mutex);
    has = digest_equals(&slot->digest, digest) && slot->added_mono_ms >= since_mono_ms;
    pthread_mutex_unlock(&set->mutex);
    return has;
}

void digest_set_add(struct digest_set *set, const struct digest *digest, int64_t now_mono_ms)
{
    struct slot *slot = slot_of(set, digest);

    pthread_mutex_lock(&set->mutex);
    *slot = (struct slot){.digest = *digest, .added_mono_ms = now_mono_ms};
    pthread_mutex_unlock(&set->mutex);
}
