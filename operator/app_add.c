/* dugnad app add: sign an app version and its variants, send their files, publish them. */
#include <string.h>

#include "operator/apps.h"
#include "operator/next_keyring.h"
#include "operator/publish.h"
#include "operator/remote.h"
#include "operator/site.h"
#include "operator/site_behind.h"
#include "operator/variant_draft.h"
#include "operator/verbs.h"

#define MIB            (INT64_C(1) << 20)
#define OUTPUT_DEFAULT (16 * MIB)
#define STDOUT_NAME    "stdout"

struct adding {
    struct keychain *keychain; /* borrowed */
    const struct options *options;
    struct app_version app;
    struct variant_drafts variants;
    struct digest digest; /* of the app version, once published */
    bool is_new_version;  /* false: the newest version is the same */
    bool is_unsigned;     /* and what signed it does not count any more: it is signed anew */
    bool is_new;          /* something is published */
};

static void adding_clear(struct adding *adding)
{
    variant_drafts_clear(&adding->variants);
    app_version_clear(&adding->app);
}

/* --- the app version --- */

/* NAME[:MAX] */
static enum status add_output(struct app_version *app, const char *text, struct error *err)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    struct app_output output = {.max_bytes = OUTPUT_DEFAULT};

    if (app->output_count == APP_OUTPUTS_MAX)
        return error_set(err, STATUS_INVALID, "an app has at most %d outputs", APP_OUTPUTS_MAX);
    if (length > TEXT_FILE_NAME_MAX)
        length = 0;
    memcpy(output.name.text, text, length);
    if (!text_is_file_name(output.name.text))
        return error_set(err, STATUS_INVALID,
                         "--output %.60s: a name has letters, digits, '.', '_', '-', up to %d",
                         text, TEXT_FILE_NAME_MAX);
    for (size_t i = 0; i < app->output_count; i++)
        if (strcmp(app->outputs[i].name.text, output.name.text) == 0)
            return error_set(err, STATUS_INVALID, "output %s is given twice", output.name.text);
    if (colon != NULL && !text_to_bytes(colon + 1, LIMITS_BYTES_MAX, &output.max_bytes))
        return error_set(err, STATUS_INVALID, "--output %.60s: after ':' stands a size like 64M",
                         text);
    app->outputs[app->output_count++] = output;
    return STATUS_OK;
}

static enum status add_outputs(struct adding *adding, struct error *err)
{
    struct app_version *app = &adding->app;
    const char *text;

    app->outputs = must_alloc(APP_OUTPUTS_MAX, sizeof *app->outputs);
    for (size_t i = 0; (text = options_nth(adding->options, "output", i)) != NULL; i++)
        TRY(add_output(app, text, err));
    text = options_text(adding->options, "stdout");
    if (text == NULL && app->output_count == 0)
        text = STDOUT_NAME;
    if (text == NULL)
        return STATUS_OK;
    TRY(add_output(app, text, err));
    app->stdout_name = app->outputs[app->output_count - 1].name;
    return STATUS_OK;
}

static enum status set_limits(struct adding *adding, struct error *err)
{
    const struct options *options = adding->options;
    struct limits *limits = &adding->app.limits;
    int64_t all_outputs = 0;

    for (size_t i = 0; i < adding->app.output_count; i++)
        all_outputs += adding->app.outputs[i].max_bytes;
    TRY(options_integer(options, "cores", 1, LIMITS_CORES_MAX, 1, &limits->cores, err));
    TRY(options_bytes(options, "memory", 1, LIMITS_BYTES_MAX, 512 * MIB, &limits->memory_bytes,
                      err));
    TRY(options_bytes(options, "disk", 0, LIMITS_BYTES_MAX, 1024 * MIB, &limits->disk_bytes, err));
    TRY(options_bytes(options, "output-size", 0, LIMITS_BYTES_MAX,
                      all_outputs < LIMITS_BYTES_MAX ? all_outputs : LIMITS_BYTES_MAX,
                      &limits->output_bytes, err));
    TRY(options_seconds(options, "cpu-time", 1, LIMITS_SECONDS_MAX, DAY_S, &limits->cpu_s, err));
    return options_seconds(options, "wall-time", 1, LIMITS_SECONDS_MAX, 2 * limits->cpu_s,
                           &limits->wall_s, err);
}

