#include "operator/site_behind.h"

#include <inttypes.h>
#include <string.h>

#include "operator/publish.h"

static enum status keyring_path(const struct profile *profile, int64_t version,
                                struct disk_path *ret_path, struct error *err)
{
    return profile_path(profile, ret_path, err, "keyrings/%" PRId64 ".json", version);
}

enum status site_behind_keep(const struct profile *profile, const struct envelope *keyring,
                             int64_t version, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(freep) char *text = envelope_encode(keyring);
    struct disk_path folder, path;

    TRY(profile_path(profile, &folder, err, "keyrings"));
    TRY(disk->make_folder(disk, folder.text, 0700, err));
    TRY(keyring_path(profile, version, &path, err));
    return disk->write(disk, path.text, text, strlen(text), 0600, err);
}

static enum status publish_again(struct profile *profile, const struct envelope *keyring,
                                 struct error *err)
{
    struct published published = {0};

    TRY(publish_envelope(profile, "/v1/keyrings", keyring, PUBLISHED_KEYRING, &published, err));
    if (digest_equals(&published.digest, &profile->trust.project))
        return STATUS_OK;
    return error_set(err, STATUS_UNTRUSTED, "the site took the keyring for another project");
}

/* One that is not kept is left out: without it only a change of the root cannot be followed, and
 * the site says so then. */
static enum status publish_kept(struct profile *profile, int64_t version, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(envelope_clear) struct envelope keyring = {0};
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct disk_path path;
    enum status status;

    buffer_init(&content, ENVELOPE_MAX(ENVELOPE_KEYRING_MAX));
    TRY(keyring_path(profile, version, &path, err));
    status = disk->read(disk, path.text, &content, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    TRY(envelope_decode(buffer_text(&content), content.length, ENVELOPE_KEYRING_MAX, &keyring,
                        err));
    return publish_again(profile, &keyring, err);
}

enum status site_behind_mend(struct profile *profile, struct error *err)
{
    const struct trust *trust = &profile->trust;

    if (!profile->has_seen_site || digest_is_none(&trust->project) ||
        profile->site_keyring >= trust->keyring.version)
        return STATUS_OK;
    for (int64_t i = profile->site_keyring + 1; i < trust->keyring.version; i++)
        TRY(publish_kept(profile, i, err));
    TRY(publish_again(profile, &trust->keyring_envelope, err));
    profile->site_keyring = trust->keyring.version;
    return STATUS_OK;
}

void site_behind_say(struct profile *profile, const char *what)
{
    if (profile->has_said_behind)
        return;
    profile->has_said_behind = true;
    session_warn(profile->session,
                 "warning: the site lacks the newest %s that this profile knows: it was "
                 "restored from an older copy, or withholds it. What is published now is signed "
                 "above both; apps and batches that it lacks: 'app add' and 'submit' again, as "
                 "they were",
                 what);
}
