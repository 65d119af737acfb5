#include "server/engine/paces.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "server/policy/estimate.h"

/* The voices heard last. */
struct voices {
    int64_t volunteers[ESTIMATE_PACES_MAX];
    int64_t paces[ESTIMATE_PACES_MAX];
    size_t count;
    size_t oldest;  /* whose place the next one takes */
    int64_t median; /* 0: to be taken anew */
};

void paces_clear(struct paces *paces)
{
    struct voices *voices;
    size_t cursor = 0;

    while ((voices = map_next(&paces->map, &cursor)) != NULL)
        free(voices);
    map_clear(&paces->map);
}

static struct voices *voices_of(struct paces *paces, int64_t app_version)
{
    struct voices *voices = map_get(&paces->map, app_version);

    if (voices != NULL)
        return voices;
    if (paces->map.count >= PACES_APPS_MAX)
        paces_clear(paces);
    voices = must_alloc(1, sizeof *voices);
    map_put(&paces->map, app_version, voices);
    return voices;
}

static size_t place_of(struct voices *voices, int64_t volunteer)
{
    for (size_t i = 0; i < voices->count; i++)
        if (voices->volunteers[i] == volunteer)
            return i;
    if (voices->count < ESTIMATE_PACES_MAX)
        return voices->count++;
    voices->oldest = (voices->oldest + 1) % ESTIMATE_PACES_MAX;
    return voices->oldest;
}

void paces_teach(struct paces *paces, int64_t app_version, int64_t volunteer, int64_t pace)
{
    struct voices *voices = voices_of(paces, app_version);
    size_t place = place_of(voices, volunteer);

    if (voices->volunteers[place] == volunteer && voices->paces[place] == pace)
        return;
    voices->volunteers[place] = volunteer;
    voices->paces[place] = pace;
    voices->median = 0;
}

int64_t paces_median(const struct paces *paces, int64_t app_version)
{
    struct voices *voices = map_get(&paces->map, app_version);
    int64_t sorted[ESTIMATE_PACES_MAX];

    if (voices == NULL)
        return 0;
    if (voices->median == 0) {
        memcpy(sorted, voices->paces, sizeof sorted);
        voices->median = estimate_median(sorted, voices->count);
    }
    return voices->median;
}
