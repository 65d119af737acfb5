#include "server/engine/gathering.h"

#include <stdlib.h>

void gathering_clear(struct gathering *gathering)
{
    free(gathering->hosts.ids);
    free(gathering->units.ids);
    free(gathering->tasks.ids);
    free(gathering->batches.ids);
    free(gathering->keys);
    *gathering = (struct gathering){0};
}

void id_list_add(struct id_list *list, int64_t id)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 64;
        list->ids = reallocarray(list->ids, list->capacity, sizeof *list->ids);
        if (list->ids == NULL)
            abort();
    }
    list->ids[list->count++] = id;
}

void gathering_add_key(struct gathering *gathering, const struct public_key *key)
{
    gathering->keys =
        reallocarray(gathering->keys, gathering->key_count + 1, sizeof *gathering->keys);
    if (gathering->keys == NULL)
        abort();
    gathering->keys[gathering->key_count++] = *key;
}

struct work_request gathering_request(const struct gathering *gathering)
{
    return (struct work_request){.hosts = gathering->hosts.ids,
                                 .host_count = gathering->hosts.count,
                                 .keys = gathering->keys,
                                 .key_count = gathering->key_count,
                                 .units = gathering->units.ids,
                                 .unit_count = gathering->units.count,
                                 .tasks = gathering->tasks.ids,
                                 .task_count = gathering->tasks.count,
                                 .batches = gathering->batches.ids,
                                 .batch_count = gathering->batches.count};
}