static enum status add_layer(struct app_version *app, const char *text, struct error *err)
{
    CLEANUP(freep) char *shown = text_sanitised(text);

    if (!text_is_word(text))
        return error_set(
            err, STATUS_INVALID,
            "--layer %.60s: a layer has small letters, digits, '.', '_', '-', up to %d", shown,
            WORD_MAX);
    for (size_t i = 0; i < app->layers.count; i++)
        if (strcmp(app->layers.texts[i], text) == 0)
            return error_set(err, STATUS_INVALID, "--layer %s is given twice", text);
    if (app->layers.count == APP_LAYERS_MAX)
        return error_set(err, STATUS_INVALID, "--layer is given at most %d times", APP_LAYERS_MAX);
    texts_add(&app->layers, text);
    return STATUS_OK;
}

static enum status describe_app(struct adding *adding, struct error *err)
{
    const char *name = adding->options->operands[0];
    const char *layer;

    if (!text_is_word(name))
        return error_set(err, STATUS_INVALID,
                         "an app's name has small letters, digits, '.', '_', '-', up to %d",
                         WORD_MAX);
    memcpy(adding->app.name.text, name, strlen(name) + 1);
    adding->app.agreement = AGREEMENT_EXACT;
    for (size_t i = 0; (layer = options_nth(adding->options, "layer", i)) != NULL; i++)
        TRY(add_layer(&adding->app, layer, err));
    TRY(add_outputs(adding, err));
    return set_limits(adding, err);
}

/* --- publishing --- */

static enum status sign(const char *type, const char *payload, const struct private_key *key,
                        struct envelope *ret_envelope, struct error *err)
{
    envelope_init(ret_envelope, type, payload, strlen(payload));
    return envelope_sign(ret_envelope, key, err);
}

static enum status publish_variant(const struct adding *adding, const struct variant_draft *draft,
                                   const struct private_key *key, struct error *err)
{
    CLEANUP(variant_clear) struct variant variant = {0}, again = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *payload = NULL;
    struct published published;

    TRY(variant_draft_fill(&adding->variants, draft, &adding->app, &adding->digest, &variant, err));
    payload = variant_encode(&variant);
    TRY(variant_decode(payload, strlen(payload), &again, err));
    TRY(sign(VARIANT_TYPE, payload, key, &envelope, err));
    return publish_envelope(adding->keychain->profile, "/v1/variants", &envelope, PUBLISHED_VARIANT,
                            &published, err);
}

static enum variant_standing look_up(const struct adding *adding, const struct known_app *known,
                                     const struct variant_draft *draft)
{
    CLEANUP(variant_clear) struct variant mine = {0};
    CLEANUP(freep) char *payload = NULL;
    struct digest digest;

    if (variant_draft_fill(&adding->variants, draft, &adding->app, &adding->digest, &mine, NULL) !=
        STATUS_OK)
        return VARIANT_DIFFERS;
    payload = variant_encode(&mine);
    digest = envelope_identity(VARIANT_TYPE, payload, strlen(payload));
    return known_app_variant(adding->keychain->profile, known, draft->platform.text, &digest);
}

/* The same contract, and no other program for a platform that it has: what an attempt that was cut
 * short left out, or a further platform, is added to the version that is there. */
static bool goes_on(struct adding *adding, const struct known_app *known)
{
    bool fits = known_app_is_like(known, &adding->app);

    for (size_t i = 0; i < adding->variants.count && fits; i++) {
        enum variant_standing standing = look_up(adding, known, &adding->variants.drafts[i]);

        adding->variants.drafts[i].is_there = standing == VARIANT_IS_THERE;
        fits = standing != VARIANT_DIFFERS;
    }
    return fits;
}

/* The same contract with the same programs needs no new version: `app add` may be repeated. */
static enum status choose_version(struct adding *adding, struct error *err)
{
    CLEANUP(known_app_clear) struct known_app known = {0};
    enum status status =
        apps_find_any(adding->keychain->profile, adding->app.name.text, &known, err);

