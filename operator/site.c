#include "operator/site.h"

#include <string.h>

#include "operator/remote.h"
#include "operator/site_behind.h"

enum status site_ask_project(struct profile *profile, struct project *ret_project,
                             struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(project_clear) struct project project = {0};
    struct error why = {0};

    TRY(remote_get(profile, "/v1/project", PROJECT_MAX, &body, err));
    if (project_decode(buffer_text(&body), body.length, &project, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    if (!project_speaks(&project, PROTOCOL_VERSION))
        return error_set(err, STATUS_INVALID,
                         "the server does not speak version %d of the protocol: update one of both",
                         PROTOCOL_VERSION);
    *ret_project = project;
    project = (struct project){0};
    return STATUS_OK;
}

static enum status untrusted(const char *what, enum refusal refusal, const struct error *why,
                             struct error *err)
{
    const char *words = refusal_words(refusal);

    if (why->text[0] == '\0' || strcmp(why->text, words) == 0)
        return error_set(err, STATUS_UNTRUSTED, "%s: %s", what, words);
    return error_set(err, STATUS_UNTRUSTED, "%s: %s: %s", what, words, why->text);
}

/* They come in order of version: the last is the newest. */
static enum status note_keyring(struct profile *profile, const struct envelope *envelope,
                                struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};

    TRY(keyring_decode(envelope->payload, envelope->payload_length, &keyring, err));
    profile->site_keyring = keyring.version;
    return STATUS_OK;
}

static enum status follow_keyring(struct profile *profile, const char *text, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct trust *trust = &profile->trust;
    struct error why = {0};
    enum refusal refusal;

    TRY(envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, err));
    if (digest_is_none(&trust->project))
        refusal = trust_start(trust, &profile->project, &envelope, &why);
    else
        refusal = trust_accept_keyring(trust, &envelope, &why);
    /* A site lists the whole chain; what lies behind us is no news. */
    if (refusal == REFUSAL_NONE || refusal == REFUSAL_KEYRING_ROLLBACK)
        return note_keyring(profile, &envelope, err);
    return untrusted("the site's keyring does not hold", refusal, &why, err);
}

/*
 * An older freshness than ours is no reason to publish nothing: whoever can publish mends it. Ours
 * stays the one that counts, with all that it revokes.
 */
static enum status follow_freshness(struct profile *profile, const char *text, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct env *env = profile->session->env;
    struct error why = {0};
    enum refusal refusal;

    TRY(envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, err));
    refusal = trust_accept_freshness(&profile->trust, &envelope, env->now_s(env), &why);
    if (refusal == REFUSAL_FRESHNESS_ROLLBACK)
        site_behind_say(profile, "freshness");
    if (refusal == REFUSAL_NONE || refusal == REFUSAL_FRESHNESS_ROLLBACK)
        return STATUS_OK;
    return untrusted("the site's freshness does not hold", refusal, &why, err);
}

/* What it shows may be less than we know, never anything else. */
static enum status follow_all(struct profile *profile, const struct project *project,
                              struct error *err)
{
    profile->has_seen_site = true;
    profile->site_upload_max = project->upload_max;
    profile->site_keyring = 0;
    for (size_t i = 0; i < project->keyrings.count; i++)
        TRY(follow_keyring(profile, project->keyrings.texts[i], err));
    if (profile->site_keyring < profile->trust.keyring.version)
        site_behind_say(profile, "keyring");
    return project->freshness != NULL ? follow_freshness(profile, project->freshness, err)
                                      : STATUS_OK;
}

enum status site_follow(struct profile *profile, const struct project *project, struct error *err)
{
    bool is_unclaimed = digest_is_none(&project->project);

    if (is_unclaimed && digest_is_none(&profile->project))
        return STATUS_OK;
    if (is_unclaimed && !digest_is_none(&profile->trust.project))
        return follow_all(profile, project, err); /* a copy from before it was claimed */
    if (!digest_equals(&project->project, &profile->project))
        return error_set(err, STATUS_UNTRUSTED,
                         "the site carries another project than the one this profile pinned");
    return follow_all(profile, project, err);
}

static enum status refresh(struct profile *profile, struct error *err)
{
    CLEANUP(project_clear) struct project project = {0};

    TRY(site_ask_project(profile, &project, err));
    TRY(site_follow(profile, &project, err));
    if (digest_is_none(&profile->trust.project))
        return error_set(err, STATUS_NOT_FOUND,
                         "the project has no keyring yet: 'dugnad key init', then 'dugnad key "
                         "publish'");
    return profile_save_trust(profile, err);
}

/* Asked while it is held: an answer from before another command's would look like a rollback. */
enum status site_refresh(struct profile *profile, struct error *err)
{
    bool was_held = profile->lock != NULL;
    enum status status;

    TRY(profile_hold(profile, err));
    status = refresh(profile, err);
    if (!was_held)
        profile_release(profile);
    return status;
}
