#include "server/api/offers.h"

#include <string.h>

#include "common/base/text.h"
#include "db/store.h"

struct counting {
    const struct texts *layers; /* of the app */
    struct offers *offers;
    bool is_had[APP_LAYERS_MAX]; /* by any host */
};

static int64_t more(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* As struct host_offer has them: a blank before and after each. */
static bool has_layer(const char *layers, const char *layer)
{
    size_t length = strlen(layer);

    for (const char *at = layers; (at = strstr(at, layer)) != NULL; at += length)
        if (at > layers && at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

static bool count(void *context, const struct offer_group *group)
{
    struct counting *counting = context;
    struct offers *offers = counting->offers;
    bool has_all = true;

    for (size_t i = 0; i < counting->layers->count; i++) {
        bool has = has_layer(group->layers, counting->layers->texts[i]);

        counting->is_had[i] = counting->is_had[i] || has;
        has_all = has_all && has;
    }
    offers->hosts += group->hosts;
    offers->cores = more(offers->cores, group->cores);
    offers->memory_bytes = more(offers->memory_bytes, group->memory_bytes);
    offers->disk_bytes = more(offers->disk_bytes, group->disk_bytes);
    offers->fitting += has_all ? group->roomy : 0;
    return true;
}

enum status offers_read(struct store *store, const struct app_version *app, const struct unit *unit,
                        int64_t seen_s, struct offers *ret_offers, struct error *err)
{
    const struct host_offer enough = {.memory_bytes = unit->memory_bytes,
                                      .disk_bytes = unit_room_bytes(unit)};
    struct offers offers = {.needs_cores = app->limits.cores,
                            .needs_memory_bytes = enough.memory_bytes,
                            .needs_disk_bytes = enough.disk_bytes};
    struct counting counting = {.layers = &app->layers, .offers = &offers};

    TRY(store->query->offers(store, unit->app_version, seen_s, &enough, count, &counting, err));
    for (size_t i = app->layers.count; i-- > 0;)
        if (!counting.is_had[i])
            (void)text_fit(offers.layer.text, sizeof offers.layer.text, app->layers.texts[i]);
    *ret_offers = offers;
    return STATUS_OK;
}
