#include "operator/revocable.h"

#include <string.h>

#include "common/base/text.h"
#include "operator/apps.h"
#include "operator/keychain.h"
#include "operator/remote.h"
#include "protocol/batch.h"
#include "protocol/unit_status.h"

static enum status not_revocable(const char *what, struct error *err)
{
    return error_set(err, STATUS_INVALID, "\"%.40s\" is no role, key, digest or batch id", what);
}

enum status revocable_check(const char *what, struct error *err)
{
    struct public_key key;
    struct digest digest;
    struct batch_id batch;
    enum key_role role;

    if (text_starts_with(what, "ed25519:"))
        return public_key_parse(what, &key, err);
    if (key_role_parse(what, &role) || batch_parse(what, &batch) || digest_parse(what, &digest))
        return STATUS_OK;
    return not_revocable(what, err);
}

/* --- does the site know it? --- */

static enum status ask(struct profile *profile, const char *path, size_t max_bytes,
                       struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    enum status status = remote_get(profile, path, max_bytes, &body, err);

    if (status == STATUS_NOT_FOUND)
        profile->session->was_refused = false; /* the words about it are ours */
    return status;
}

static enum status ask_unit(struct profile *profile, const char *digest, struct error *err)
{
    CLEANUP(freep) char *path = text_format("/v1/units/%s", digest + strlen("sha256:"));

    return ask(profile, path, UNIT_STATUS_MAX, err);
}

static enum status ask_batch(struct profile *profile, const struct batch_id *batch,
                             struct error *err)
{
    CLEANUP(freep) char *path = text_format("/v1/batches/%s", batch_format(batch).text);

    return ask(profile, path, BATCH_REPLY_MAX, err);
}

/* A unit's digest taken for an app version's would revoke nothing, without a word. */
static enum status ask_app_version(struct profile *profile, const char *what,
                                   const struct digest *digest, struct error *err)
{
    enum status status = apps_know(profile, digest, err);

    if (status == STATUS_NOT_FOUND && ask_unit(profile, what, NULL) == STATUS_OK)
        return error_set(err, STATUS_INVALID, "that is the digest of a unit: say --unit");
    return status;
}

static enum status judge(enum status status, const struct revocable_search *search,
                         const char *noun, struct error *err)
{
    if (status != STATUS_NOT_FOUND)
        return status;
    if (search->may_be_unknown)
        return STATUS_OK;
    return error_set(err, STATUS_NOT_FOUND,
                     "the site knows no such %s, so nothing was revoked: mistyped? With --unknown "
                     "it is revoked all the same",
                     noun);
}

enum status revocable_find(struct profile *profile, const char *what,
                           const struct revocable_search *search, struct revocable *ret_thing,
                           struct error *err)
{
    *ret_thing = (struct revocable){0};
    if (batch_parse(what, &ret_thing->batch)) {
        ret_thing->revocations =
            (struct revocations){.batches = &ret_thing->batch, .batch_count = 1};
        return judge(ask_batch(profile, &ret_thing->batch, err), search, "batch", err);
    }
    if (!digest_parse(what, &ret_thing->digest))
        return not_revocable(what, err);
    if (search->is_unit) {
        ret_thing->revocations = (struct revocations){.units = &ret_thing->digest, .unit_count = 1};
        return judge(ask_unit(profile, what, err), search, "unit", err);
    }
    ret_thing->revocations =
        (struct revocations){.app_versions = &ret_thing->digest, .app_version_count = 1};
    return judge(ask_app_version(profile, what, &ret_thing->digest, err), search, "app version",
                 err);
}
