#include "client/fetch/contact.h"

#include <string.h>

#include "common/base/text.h"
#include "common/http/url.h"

bool contact_is_listed(const struct keyring *keyring, const char *url)
{
    for (size_t i = 0; i < keyring->urls.count; i++)
        if (http_url_is_same_origin(keyring->urls.texts[i], url))
            return true;
    return false;
}

static enum status version_of(const struct envelope *envelope, int64_t *ret_version,
                              struct error *err)
{
    struct keyring keyring = {0};

    TRY(keyring_decode(envelope->payload, envelope->payload_length, &keyring, err));
    *ret_version = keyring.version;
    keyring_clear(&keyring);
    return STATUS_OK;
}

enum status contact_check_newest(const struct project *project, int64_t version, struct error *err)
{
    int64_t newest = 0;

    for (size_t i = 0; i < project->keyrings.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        const char *text = project->keyrings.texts[i];
        int64_t its = 0;

        TRY(envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, err));
        TRY(version_of(&envelope, &its, err));
        newest = its > newest ? its : newest;
    }
    if (newest >= version)
        return STATUS_OK;
    return error_set(err, STATUS_UNTRUSTED,
                     "it shows keyring %lld of the project, and %lld is known", (long long)newest,
                     (long long)version);
}

static enum refusal take_keyring(struct trust *trust, const struct digest *pinned, const char *text,
                                 char **ret_fork, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    enum refusal refusal;
    int64_t version;

    if (envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, err) != STATUS_OK)
        return REFUSAL_MALFORMED;
    if (digest_is_none(&trust->project))
        return trust_start(trust, pinned, &envelope, err);
    if (version_of(&envelope, &version, err) != STATUS_OK)
        return REFUSAL_MALFORMED;
    if (version < trust->keyring.version)
        return REFUSAL_NONE; /* a step of the chain that was gone long ago */
    refusal = trust_accept_keyring(trust, &envelope, err);
    if (refusal == REFUSAL_KEYRING_FORK)
        *ret_fork = text_copy(text);
    return refusal;
}

static enum refusal take_freshness(struct trust *trust, const char *text, int64_t now_s,
                                   struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    enum refusal refusal;

    if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, err) != STATUS_OK)
        return REFUSAL_MALFORMED;
    refusal = trust_accept_freshness(trust, &envelope, now_s, err);
    return refusal == REFUSAL_FRESHNESS_ROLLBACK ? REFUSAL_NONE : refusal;
}

enum refusal contact_take(struct trust *trust, const struct digest *pinned,
                          const struct project *project, int64_t now_s, char **ret_fork,
                          struct error *err)
{
    if (project->keyrings.count == 0) {
        (void)error_set(err, STATUS_NOT_FOUND, "nobody has published a keyring at this site yet");
        return REFUSAL_UNKNOWN_KEY;
    }
    for (size_t i = 0; i < project->keyrings.count; i++) {
        enum refusal refusal =
            take_keyring(trust, pinned, project->keyrings.texts[i], ret_fork, err);

        if (refusal != REFUSAL_NONE)
            return refusal;
    }
    if (project->freshness == NULL)
        return REFUSAL_NONE;
    return take_freshness(trust, project->freshness, now_s, err);
}
