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
