#include "server/policy/match.h"

#include <assert.h>
#include <string.h>

#include "server/policy/quorum.h"

const char *match_words(enum match_result result)
{
    static const char *const words[] = {
#define X(symbol, text) [MATCH_##symbol] = text,
        MATCH_TABLE(X)
#undef X
    };

    assert(result < MATCH_COUNT);
    return words[result];
}

/* Is `word` one of the space-separated `words`? An empty list allows every word. */
static bool is_allowed(const char *words, const char *word)
{
    size_t length = strlen(word);

    if (words == NULL || *words == '\0')
        return true;
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t span = strcspn(at, " ");

        if (span == length && memcmp(at, word, length) == 0)
            return true;
        at += span;
    }
    return false;
}

static bool is_pinned_elsewhere(const struct unit *unit, const char *class_name)
{
    return unit->pinned_class != NULL && *unit->pinned_class != '\0' &&
           strcmp(unit->pinned_class, class_name) != 0;
}

static enum match_result judge_variant(const struct unit *unit, const struct match_variant *variant)
{
    if (variant->is_untrusted)
        return MATCH_UNTRUSTED;
    if (!is_allowed(unit->platforms, variant->platform))
        return MATCH_PLATFORM;
    if (!is_allowed(unit->classes, variant->class_name) ||
        is_pinned_elsewhere(unit, variant->class_name))
        return MATCH_CLASS;
    return MATCH_YES;
}

/* The host names its platforms best first, so its order decides. */
static enum match_result pick_variant(const struct unit *unit, const struct match_host *host,
                                      const struct match_app *app,
                                      const struct match_variant **ret_variant)
{
    enum match_result best = MATCH_PLATFORM;

    for (size_t p = 0; p < host->platform_count; p++) {
        for (size_t v = 0; v < app->variant_count; v++) {
            const struct match_variant *variant = &app->variants[v];
            enum match_result result;

            if (strcmp(variant->platform, host->platforms[p]) != 0)
                continue;
            result = judge_variant(unit, variant);
            if (result == MATCH_YES) {
                *ret_variant = variant;
                return MATCH_YES;
            }
            best = result > best ? result : best;
        }
    }
    return best;
}

static bool has_layers(const struct match_host *host, const struct match_app *app)
{
    for (size_t i = 0; i < app->layer_count; i++) {
        bool is_active = false;

        for (size_t j = 0; j < host->layer_count; j++)
            is_active = is_active || strcmp(host->layers[j], app->layers[i]) == 0;
        if (!is_active)
            return false;
    }
    return true;
}

static enum match_result judge_unit(const struct unit *unit, int64_t now_s)
{
    if (unit->state != UNIT_OPEN || unit->copies_wanted == 0)
        return MATCH_NOT_WANTED;
    if (now_s != 0 && now_s < unit->not_before_s)
        return MATCH_NOT_YET;
    if (now_s != 0 && now_s >= unit->not_after_s)
        return MATCH_EXPIRED;
    return MATCH_YES;
}

static enum match_result judge_host(const struct unit *unit, const struct match_host *host,
                                    const struct match_app *app)
{
    if (app->is_revoked)
        return MATCH_REVOKED;
    if (app->is_untrusted)
        return MATCH_UNTRUSTED;
    if (app->is_too_large)
        return MATCH_TOO_LARGE;
    if (!has_layers(host, app))
        return MATCH_LAYERS;
    if (unit->memory_bytes > host->memory_bytes)
        return MATCH_MEMORY;
    if (unit_room_bytes(unit) > host->disk_bytes)
        return MATCH_DISK;
    if (!quorum_is_independent(unit, &host->identity, host->prefix))
        return MATCH_IDENTITY;
    return MATCH_YES;
}

enum match_result match_unit(const struct unit *unit, const struct match_host *host,
                             const struct match_app *app, int64_t now_s,
                             const struct match_variant **ret_variant)
{
    enum match_result result = judge_unit(unit, now_s);

    if (result == MATCH_YES)
        result = judge_host(unit, host, app);
    return result == MATCH_YES ? pick_variant(unit, host, app, ret_variant) : result;
}