    adding->app.version = 1;
    adding->is_new = adding->is_new_version = true;
    if (status == STATUS_NOT_FOUND && !adding->keychain->profile->session->was_refused)
        return STATUS_OK;
    TRY(status);
    adding->digest = known.envelope.digest;
    adding->is_new_version = known.standing == APP_WITHDRAWN || !goes_on(adding, &known);
    adding->app.version = known.app.version + adding->is_new_version;
    adding->is_unsigned = !adding->is_new_version && known.standing == APP_UNSIGNED;
    adding->is_new = adding->is_new_version || adding->is_unsigned;
    for (size_t i = 0; i < adding->variants.count; i++) {
        if (adding->is_new_version)
            adding->variants.drafts[i].is_there = false;
        adding->is_new = adding->is_new || !adding->variants.drafts[i].is_there;
    }
    return STATUS_OK;
}

static enum status publish_app(struct adding *adding, const struct private_key *key,
                               struct error *err)
{
    CLEANUP(app_version_clear) struct app_version again = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *payload = app_version_encode(&adding->app);
    struct published published;

    TRY(app_version_decode(payload, strlen(payload), &again, err));
    TRY(sign(APP_VERSION_TYPE, payload, key, &envelope, err));
    TRY(publish_envelope(adding->keychain->profile, "/v1/app-versions", &envelope,
                         PUBLISHED_APP_VERSION, &published, err));
    adding->digest = envelope.digest;
    return STATUS_OK;
}

/* A site takes no app for a project that is stale: what `submit` renews each time is renewed here
 * when it has to be. */
static enum status freshen(struct adding *adding, struct error *err)
{
    struct profile *profile = adding->keychain->profile;
    struct env *env = profile->session->env;
    CLEANUP(private_key_clear) struct private_key fresh = {0};
    static const struct revocations nothing = {0};

    if (trust_may_start(&profile->trust, env->now_s(env), NULL) == REFUSAL_NONE)
        return STATUS_OK;
    TRY(keychain_load(adding->keychain, KEY_FRESH, &fresh, err));
    return publish_freshness(profile, &fresh, &nothing, err);
}

/* Before any of its files is sent; the site refuses it, too. */
static enum status check_outputs(const struct adding *adding, struct error *err)
{
    const struct app_version *app = &adding->app;
    int64_t most = adding->keychain->profile->site_upload_max;

    for (size_t i = 0; i < app->output_count; i++)
        if (app->outputs[i].max_bytes > most && app->limits.output_bytes > most)
            return error_set(
                err, STATUS_TOO_LARGE,
                "output %.64s may have up to %lld bytes, and the site takes up to %lld: "
                "give --output with a lower maximum, or raise upload_max there",
                app->outputs[i].name.text, (long long)app->outputs[i].max_bytes, (long long)most);
    return STATUS_OK;
}

static enum status publish_all(struct adding *adding, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    struct upload_tally tally = {0};

    TRY(check_outputs(adding, err));
    TRY(choose_version(adding, err));
    if (!adding->is_new)
        return STATUS_OK;
    TRY(next_keyring_can_wait(adding->keychain->profile, err));
    TRY(keychain_unlock(adding->keychain, adding->options, false, err));
    TRY(keychain_load(adding->keychain, KEY_APP, &key, err));
    TRY(freshen(adding, err));
    for (size_t i = 0; i < adding->variants.count; i++)
        TRY(upload_files(adding->keychain->profile, adding->variants.drafts[i].files,
                         adding->variants.drafts[i].count, &tally, err));
    if (adding->is_new_version || adding->is_unsigned)
        TRY(publish_app(adding, &key, err));
    for (size_t i = 0; i < adding->variants.count; i++)
        if (!adding->variants.drafts[i].is_there)
            TRY(publish_variant(adding, &adding->variants.drafts[i], &key, err));
    return STATUS_OK;
}

