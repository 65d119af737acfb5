/* What of the store everybody may know: read, put into words, published. */
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "db/query.h"
#include "server/engine/publications.h"
#include "server/engine/publishing.h"

#define PARTS_MAX (8 * 1024 * 1024) /* bytes of a list of envelopes; 64 keyrings fit */
#define APPS_PAGE 100

/* Envelopes read one after the other. */
struct listing {
    struct buffer list; /* JSON */
    size_t count;
    enum status status;
    struct error *err;
};

static void listing_begin(struct listing *listing, struct error *err)
{
    *listing = (struct listing){.err = err};
    buffer_init(&listing->list, PARTS_MAX);
    listing->status = buffer_append_text(&listing->list, "[", err);
}

static void listing_clear(struct listing *listing)
{
    buffer_clear(&listing->list);
}

static void listing_add(struct listing *listing, struct span envelope)
{
    if (listing->status == STATUS_OK && listing->count++ > 0)
        listing->status = buffer_append_text(&listing->list, ",", listing->err);
    if (listing->status == STATUS_OK)
        listing->status =
            buffer_append(&listing->list, envelope.bytes, envelope.length, listing->err);
}

static enum status listing_end(struct listing *listing, char **ret_list)
{
    TRY(listing->status);
    TRY(buffer_append_text(&listing->list, "]", listing->err));
    *ret_list = buffer_take(&listing->list);
    return STATUS_OK;
}

static bool list_keyring(void *context, const struct keyring_view *view)
{
    listing_add(context, view->envelope);
    return true;
}

static enum status list_keyrings(struct engine *engine, char **ret_list, struct error *err)
{
    CLEANUP(listing_clear) struct listing listing;

    listing_begin(&listing, err);
    TRY(engine->store->query->keyrings(engine->store, 0, list_keyring, &listing, err));
    return listing_end(&listing, ret_list);
}

struct news {
    struct listing notices;
    int64_t first_end_s; /* of the notices; 0: none */
};

static bool take_news(void *context, const struct news_view *view)
{
    struct news *news = context;

    if (view->kind != NEWS_NOTICE || news->notices.count >= PUBLISHED_NOTICES_MAX)
        return true;
    listing_add(&news->notices, view->envelope);
    if (news->first_end_s == 0 || view->expires_s < news->first_end_s)
        news->first_end_s = view->expires_s;
    return true;
}

static enum status list_notices(struct engine *engine, char **ret_list, struct error *err)
{
    struct news news = {0};
    enum status status;

    listing_begin(&news.notices, err);
    status = engine->store->query->news(engine->store, clock_read(&engine->clock).now_s, take_news,
                                        &news, err);
    if (status == STATUS_OK)
        status = listing_end(&news.notices, ret_list);
    listing_clear(&news.notices);
    if (status == STATUS_OK)
        engine->notices_until_s = news.first_end_s;
    return status;
}

enum status publications_show_project(struct engine *engine, struct error *err)
{
    const struct trust *trust = &engine->trust;
    CLEANUP(project_parts_clear)
    struct project_parts parts = {.project = trust->project,
                                  .keyring_version = trust->keyring.version};

    TRY(list_keyrings(engine, &parts.keyrings, err));
    TRY(list_notices(engine, &parts.notices, err));
    if (trust->has_freshness) {
        parts.freshness_sequence = trust->freshness.sequence;
        parts.freshness = envelope_encode(&trust->freshness_envelope);
    } else {
        parts.freshness = text_copy("null");
    }
    published_put_project(engine->published, &parts, trust);
    engine->signer_sets_shown = trust->signer_sets.count;
    return STATUS_OK;
}

void signed_finish(struct cycle *cycle, struct solo *solo)
{
    struct engine *engine = cycle->engine;
    enum command_kind kind = solo->command->kind;
    struct error err;

    if (solo->has_trust) {
        trust_clear(&engine->trust);
        engine->trust = solo->trust;
        solo->trust = (struct trust){0};
        engine->trust_serial++;
        engine->has_revoked = true;
        engine->revoked_after = 0;
    }
    if (kind == COMMAND_APP_VERSION)
        published_put_app(engine->published, solo->command->publish.envelope);
    if (kind == COMMAND_VARIANT)
        apps_forget(&engine->apps, solo->app_version);
    if (kind != COMMAND_KEYRING && kind != COMMAND_FRESHNESS && kind != COMMAND_NOTICE &&
        engine->signer_sets_shown == engine->trust.signer_sets.count)
        return;
    if (publications_show_project(engine, &err) != STATUS_OK)
        log_failure(LOG_ERROR, "project.publish", &err);
}

