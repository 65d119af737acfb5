#include <stdlib.h>
#include <string.h>

#include "common/json/members.h"
#include "common/json/profile.h"
#include "work-units/signers.h"
#include "work-units/trust.h"

#define STATE_TYPE  "dugnad-trust"
#define STATE_DEPTH 4 /* the state, an envelope, its signatures, a signature */

char *trust_encode(const struct trust *trust)
{
    json_t *freshness = trust->has_freshness ? envelope_to_json(&trust->freshness_envelope) : NULL;
    json_auto_t *root = json_pack("{s:s, s:o, s:o, s:o*, s:I}", "type", STATE_TYPE, "project",
                                  digest_to_json(&trust->project), "keyring",
                                  envelope_to_json(&trust->keyring_envelope), "freshness",
                                  freshness, "latest_signed", (json_int_t)trust->latest_signed_s);

    return profile_print(root);
}

struct state {
    struct digest project;
    json_t *keyring;
    json_t *freshness; /* NULL: none */
    int64_t latest_signed_s;
};

static enum status read_state(json_t *root, struct state *ret_state, struct error *err)
{
    struct members members;

    members_begin(&members, root, err);
    members_type(&members, STATE_TYPE);
    *ret_state = (struct state){.project = members_digest(&members, "project")};
    ret_state->keyring = members_json(&members, "keyring");
    if (members_has(&members, "freshness"))
        ret_state->freshness = members_json(&members, "freshness");
    ret_state->latest_signed_s = members_time(&members, "latest_signed");
    return members_end(&members);
}

static enum status untrusted(enum refusal refusal)
{
    return refusal == REFUSAL_NONE ? STATUS_OK : STATUS_UNTRUSTED;
}

/* The chain that led to the keyring is not kept: that was walked before it was stored. */
static enum status load_keyring(const struct state *state, struct trust *trust, struct error *err)
{
    struct keyring *keyring = &trust->keyring;

    TRY(envelope_from_json(state->keyring, ENVELOPE_KEYRING_MAX, &trust->keyring_envelope, err));
    if (strcmp(trust->keyring_envelope.type, KEYRING_TYPE) != 0)
        return untrusted(refuse(err, REFUSAL_MALFORMED));
    TRY(keyring_decode(trust->keyring_envelope.payload, trust->keyring_envelope.payload_length,
                       keyring, err));
    if (!root_set_signed(&keyring->root, &trust->keyring_envelope))
        return untrusted(refuse(err, REFUSAL_NOT_ENOUGH_ROOTS));
    if (keyring->version == 1 && !digest_equals(&trust->keyring_envelope.digest, &state->project))
        return untrusted(refuse(err, REFUSAL_OTHER_PROJECT));
    trust->project = state->project;
    trust->latest_signed_s = keyring->issued_s;
    return STATUS_OK;
}

static enum status load_freshness(const struct state *state, struct trust *trust, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {.type = ""};

    if (state->freshness == NULL)
        return STATUS_OK;
    TRY(envelope_from_json(state->freshness, ENVELOPE_PAYLOAD_MAX, &envelope, err));
    return untrusted(trust_restore_freshness(trust, &envelope, err));
}

enum status trust_decode(const char *bytes, size_t length, struct trust *ret_trust,
                         struct error *err)
{
    CLEANUP(trust_clear) struct trust trust = {.has_freshness = false};
    struct profile_limits limits = {.bytes = TRUST_STATE_MAX, .depth = STATE_DEPTH};
    json_auto_t *root = NULL;
    struct state state;

    TRY(profile_parse(bytes, length, &limits, &root, err));
    TRY(read_state(root, &state, err));
    TRY(load_keyring(&state, &trust, err));
    TRY(load_freshness(&state, &trust, err));
    if (state.latest_signed_s < trust.latest_signed_s)
        return untrusted(
            refuse_with(err, REFUSAL_BAD_NUMBER, "latest_signed is before what was signed"));
    trust.latest_signed_s = state.latest_signed_s;

    *ret_trust = trust;
    trust = (struct trust){.has_freshness = false};
    return STATUS_OK;
}

/* The state that trust writes of itself verifies when it is read: what was true stays so. */
void trust_copy(const struct trust *trust, struct trust *ret_copy)
{
    CLEANUP(freep) char *state = NULL;

    *ret_copy = (struct trust){0};
    if (digest_is_none(&trust->project))
        return;
    state = trust_encode(trust);
    if (trust_decode(state, strlen(state), ret_copy, NULL) != STATUS_OK)
        abort();
    signer_sets_copy(&trust->signer_sets, &ret_copy->signer_sets);
}