static void say_added(struct session *session, const struct adding *adding)
{
    const struct app_version *app = &adding->app;
    json_auto_t *root = json_pack("{s:s, s:I, s:s, s:b}", "app", app->name.text, "version",
                                  (json_int_t)app->version, "app_version",
                                  digest_format(&adding->digest).text, "new", adding->is_new);
    CLEANUP(freep) char *text = json_dumps(root, JSON_COMPACT);

    if (options_has(adding->options, "json"))
        session_print(session, text);
    if (!adding->is_new)
        session_say(session, adding->options, "%s version %lld is there already, the same.",
                    app->name.text, (long long)app->version);
    else
        session_say(session, adding->options, "%s version %lld is published, for:", app->name.text,
                    (long long)app->version);
    for (size_t i = 0; adding->is_new && i < adding->variants.count; i++)
        session_say(session, adding->options, "  %s", adding->variants.drafts[i].platform.text);
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(keychain_clear) struct keychain keychain;
    CLEANUP(adding_clear) struct adding adding = {.keychain = &keychain, .options = options};
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (profile_open(&profile, session, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (describe_app(&adding, &err) != STATUS_OK ||
        variant_drafts_read(options, session->env->disk, &adding.app, &adding.variants, &err) !=
            STATUS_OK)
        return session_usage(session, options, &err);
    if (site_refresh(&profile, &err) != STATUS_OK || site_behind_mend(&profile, &err) != STATUS_OK)
        return session_fail(session, &err);
    adding.app.project = profile.trust.project;
    if (publish_all(&adding, &err) != STATUS_OK)
        return session_fail(session, &err);
    say_added(session, &adding);
    return EXIT_DONE;
}

static const struct option_rule rules[] = {
    {.name = "output",
     .argument = "NAME[:MAX]",
     .help = "A file that the app writes, and its most bytes (16M). Without any, standard output "
             "is the app's output, named \"stdout\".",
     .is_repeatable = true},
    {.name = "stdout",
     .argument = "NAME[:MAX]",
     .help = "Besides the files, keep standard output under this name."},
    {.name = "platform",
     .argument = "P=FILE",
     .help = "The program for another platform.",
     .is_repeatable = true},
    {.name = "class",
     .argument = "CLASS",
     .help = "Only results of one class are compared (the platform; all WebAssembly is one)."},
    {.name = "layer",
     .argument = "LAYER",
     .help = "A sandbox layer without which it must not run.",
     .is_repeatable = true},
    {.name = "cores", .argument = "N", .help = "Cores a task may use (1)."},
    {.name = "memory", .argument = "SIZE", .help = "Memory a task may use (512M)."},
    {.name = "disk", .argument = "SIZE", .help = "Room for a task's files (1G)."},
    {.name = "output-size",
     .argument = "SIZE",
     .help = "Most bytes of all outputs together (the sum of their maxima)."},
    {.name = "cpu-time", .argument = "SPAN", .help = "CPU time a task may use (24h)."},
    {.name = "wall-time",
     .argument = "SPAN",
     .help = "Running time a task may use (twice the CPU time)."},
    KEYCHAIN_OPTION,
};

const struct command verb_app_add = {
    .name = "app add",
    .operands = "NAME PROGRAM [FILE…]",
    .operand_min = 1,
    .operand_max = 1 + VARIANT_FILES_MAX,
    .summary = "Publish a program as an app, or a new version of it",
    .description =
        "A program is an app as it is: it reads its inputs from the current folder, writes its "
        "outputs there (or to standard output) and exits with 0. Files after the program go along "
        "with it. What is given as limits are ceilings: units may ask for less, never for more. "
        "Repeating the command without a change publishes nothing; a program for a further "
        "platform is added to the version that is there. Where the key that signed that version "
        "ran out or was revoked, the same version is signed anew; one that was itself revoked is "
        "followed by a new one.",
    .examples = "  Any filter; its standard output is the result:\n"
                "    dugnad app add primes ./primes\n"
                "  A program that writes a file of up to 64 MiB, for two platforms:\n"
                "    dugnad app add fold ./fold --output fold.pdb:64M \\\n"
                "        --platform aarch64-linux-gnu=./fold.arm\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
