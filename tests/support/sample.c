#include "tests/support/sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/messages.h"

#define BEFORE_S (SAMPLE_NOW_S - DAY_S)

static void make_keys(struct sample *sample)
{
    struct private_key *keys[] = {&sample->root[0], &sample->root[1], &sample->root[2],
                                  &sample->app,     &sample->work,    &sample->fresh,
                                  &sample->stranger};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct digest seed = digest_of(&i, sizeof i);

        private_key_from_seed(keys[i], seed.bytes);
    }
}

static struct publisher publisher_of(const struct private_key *key, enum publisher_role role)
{
    return (struct publisher){
        .key = key->public_key,
        .role = role,
        .not_before_s = BEFORE_S,
        .not_after_s = SAMPLE_NOW_S + 300 * DAY_S,
    };
}

static void make_keyring(struct sample *sample)
{
    struct keyring *keyring = &sample->keyring;

    *keyring = (struct keyring){
        .version = 1,
        .project = "A sample",
        .issued_s = BEFORE_S,
        .expires_s = SAMPLE_NOW_S + 300 * DAY_S,
        .root = {.threshold = 2, .key_count = 2},
        .publishers = must_alloc(3, sizeof *keyring->publishers),
        .publisher_count = 3,
        .tls_ca_count = 1,
        .tls_cas = {digest_of("ca", 2)},
    };
    keyring->root.keys[0] = sample->root[0].public_key;
    keyring->root.keys[1] = sample->root[1].public_key;
    keyring->publishers[0] = publisher_of(&sample->app, ROLE_APP);
    keyring->publishers[1] = publisher_of(&sample->work, ROLE_WORK);
    keyring->publishers[2] = publisher_of(&sample->fresh, ROLE_FRESH);
    texts_add(&keyring->publishers[0].apps, "primes");
    texts_add(&keyring->urls, "https://127.0.0.1:8443");
}

static void make_freshness(struct sample *sample, const struct envelope *keyring)
{
    sample->project = keyring->digest;
    sample->freshness = (struct freshness){
        .project = keyring->digest,
        .sequence = 1,
        .issued_s = BEFORE_S,
        .expires_s = SAMPLE_NOW_S + 14 * DAY_S,
        .keyring_version = 1,
        .keyring = keyring->digest,
    };
}

static const struct limits sample_limits = {
    .cores = 1,
    .memory_bytes = 1 << 29,
    .disk_bytes = 1 << 30,
    .output_bytes = 1 << 24,
    .cpu_s = 3600,
    .wall_s = 7200,
};

static void make_app_version(struct sample *sample)
{
    struct app_version *app = &sample->app_version;

    *app = (struct app_version){
        .project = sample->project,
        .name = {"primes"},
        .version = 1,
        .outputs = must_alloc(1, sizeof *app->outputs),
        .output_count = 1,
        .stdout_name = {"out"},
        .limits = sample_limits,
        .agreement = AGREEMENT_EXACT,
    };
    app->outputs[0] = (struct app_output){.name = {"out"}, .max_bytes = 1000};
    texts_add(&app->layers, "seccomp");
}

static void make_variant(struct sample *sample)
{
    struct variant *variant = &sample->variant;

    *variant = (struct variant){
        .project = sample->project,
        .app_version = sample->app_digest,
        .platform = {"x86_64-linux-gnu"},
        .runner = RUNNER_NATIVE,
        .class_name = {"x86_64-linux-gnu"},
        .entry = {"primes"},
        .files = must_alloc(1, sizeof *variant->files),
        .file_count = 1,
    };
    variant->files[0] = (struct variant_file){
        .name = {"primes"},
        .digest = digest_of("binary", 6),
        .size = 6,
        .executable = true,
    };
}

static void add_inputs(struct work_unit *unit)
{
    unit->input_count = 2;
    unit->inputs = must_alloc(2, sizeof *unit->inputs);
    unit->inputs[0] = (struct work_input){
        .name = {"data"},
        .digest = digest_of("data", 4),
        .size = 4,
    };
    unit->inputs[1] = (struct work_input){
        .name = {"note"},
        .is_inline = true,
        .bytes = text_copy("a note"),
        .size = 6,
        .digest = digest_of("a note", 6),
    };
}

static void make_unit(struct sample *sample)
{
    struct work_unit *unit = &sample->unit;

    *unit = (struct work_unit){
        .project = sample->project,
        .batch = {{0xba, 0x7c, 0x40}},
        .index = 7,
        .name = {"unit-7"},
        .seed = {1, 2, 3},
        .app_version = sample->app_digest,
        .limits = sample_limits,
        .declared_ops = 1000000,
        .acceptance = {.quorum = 2, .copies = 2, .max_failures = 5, .max_tasks = 10},
        .independence = INDEPENDENCE_VOLUNTEER,
        .data_class = DATA_PUBLIC,
        .deadline_s = 3600,
        .not_before_s = BEFORE_S,
        .not_after_s = SAMPLE_NOW_S + 30 * DAY_S,
        .keyring_version = 1,
    };
    add_inputs(unit);
    texts_add(&unit->arguments, "0");
    texts_add(&unit->arguments, "1000");
    unit->environment = must_alloc(1, sizeof *unit->environment);
    unit->environment[0] = (struct work_variable){.name = {"LANG"}, .value = text_copy("C")};
    unit->variable_count = 1;
}

