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

static enum refusal refuse(enum refused_kind what, enum refusal refusal, const char *json,
                           struct contact_refused *ret_refused)
{
    if (refusal != REFUSAL_NONE)
        *ret_refused = (struct contact_refused){.what = what, .refusal = refusal, .json = json};
    return refusal;
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

static enum status read_keyring(const char *text, struct envelope *ret_envelope,
                                int64_t *ret_version, struct contact_refused *ret_refused,
                                struct error *err)
{
    struct error why = {0};
    enum status status =
        envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, ret_envelope, &why);

    if (status == STATUS_OK)
        status = version_of(ret_envelope, ret_version, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    (void)refuse(REFUSED_KEYRING, refusal_from_error(&why), text, ret_refused);
    if (err != NULL)
        *err = why;
    return status;
}

enum status contact_check_newest(const struct project *project, int64_t version,
                                 struct contact_refused *ret_refused, struct error *err)
{
    struct contact_refused shown = {.what = REFUSED_KEYRING, .refusal = REFUSAL_KEYRING_ROLLBACK};
    int64_t newest = 0;

    for (size_t i = 0; i < project->keyrings.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        const char *text = project->keyrings.texts[i];
        int64_t its = 0;

        TRY(read_keyring(text, &envelope, &its, ret_refused, err));
        if (its <= newest)
            continue;
        newest = its;
        shown.json = text;
    }
    if (newest >= version)
        return STATUS_OK;
    *ret_refused = shown;
    return error_set(err, STATUS_UNTRUSTED,
                     "it shows keyring %lld of the project, and %lld is known", (long long)newest,
                     (long long)version);
}

static enum refusal take_keyring(struct trust *trust, const struct digest *pinned, const char *text,
                                 struct contact_refused *ret_refused, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    int64_t version;

    if (envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &envelope, err) != STATUS_OK)
        return refuse(REFUSED_KEYRING, refusal_from_error(err), text, ret_refused);
    if (digest_is_none(&trust->project))
        return refuse(REFUSED_KEYRING, trust_start(trust, pinned, &envelope, err), text,
                      ret_refused);
    if (version_of(&envelope, &version, err) != STATUS_OK)
        return refuse(REFUSED_KEYRING, refusal_from_error(err), text, ret_refused);
    if (version < trust->keyring.version)
        return REFUSAL_NONE; /* a step of the chain that was gone long ago */
    return refuse(REFUSED_KEYRING, trust_accept_keyring(trust, &envelope, err), text, ret_refused);
}

static enum refusal take_freshness(struct trust *trust, const char *text, int64_t now_s,
                                   struct contact_refused *ret_refused, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    enum refusal refusal;

    if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, err) != STATUS_OK)
        return refuse(REFUSED_FRESHNESS, refusal_from_error(err), text, ret_refused);
    refusal = refuse(REFUSED_FRESHNESS, trust_accept_freshness(trust, &envelope, now_s, err), text,
                     ret_refused);
    return refusal == REFUSAL_FRESHNESS_ROLLBACK ? REFUSAL_NONE : refusal;
}

enum refusal contact_take(struct trust *trust, const struct digest *pinned,
                          const struct project *project, int64_t now_s,
                          struct contact_refused *ret_refused, struct error *err)
{
    if (project->keyrings.count == 0) {
        (void)error_set(err, STATUS_NOT_FOUND, "nobody has published a keyring at this site yet");
        return REFUSAL_UNKNOWN_KEY;
    }
    for (size_t i = 0; i < project->keyrings.count; i++) {
        enum refusal refusal =
            take_keyring(trust, pinned, project->keyrings.texts[i], ret_refused, err);

        if (refusal != REFUSAL_NONE)
            return refusal;
    }
    if (project->freshness == NULL)
        return REFUSAL_NONE;
    return take_freshness(trust, project->freshness, now_s, ret_refused, err);
}
