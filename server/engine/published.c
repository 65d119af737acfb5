#include "server/engine/published.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/publishing.h"
#include "server/engine/token_table.h"

struct published_app {
    struct digest digest;
    struct app_version app;
};

struct published_facts {
    pthread_rwlock_t lock; /* over all that follows */
    struct token_table tokens;
    struct project_parts parts;
    struct trust trust;
    struct published_app *apps; /* owned */
    size_t app_count;
    struct published_stops stops;
};

static void read_lock(struct published_facts *published)
{
    if (pthread_rwlock_rdlock(&published->lock) != 0)
        abort();
}

static void write_lock(struct published_facts *published)
{
    if (pthread_rwlock_wrlock(&published->lock) != 0)
        abort();
}

static void unlock(struct published_facts *published)
{
    (void)pthread_rwlock_unlock(&published->lock);
}

/* The engine must not wait for ever while others read one after the other. */
static void lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;

    if (pthread_rwlockattr_init(&attributes) != 0 ||
        pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) !=
            0 ||
        pthread_rwlock_init(lock, &attributes) != 0)
        abort();
    (void)pthread_rwlockattr_destroy(&attributes);
}

struct published_facts *published_new(void)
{
    struct published_facts *published = must_alloc(1, sizeof *published);

    lock_init(&published->lock);
    published->parts.keyrings = text_copy("[]");
    published->parts.freshness = text_copy("null");
    published->parts.notices = text_copy("[]");
    return published;
}

void published_free(struct published_facts *published)
{
    if (published == NULL)
        return;
    token_table_clear(&published->tokens);
    project_parts_clear(&published->parts);
    trust_clear(&published->trust);
    for (size_t i = 0; i < published->app_count; i++)
        app_version_clear(&published->apps[i].app);
    free(published->apps);
    (void)pthread_rwlock_destroy(&published->lock);
    free(published);
}

bool published_find_credential(struct published_facts *published, const struct digest *token,
                               int64_t now_s, struct published_credential *ret_credential)
{
    const struct published_credential *found;
    bool is_found;

    read_lock(published);
    found = token_table_find(&published->tokens, token);
    is_found = found != NULL && (found->expires_s == 0 || now_s < found->expires_s);
    if (is_found)
        *ret_credential = *found;
    unlock(published);
    return is_found;
}

void published_put_credential(struct published_facts *published, const struct digest *token,
                              const struct published_credential *credential)
{
    write_lock(published);
    if (published->tokens.count >= PUBLISHED_TOKENS_MAX)
        token_table_clear(&published->tokens);
    token_table_put(&published->tokens, token, credential);
    unlock(published);
}

void published_forget_credential(struct published_facts *published, const struct digest *token)
{
    write_lock(published);
    token_table_forget(&published->tokens, token);
    unlock(published);
}

void published_forget_credentials(struct published_facts *published)
{
    write_lock(published);
    token_table_clear(&published->tokens);
    unlock(published);
}

void project_parts_clear(struct project_parts *parts)
{
    free(parts->keyrings);
    free(parts->freshness);
    free(parts->notices);
    *parts = (struct project_parts){0};
}

void published_project(struct published_facts *published, struct project_parts *ret_parts)
{
    read_lock(published);
    *ret_parts = published->parts;
    ret_parts->keyrings = text_copy(published->parts.keyrings);
    ret_parts->freshness = text_copy(published->parts.freshness);
    ret_parts->notices = text_copy(published->parts.notices);
    unlock(published);
}

void published_put_project(struct published_facts *published, struct project_parts *parts,
                           const struct trust *trust)
{
    CLEANUP(trust_clear) struct trust copy = {0};
    CLEANUP(project_parts_clear) struct project_parts old = {0};
    struct trust old_trust;

    trust_copy(trust, &copy);
    write_lock(published);
    old = published->parts;
    parts->generation = old.generation + 1;
    parts->work = old.work;
    published->parts = *parts;
    old_trust = published->trust;
    published->trust = copy;
    copy = old_trust;
    unlock(published);
    *parts = (struct project_parts){0};
}

void published_put_work(struct published_facts *published, const struct bulletin_work *work)
{
    write_lock(published);
    published->parts.work = *work;
    published->parts.generation++;
    unlock(published);
}

void published_put_stops(struct published_facts *published, const struct published_stops *stops)
{
    write_lock(published);
    published->stops = *stops;
    unlock(published);
}