/* ------------------------------------------------------------------------------------- at start */

struct loading {
    struct engine *engine;
    int64_t last; /* row of an app version */
    size_t rows;
    enum status status;
    struct error *err;
};

static enum status distrust(struct loading *loading, enum refusal refusal)
{
    if (refusal == REFUSAL_NONE)
        return STATUS_OK;
    (void)error_set(loading->err, STATUS_STORAGE,
                    "the site's own keyrings or freshness do not hold: %s", refusal_words(refusal));
    return STATUS_STORAGE;
}

static bool load_keyring(void *context, const struct keyring_view *view)
{
    struct loading *loading = context;
    struct trust *trust = &loading->engine->trust;
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    loading->status = envelope_decode(view->envelope.bytes, view->envelope.length,
                                      ENVELOPE_KEYRING_MAX, &envelope, loading->err);
    if (loading->status != STATUS_OK)
        return false;
    loading->status = distrust(loading, digest_is_none(&trust->project)
                                            ? trust_start(trust, &envelope.digest, &envelope, NULL)
                                            : trust_accept_keyring(trust, &envelope, NULL));
    return loading->status == STATUS_OK;
}

static bool load_freshness(void *context, const struct news_view *view)
{
    struct loading *loading = context;
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    if (view->kind != NEWS_FRESHNESS)
        return true;
    loading->status = envelope_decode(view->envelope.bytes, view->envelope.length,
                                      ENVELOPE_PAYLOAD_MAX, &envelope, loading->err);
    /* That of a key which was revoked since, holds no more: the site waits for the next one, as it
     * did before it was restarted. */
    if (loading->status == STATUS_OK &&
        trust_accept_freshness(&loading->engine->trust, &envelope, 0, NULL) != REFUSAL_NONE)
        loading->engine->trust.has_freshness = false;
    return loading->status == STATUS_OK;
}

static bool load_app(void *context, const struct app_version_view *view)
{
    struct loading *loading = context;
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    loading->last = view->id;
    loading->rows++;
    loading->status = envelope_decode(view->envelope.bytes, view->envelope.length,
                                      ENVELOPE_PAYLOAD_MAX, &envelope, loading->err);
    if (loading->status == STATUS_OK)
        published_put_app(loading->engine->published, &envelope);
    return loading->status == STATUS_OK;
}

static bool learn_signers(void *context, const struct signer_set *signers)
{
    struct engine *engine = context;

    return signers->count < 2 || trust_learn_signers(&engine->trust, signers);
}

static enum status load_signers(struct engine *engine, struct error *err)
{
    return engine->store->query->signer_sets(engine->store, learn_signers, engine, err);
}

enum status publications_learn_signers(struct engine *engine, struct error *err)
{
    TRY(load_signers(engine, err));
    return engine->trust.signer_sets.count > engine->signer_sets_shown
               ? publications_show_project(engine, err)
               : STATUS_OK;
}

enum status publications_load(struct engine *engine, struct error *err)
{
    const struct query_ops *query = engine->store->query;
    struct loading loading = {.engine = engine, .err = err};

    TRY(query->keyrings(engine->store, 0, load_keyring, &loading, err));
    TRY(loading.status);
    TRY(query->news(engine->store, clock_read(&engine->clock).now_s, load_freshness, &loading,
                    err));
    TRY(loading.status);
    do {
        loading.rows = 0;
        TRY(query->app_versions(engine->store, loading.last, APPS_PAGE, load_app, &loading, err));
        TRY(loading.status);
    } while (loading.rows == APPS_PAGE);
    TRY(load_signers(engine, err));
    return publications_show_project(engine, err);
}

/* Anew, and apart: what is there goes on being used if this fails. */
enum status publications_reload(struct engine *engine, struct error *err)
{
    struct trust before = engine->trust;
    enum status status;

    engine->trust = (struct trust){0};
    status = publications_load(engine, err);
    if (status != STATUS_OK) {
        trust_clear(&engine->trust);
        engine->trust = before;
        return status;
    }
    trust_clear(&before);
    engine->trust_serial++;
    apps_forget_all(&engine->apps);
    return STATUS_OK;
}
