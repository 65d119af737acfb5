/* work-units: each signed payload is read as it was written, and refused if it is anything else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/sample.h"

/* Decode into a struct that is thrown away, and encode it again: NULL if it is refused. */
typedef char *again_fn(const char *payload, size_t length, struct error *err);

#define DEFINE_AGAIN(kind, noun)                                                                   \
    static char *kind##_again(const char *payload, size_t length, struct error *err)               \
    {                                                                                              \
        CLEANUP(kind##_clear) struct noun thing;                                                   \
        memset(&thing, 0, sizeof thing);                                                           \
        if (kind##_decode(payload, length, &thing, err) != STATUS_OK)                              \
            return NULL;                                                                           \
        return kind##_encode(&thing);                                                              \
    }

static void notice_clear(struct notice *notice)
{
    (void)notice;
}

DEFINE_AGAIN(keyring, keyring)
DEFINE_AGAIN(app_version, app_version)
DEFINE_AGAIN(variant, variant)
DEFINE_AGAIN(work_unit, work_unit)
DEFINE_AGAIN(freshness, freshness)
DEFINE_AGAIN(notice, notice)

static struct sample sample;

static void set_up(void)
{
    sample_init(&sample);
}

static void tear_down(void)
{
    sample_clear(&sample);
}

TestSuite(manifests, .init = set_up, .fini = tear_down);

static void expect_round_trip(char *payload, again_fn *again)
{
    CLEANUP(freep) char *first = payload;
    struct error err = {.text = ""};
    CLEANUP(freep) char *second = again(first, strlen(first), &err);

    cr_assert(second != NULL, "%s\n%s", err.text, first);
    cr_expect(eq(str, second, first));
}

Test(manifests, what_is_written_is_read_and_written_alike)
{
    expect_round_trip(keyring_encode(&sample.keyring), keyring_again);
    expect_round_trip(app_version_encode(&sample.app_version), app_version_again);
    expect_round_trip(variant_encode(&sample.variant), variant_again);
    expect_round_trip(work_unit_encode(&sample.unit), work_unit_again);
    expect_round_trip(freshness_encode(&sample.freshness), freshness_again);
    expect_round_trip(notice_encode(&sample.notice), notice_again);
}

Test(manifests, optional_members_make_the_round_trip_as_well)
{
    struct digest digest = digest_of("x", 1);

    texts_clear(&sample.keyring.publishers[0].apps);
    sample.keyring.retired = must_alloc(1, sizeof(struct key_end));
    sample.keyring.retired[0] = (struct key_end){.key = sample.app.public_key, .at_s = 5};
    sample.keyring.retired_count = 1;
    sample.keyring.revoked = must_alloc(1, sizeof(struct key_end));
    sample.keyring.revoked[0] = (struct key_end){.key = sample.stranger.public_key, .at_s = 6};
    sample.keyring.revoked_count = 1;
    expect_round_trip(keyring_encode(&sample.keyring), keyring_again);

    sample.app_version.stdout_name.text[0] = '\0';
    expect_round_trip(app_version_encode(&sample.app_version), app_version_again);

    sample.variant.derived_from = digest;
    expect_round_trip(variant_encode(&sample.variant), variant_again);

    texts_add(&sample.unit.only.platforms, "x86_64-linux-gnu");
    texts_add(&sample.unit.only.organisations, "Universitetet i Oslo");
    sample.unit.independence = INDEPENDENCE_ORGANISATION;
    expect_round_trip(work_unit_encode(&sample.unit), work_unit_again);

    sample.freshness.units = must_alloc(1, sizeof digest);
    sample.freshness.units[0] = digest;
    sample.freshness.unit_count = 1;
    sample.freshness.batches = must_alloc(1, sizeof(struct batch_id));
    sample.freshness.batches[0] = sample.unit.batch;
    sample.freshness.batch_count = 1;
    expect_round_trip(freshness_encode(&sample.freshness), freshness_again);
}

Test(manifests, an_inline_input_has_its_digest_and_size)
{
    CLEANUP(freep) char *payload = work_unit_encode(&sample.unit);
    CLEANUP(work_unit_clear) struct work_unit unit = {.index = 0};
    const struct work_input *note;
    struct digest expected = digest_of("a note", 6);

    cr_assert(eq(int, work_unit_decode(payload, strlen(payload), &unit, NULL), STATUS_OK));
    note = work_unit_input(&unit, "note");
    cr_assert(note != NULL);
    cr_expect(eq(i64, note->size, 6));
    cr_expect(eq(str, note->bytes, "a note"));
    cr_expect(digest_equals(&note->digest, &expected));
    cr_expect(work_unit_input(&unit, "none") == NULL);
}

/*
 * One change to a good payload: at `path` ("inputs.0.name"), the JSON value put there, or NULL to
 * take the member out; and what the decoder has to say of it.
 */
struct change {
    const char *path, *value, *code;
};

/* The container that holds the last name of the path. */
static json_t *walk(json_t *root, const char *path, char ret_last[64])
{
    const char *dot;

    while ((dot = strchr(path, '.')) != NULL) {
        CLEANUP(freep) char *name = text_copy_n(path, (size_t)(dot - path));

        root = json_is_array(root) ? json_array_get(root, (size_t)atoi(name))
                                   : json_object_get(root, name);
        cr_assert(root != NULL, "no %s", name);
        path = dot + 1;
    }
    cr_assert(text_fit(ret_last, 64, path));
    return root;
}

static char *changed(const char *payload, const struct change *change)
{
    json_auto_t *root = json_loads(payload, 0, NULL);
    char last[64];
    json_t *holder = walk(root, change->path, last);
    json_t *value = NULL;

    if (change->value == NULL) {
        cr_assert(zero(int, json_object_del(holder, last)), "%s", change->path);
        return json_dumps(root, JSON_COMPACT);
    }
    value = json_loads(change->value, JSON_DECODE_ANY, NULL);
    cr_assert(value != NULL, "%s", change->value);
    if (json_is_array(holder) && (size_t)atoi(last) < json_array_size(holder))
        (void)json_array_set_new(holder, (size_t)atoi(last), value);
    else if (json_is_array(holder))
        (void)json_array_append_new(holder, value);
    else
        (void)json_object_set_new(holder, last, value);
    return json_dumps(root, JSON_COMPACT);
}

static void expect_refused(char *payload, again_fn *again, const struct change *changes)
{
    CLEANUP(freep) char *good = payload;

    for (; changes->path != NULL; changes++) {
        struct error err = {.text = "nothing", .code = "ok"};
        CLEANUP(freep) char *bad = changed(good, changes);
        CLEANUP(freep) char *read = again(bad, strlen(bad), &err);
        const char *code = changes->code != NULL ? changes->code : "malformed";

        cr_expect(eq(str, (char *)err.code, (char *)code), "%s := %s: %s", changes->path,
                  changes->value != NULL ? changes->value : "(absent)", err.text);
        cr_expect(eq(int, read != NULL, strcmp(code, "ok") == 0));
        cr_expect(strcmp(code, "ok") == 0 || refusal_from_error(&err) != REFUSAL_COUNT);
    }
}

/* Taking out any member that is not optional, or adding one, is refused: for every object. */
static void expect_exact_members(char *payload, again_fn *again, const char *const *objects,
                                 const char *const *optional)
{
    CLEANUP(freep) char *good = payload;

    for (; *objects != NULL; objects++) {
        json_auto_t *root = json_loads(good, 0, NULL);
        CLEANUP(freep) char *probe = text_format("%s%sx", *objects, **objects ? "." : "");
        struct change extra[] = {{probe, "1", "unknown-member"}, {NULL, NULL, NULL}};
        char last[64];
        const char *name;
        json_t *value;

        expect_refused(text_copy(good), again, extra);
        json_object_foreach(walk(root, probe, last), name, value)
        {
            CLEANUP(freep) char *path = text_format("%s%s%s", *objects, **objects ? "." : "", name);
            struct change gone[] = {{path, NULL, "malformed"}, {NULL, NULL, NULL}};
            struct change null[] = {{path, "null", "malformed"}, {NULL, NULL, NULL}};
            bool is_optional = false;

            for (const char *const *each = optional; *each != NULL; each++)
                is_optional = is_optional || strcmp(*each, path) == 0;
            if (!is_optional)
                expect_refused(text_copy(good), again, gone);
            if (strcmp(name, "name") != 0 && strcmp(name, "entry") != 0 &&
                strcmp(name, "stdout") != 0)
                expect_refused(text_copy(good), again, null);
        }
    }
}

static const char *const none[] = {NULL};

Test(manifests, a_keyring_has_exactly_its_members)
{
    static const char *const objects[] = {"", "root", "publishers.0", "publishers.1", NULL};
    static const char *const optional[] = {"publishers.0.apps", NULL};

    expect_exact_members(keyring_encode(&sample.keyring), keyring_again, objects, optional);
}

Test(manifests, an_app_version_has_exactly_its_members)
{
    static const char *const objects[] = {"", "outputs.0", "limits", "agreement", NULL};
    static const char *const optional[] = {"stdout", NULL};

    expect_exact_members(app_version_encode(&sample.app_version), app_version_again, objects,
                         optional);
}

Test(manifests, a_variant_has_exactly_its_members)
{
    static const char *const objects[] = {"", "files.0", NULL};

    expect_exact_members(variant_encode(&sample.variant), variant_again, objects, none);
}

Test(manifests, a_unit_has_exactly_its_members)
{
    static const char *const objects[] = {"",       "inputs.0",   "inputs.1", "environment.0",
                                          "limits", "acceptance", NULL};

    expect_exact_members(work_unit_encode(&sample.unit), work_unit_again, objects, none);
}

Test(manifests, a_freshness_and_a_notice_have_exactly_their_members)
{
    static const char *const objects[] = {"", "revoked", NULL};
    static const char *const flat[] = {"", NULL};

    expect_exact_members(freshness_encode(&sample.freshness), freshness_again, objects, none);
    expect_exact_members(notice_encode(&sample.notice), notice_again, flat, none);
}

#define KEY_SMALL "\"ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""

Test(manifests, a_keyring_outside_its_limits_is_refused)
{
    static const struct change changes[] = {
        {"type", "\"application/vnd.dugnad.notice+json\"", NULL},
        {"version", "0", "bad-number"},
        {"version", "9007199254740992", "bad-number"},
        {"version", "\"1\"", NULL},
        {"project", "\"\"", NULL},
        {"project", "\"a\\nb\"", NULL},
        {"project", "\"a\\u202eb\"", NULL},
        {"expires", "1767139200", "bad-number"}, /* when it was issued */
        {"expires", "1767139201", "ok"},
        {"expires", "1801699200", "ok"}, /* 400 days */
        {"expires", "1801699201", "bad-number"},
        {"root.threshold", "0", "bad-number"},
        {"root.threshold", "3", "bad-number"},
        {"root.keys", "[]", NULL},
        {"root.keys.0", KEY_SMALL, "small-order-key"},
        {"publishers.0.key", KEY_SMALL, "small-order-key"},
        {"publishers.0.key", "\"ed25519:AAAA\"", NULL},
        {"publishers.0.role", "\"root\"", NULL},
        {"publishers.0.apps", "[]", NULL},
        {"publishers.0.apps", "[\"Primes\"]", NULL},
        {"publishers.0.apps", "[\"a\", \"a\"]", NULL},
        {"publishers.1.apps", "[\"primes\"]", NULL},
        {"publishers.0.not_after", "1", "bad-number"},
        {"publishers.0.not_before", "-1", "bad-number"},
        {"publishers", "[]", "ok"},
        {"publishers", "{}", NULL},
        {"retired", "[{\"key\": " KEY_SMALL ", \"at\": 1}]", "small-order-key"},
        {"urls", "[\"http://grid.example\"]", NULL},
        {"urls", "[\"https://\"]", NULL},
        {"urls", "[\"https://grid.example/#x\"]", NULL},
        {"urls", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", NULL},
        {"tls_cas.0", "\"sha256:AB\"", NULL},
        {NULL, NULL, NULL},
    };

    expect_refused(keyring_encode(&sample.keyring), keyring_again, changes);
}

Test(manifests, one_key_has_one_role)
{
    struct keyring *keyring = &sample.keyring;
    struct public_key work = keyring->publishers[1].key;
    struct error err;
    CLEANUP(freep) char *twice = NULL, *root = NULL, *retired = NULL, *revoked = NULL;

    keyring->publishers[1].key = keyring->publishers[0].key;
    twice = keyring_encode(keyring);
    cr_expect(keyring_again(twice, strlen(twice), &err) == NULL);
    cr_expect(eq(str, err.text, "publishers[1].key has another role already"));

    keyring->publishers[1].key = keyring->root.keys[1];
    root = keyring_encode(keyring);
    cr_expect(keyring_again(root, strlen(root), &err) == NULL);

    keyring->publishers[1].key = work;
    keyring->retired = must_alloc(1, sizeof(struct key_end));
    keyring->retired[0].key = sample.stranger.public_key;
    keyring->retired_count = 1;
    retired = keyring_encode(keyring);
    cr_expect(keyring_again(retired, strlen(retired), &err) == NULL);
    cr_expect(eq(str, err.text, "retired has a key that is no publisher's"));

    keyring->retired_count = 0;
    keyring->revoked = must_alloc(1, sizeof(struct key_end));
    keyring->revoked[0].key = keyring->root.keys[0];
    keyring->revoked_count = 1;
    revoked = keyring_encode(keyring);
    cr_expect(keyring_again(revoked, strlen(revoked), &err) == NULL);
    cr_expect(eq(str, err.text, "revoked has a root key"));
}

Test(manifests, an_app_version_outside_its_limits_is_refused)
{
    static const struct change changes[] = {
        {"name", "\"Primes\"", NULL},
        {"name", "\"\"", NULL},
        {"name", "\"-x\"", NULL},
        {"version", "0", "bad-number"},
        {"outputs", "[]", NULL},
        {"outputs.0.name", "\"../out\"", "bad-file-name"},
        {"outputs.0.name", "\".out\"", "bad-file-name"},
        {"outputs.0.name", "\"\"", "bad-file-name"},
        {"outputs.1", "{\"name\": \"OUT\", \"max_bytes\": 1}", "bad-file-name"},
        {"outputs.1", "{\"name\": \"other\", \"max_bytes\": 1}", "ok"},
        {"outputs.0.max_bytes", "-1", "bad-number"},
        {"stdout", "\"other\"", "bad-file-name"},
        {"limits.cores", "0", "bad-number"},
        {"limits.cores", "1025", "bad-number"},
        {"limits.memory_bytes", "0", "bad-number"},
        {"limits.wall_s", "0", "bad-number"},
        {"agreement.rule", "\"majority\"", NULL},
        {"layers.0", "\"No Words\"", NULL},
        {"project", "\"sha256:\"", NULL},
        {NULL, NULL, NULL},
    };

    expect_refused(app_version_encode(&sample.app_version), app_version_again, changes);
}

Test(manifests, a_variant_outside_its_limits_is_refused)
{
    static const struct change changes[] = {
        {"platform", "\"wasm32-wasi\"", NULL},
        {"runner", "\"wasm\"", NULL},
        {"runner", "\"docker\"", NULL},
        {"entry", "\"other\"", "bad-file-name"},
        {"entry", "\"/bin/sh\"", "bad-file-name"},
        {"files", "[]", NULL},
        {"files.0.executable", "false", NULL},
        {"files.0.executable", "1", NULL},
        {"files.0.size", "-1", "bad-number"},
        {"files.0.size", "1099511627777", "bad-number"},
        {"files.0.digest", "\"\"", NULL},
        {"arguments", "[\"a\\u0007\"]", NULL},
        {"arguments", "[7]", NULL},
        {"class", "\"\"", NULL},
        {"derived_from", "\"\"", NULL},
        {NULL, NULL, NULL},
    };

    expect_refused(variant_encode(&sample.variant), variant_again, changes);
}

Test(manifests, a_unit_outside_its_limits_is_refused)
{
    static const struct change changes[] = {
        {"batch", "\"BA7C4000000000000000000000000000\"", NULL},
        {"batch", "\"ba7c\"", NULL},
        {"seed", "\"\"", NULL},
        {"index", "-1", "bad-number"},
        {"name", "\"a/b\"", "bad-file-name"},
        {"name", "\"..\"", "bad-file-name"},
        {"inputs.0.name", "\"NOTE\"", "bad-file-name"},
        {"inputs.0.size", "-1", "bad-number"},
        {"inputs.1.size", "6", "unknown-member"},
        {"inputs.1.inline", "\"YSBub3Rl=\"", NULL},
        {"arguments.0", "\"\\u2066\"", NULL},
        {"environment.0.name", "\"LD_PRELOAD\"", NULL},
        {"environment.0.name", "\"DUGNAD_X\"", NULL},
        {"environment.0.name", "\"lang\"", NULL},
        {"environment.0.name", "\"A=B\"", NULL},
        {"environment.1", "{\"name\": \"LANG\", \"value\": \"\"}", NULL},
        {"declared_ops", "9007199254740992", "bad-number"},
        {"acceptance.rule", "\"none\"", NULL},
        {"acceptance.quorum", "0", "bad-number"},
        {"acceptance.quorum", "1", "ok"},
        {"acceptance.quorum", "3", "bad-number"},
        {"acceptance.copies", "11", "bad-number"},
        {"acceptance.max_tasks", "17", "bad-number"},
        {"acceptance.max_failures", "-1", "bad-number"},
        {"independence", "\"none\"", NULL},
        {"only", "{}", NULL},
        {"only", "null", NULL},
        {"data_class", "\"secret\"", NULL},
        {"deadline_s", "0", "bad-number"},
        {"not_after", "1767139200", "bad-number"},
        {"not_after", "1801699200", "ok"},
        {"not_after", "1801699201", "bad-number"},
        {"keyring", "0", "bad-number"},
        {NULL, NULL, NULL},
    };

    expect_refused(work_unit_encode(&sample.unit), work_unit_again, changes);
}

Test(manifests, a_freshness_or_notice_outside_its_limits_is_refused)
{
    static const struct change freshness[] = {
        {"sequence", "0", "bad-number"},          {"expires", "1772323200", "ok"}, /* 60 days */
        {"expires", "1772323201", "bad-number"},  {"expires", "1767139200", "bad-number"},
        {"keyring_version", "0", "bad-number"},   {"revoked.batches", "[\"x\"]", NULL},
        {"revoked.units", "[\"sha256:\"]", NULL}, {NULL, NULL, NULL},
    };
    static const struct change notice[] = {
        {"text", "\"\"", NULL},
        {"text", "\"\\u001b[2J\"", NULL},
        {"until", "1767139200", "bad-number"},
        {NULL, NULL, NULL},
    };

    expect_refused(freshness_encode(&sample.freshness), freshness_again, freshness);
    expect_refused(notice_encode(&sample.notice), notice_again, notice);
}

Test(manifests, a_unit_of_more_than_64_kib_is_refused)
{
    CLEANUP(freep) char *filler = must_alloc(ARGUMENT_MAX + 1, 1);
    CLEANUP(freep) char *payload = NULL;
    struct error err;

    memset(filler, 'x', ARGUMENT_MAX);
    for (int i = 0; i < 16; i++)
        texts_add(&sample.unit.arguments, filler);
    payload = work_unit_encode(&sample.unit);
    cr_expect(work_unit_again(payload, strlen(payload), &err) == NULL);
    cr_expect(eq(int, err.status, STATUS_TOO_LARGE));
}

Test(manifests, every_refusal_has_a_code_and_words_of_its_own)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        cr_expect(eq(int, refusal_from_code(refusal_code((enum refusal)i)), i));
        cr_expect(lt(sz, 10, strlen(refusal_words((enum refusal)i))));
    }
    cr_expect(eq(int, refusal_from_code("no such code"), REFUSAL_COUNT));
}