struct published_stops published_stops(struct published_facts *published)
{
    struct published_stops stops;

    read_lock(published);
    stops = published->stops;
    unlock(published);
    return stops;
}

static const struct published_app *find_app(const struct published_facts *published,
                                            const struct digest *digest)
{
    for (size_t i = 0; i < published->app_count; i++)
        if (digest_equals(&published->apps[i].digest, digest))
            return &published->apps[i];
    return NULL;
}

static void add_app(struct published_facts *published, const struct published_app *app)
{
    published->apps =
        realloc(published->apps, (published->app_count + 1) * sizeof *published->apps);
    if (published->apps == NULL)
        abort();
    published->apps[published->app_count++] = *app;
}

void published_put_app(struct published_facts *published, const struct envelope *envelope)
{
    struct published_app app = {.digest = envelope->digest};

    write_lock(published);
    if (find_app(published, &app.digest) == NULL &&
        app_version_decode(envelope->payload, envelope->payload_length, &app.app, NULL) ==
            STATUS_OK)
        add_app(published, &app);
    unlock(published);
}

static enum status check_unit(struct published_facts *published, const struct digest *app_version,
                              const struct envelope *envelope, int64_t now_s,
                              struct work_unit *ret_unit, struct signer_set *ret_signers,
                              struct error *err)
{
    const struct published_app *app = find_app(published, app_version);
    struct trust_moment moment = {.purpose = TRUST_KEEP, .now_s = now_s};
    struct checked_app checked = {.digest = *app_version};
    enum refusal refusal;

    if (app == NULL)
        return error_set(err, STATUS_NOT_FOUND, "this site has no such app version");
    checked.app = &app->app;
    refusal = trust_admit_unit(&published->trust, envelope, &checked, &moment, ret_unit,
                               ret_signers, err);
    if (refusal == REFUSAL_NONE)
        return STATUS_OK;
    if (err != NULL)
        err->status = STATUS_UNTRUSTED;
    error_code(err, refusal_code(refusal));
    return STATUS_UNTRUSTED;
}

enum status published_check_unit(struct published_facts *published,
                                 const struct digest *app_version, const struct envelope *envelope,
                                 int64_t now_s, struct work_unit *ret_unit,
                                 struct signer_set *ret_signers, struct error *err)
{
    enum status status;

    read_lock(published);
    status = check_unit(published, app_version, envelope, now_s, ret_unit, ret_signers, err);
    unlock(published);
    return status;
}

static struct trust_moment moment_at(int64_t now_s)
{
    return (struct trust_moment){.purpose = now_s != 0 ? TRUST_KEEP : TRUST_FINISH, .now_s = now_s};
}

enum refusal published_check_app(struct published_facts *published, const struct envelope *envelope,
                                 int64_t now_s)
{
    CLEANUP(app_version_clear) struct app_version version = {0};
    const struct trust_moment moment = moment_at(now_s);
    enum refusal refusal;

    read_lock(published);
    refusal = trust_check_app_version(&published->trust, envelope, &moment, &version, NULL);
    unlock(published);
    return refusal;
}

enum refusal published_check_variant(struct published_facts *published,
                                     const struct digest *app_version,
                                     const struct envelope *envelope, int64_t now_s)
{
    CLEANUP(variant_clear) struct variant variant = {0};
    const struct trust_moment moment = moment_at(now_s);
    const struct published_app *app;
    enum refusal refusal = REFUSAL_NONE;

    read_lock(published);
    app = find_app(published, app_version);
    if (app != NULL) {
        const struct checked_app checked = {.digest = *app_version, .app = &app->app};

        refusal =
            trust_check_variant(&published->trust, envelope, &checked, &moment, &variant, NULL);
    }
    unlock(published);
    return refusal;
}

enum refusal published_check_signer(struct published_facts *published, int64_t signer,
                                    int64_t not_before_s, int64_t now_s)
{
    const struct trust_moment moment = moment_at(now_s);
    enum refusal refusal;

    read_lock(published);
    refusal = trust_check_signer(&published->trust, signer, not_before_s, &moment);
    unlock(published);
    return refusal;
}

enum refusal published_may_start(struct published_facts *published, int64_t now_s)
{
    enum refusal refusal;

    if (now_s == 0)
        return REFUSAL_NONE;
    read_lock(published);
    refusal = trust_may_start(&published->trust, now_s, NULL);
    unlock(published);
    return refusal;
}