void sample_init(struct sample *sample)
{
    CLEANUP(envelope_clear) struct envelope keyring = {.type = ""};
    CLEANUP(envelope_clear) struct envelope app = {.type = ""};

    *sample = (struct sample){.project = {{0}}};
    make_keys(sample);
    make_keyring(sample);
    keyring = sample_seal_keyring(sample);
    make_freshness(sample, &keyring);
    make_app_version(sample);
    app = sample_seal_app_version(sample);
    sample->app_digest = app.digest;
    make_variant(sample);
    make_unit(sample);
    sample->notice = (struct notice){
        .project = sample->project,
        .text = "Thank you\nall!",
        .issued_s = BEFORE_S,
        .until_s = SAMPLE_NOW_S + DAY_S,
    };
}

void sample_clear(struct sample *sample)
{
    for (size_t i = 0; i < 3; i++)
        private_key_clear(&sample->root[i]);
    private_key_clear(&sample->app);
    private_key_clear(&sample->work);
    private_key_clear(&sample->fresh);
    private_key_clear(&sample->stranger);
    keyring_clear(&sample->keyring);
    freshness_clear(&sample->freshness);
    app_version_clear(&sample->app_version);
    variant_clear(&sample->variant);
    work_unit_clear(&sample->unit);
}

static void sign(struct envelope *envelope, const struct private_key *key)
{
    enum status status = envelope_sign(envelope, key, NULL);

    assert(status == STATUS_OK);
    (void)status;
}

struct envelope sample_seal(const char *type, const char *payload, const struct private_key *key)
{
    struct envelope envelope;

    envelope_init(&envelope, type, payload, strlen(payload));
    sign(&envelope, key);
    return envelope;
}

struct envelope sample_seal_keyring(const struct sample *sample)
{
    CLEANUP(freep) char *payload = keyring_encode(&sample->keyring);
    struct envelope envelope = sample_seal(KEYRING_TYPE, payload, &sample->root[0]);

    sign(&envelope, &sample->root[1]);
    return envelope;
}

struct envelope sample_seal_freshness(const struct sample *sample)
{
    CLEANUP(freep) char *payload = freshness_encode(&sample->freshness);

    return sample_seal(FRESHNESS_TYPE, payload, &sample->fresh);
}

struct envelope sample_seal_app_version(const struct sample *sample)
{
    CLEANUP(freep) char *payload = app_version_encode(&sample->app_version);

    return sample_seal(APP_VERSION_TYPE, payload, &sample->app);
}

struct envelope sample_seal_variant(const struct sample *sample)
{
    CLEANUP(freep) char *payload = variant_encode(&sample->variant);

    return sample_seal(VARIANT_TYPE, payload, &sample->app);
}

struct envelope sample_seal_unit(const struct sample *sample)
{
    CLEANUP(freep) char *payload = work_unit_encode(&sample->unit);

    return sample_seal(WORK_UNIT_TYPE, payload, &sample->work);
}

struct envelope sample_seal_notice(const struct sample *sample)
{
    CLEANUP(freep) char *payload = notice_encode(&sample->notice);

    return sample_seal(NOTICE_TYPE, payload, &sample->work);
}

void sample_forge(const struct sample *sample, struct envelope *envelope,
                  const struct private_key *key)
{
    CLEANUP(envelope_clear)
    struct envelope theirs = sample_seal(envelope->type, envelope->payload, &sample->stranger);
    size_t i = 0;

    while (!public_key_equals(&envelope->signatures[i].hint, &key->public_key))
        assert(++i < envelope->signature_count);
    envelope->signatures[i].signature = theirs.signatures[0].signature;
}

void sample_trust(const struct sample *sample, struct trust *ret_trust)
{
    CLEANUP(envelope_clear) struct envelope keyring = sample_seal_keyring(sample);
    CLEANUP(envelope_clear) struct envelope freshness = sample_seal_freshness(sample);
    struct trust trust = {.has_freshness = false};
    enum refusal refusal = trust_start(&trust, &sample->project, &keyring, NULL);

    assert(refusal == REFUSAL_NONE);
    refusal = trust_accept_freshness(&trust, &freshness, SAMPLE_NOW_S, NULL);
    assert(refusal == REFUSAL_NONE);
    (void)refusal;
    *ret_trust = trust;
}

void sample_revoke_key(struct sample *sample, struct private_key *key, unsigned seed)
{
    struct keyring *keyring = &sample->keyring;
    struct key_end *ends = realloc(keyring->revoked, (keyring->revoked_count + 1) * sizeof *ends);
    struct public_key old = key->public_key;

    if (ends == NULL)
        abort();
    keyring->version++;
    keyring->issued_s = SAMPLE_NOW_S - 60;
    keyring->revoked = ends;
    ends[keyring->revoked_count++] = (struct key_end){.key = old, .at_s = keyring->issued_s};
    private_key_clear(key);
    *key = test_key(seed);
    for (size_t i = 0; i < keyring->publisher_count; i++)
        if (public_key_equals(&keyring->publishers[i].key, &old))
            keyring->publishers[i].key = key->public_key;
}
