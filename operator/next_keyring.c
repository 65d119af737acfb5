#include "operator/next_keyring.h"

#include "operator/publish.h"

enum status next_keyring(const struct profile *profile, struct keyring *ret_keyring,
                         struct error *err)
{
    const struct envelope *newest = &profile->trust.keyring_envelope;
    struct env *env = profile->session->env;

    TRY(keyring_decode(newest->payload, newest->payload_length, ret_keyring, err));
    ret_keyring->version++;
    ret_keyring->issued_s = env->now_s(env);
    ret_keyring->expires_s = ret_keyring->issued_s + KEYRING_LIFE_S;
    return STATUS_OK;
}

void next_keyring_prolong(struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->publisher_count; i++)
        if (keyring_retired_s(keyring, &keyring->publishers[i].key) == INT64_MAX)
            keyring->publishers[i].not_after_s = keyring->expires_s;
}

/* Does the newest end within so many seconds, or has ended? */
static bool ends_within(const struct profile *profile, int64_t seconds)
{
    struct env *env = profile->session->env;

    return profile->trust.keyring.version > 0 &&
           profile->trust.keyring.expires_s - env->now_s(env) <= seconds;
}

bool next_keyring_is_due(const struct profile *profile)
{
    return ends_within(profile, KEYRING_RENEW_S);
}

enum status next_keyring_can_wait(const struct profile *profile, struct error *err)
{
    if (!ends_within(profile, 0))
        return STATUS_OK;
    return error_set(err, STATUS_CONFLICT,
                     "the project's keyring has expired: 'dugnad key publish' renews it");
}

void next_keyring_warn(const struct profile *profile, const struct options *options)
{
    const struct keyring *keyring = &profile->trust.keyring;

    if (ends_within(profile, KEYRING_WARN_S))
        session_say(profile->session, options,
                    "WARNING: keyring %lld, the newest that this profile knows, is valid until %s: "
                    "volunteers refuse work after it. 'dugnad key publish' renews it.",
                    (long long)keyring->version, shown_time(keyring->expires_s).text);
}
