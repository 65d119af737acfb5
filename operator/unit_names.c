#include "operator/unit_names.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"

#define CAPACITY_LEAST 1024

struct unit_name_slot {
    struct unit_name_key key;
    int64_t place; /* index + 1; 0: free */
};

struct unit_name_key unit_name_key(const char *name)
{
    CLEANUP(freep) char *small = text_copy(name);
    struct unit_name_key key;
    struct digest digest;

    for (char *c = small; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    digest = digest_of(small, strlen(small));
    memcpy(key.bytes, digest.bytes, sizeof key.bytes);
    return key;
}

void unit_names_clear(struct unit_names *names)
{
    free(names->slots);
    *names = (struct unit_names){0};
}

/* The slot of the key, or the free one where it belongs. A key is spread evenly as it is. */
static struct unit_name_slot *find(const struct unit_names *names, const struct unit_name_key *key)
{
    size_t at;

    memcpy(&at, key->bytes, sizeof at);
    for (;; at++) {
        struct unit_name_slot *slot = &names->slots[at & (names->capacity - 1)];

        if (slot->place == 0 || memcmp(&slot->key, key, sizeof *key) == 0)
            return slot;
    }
}

static void grow(struct unit_names *names)
{
    struct unit_names larger = {.capacity =
                                    names->capacity > 0 ? 2 * names->capacity : CAPACITY_LEAST,
                                .count = names->count};

    larger.slots = must_alloc(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < names->capacity; i++)
        if (names->slots[i].place != 0)
            *find(&larger, &names->slots[i].key) = names->slots[i];
    free(names->slots);
    *names = larger;
}

bool unit_names_claim(struct unit_names *names, const struct unit_name_key *key, int64_t index,
                      int64_t *ret_other)
{
    struct unit_name_slot *slot;

    if (names->count >= names->capacity / 2)
        grow(names);
    slot = find(names, key);
    if (slot->place != 0) {
        *ret_other = slot->place - 1;
        return false;
    }
    *slot = (struct unit_name_slot){.key = *key, .place = index + 1};
    names->count++;
    return true;
}
