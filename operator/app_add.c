/* dugnad app add: sign an app version and its variants, send their files, publish them. */
#include <string.h>

#include "operator/apps.h"
#include "operator/platform.h"
#include "operator/publish.h"
#include "operator/remote.h"
#include "operator/site.h"
#include "operator/site_behind.h"
#include "operator/upload.h"
#include "operator/verbs.h"

#define MIB            (INT64_C(1) << 20)
#define OUTPUT_DEFAULT (16 * MIB)
#define STDOUT_NAME    "stdout"
#define PROGRAMS_MAX   64 /* variants */

/* One variant: its platform, and the files, the program itself first. */
struct draft {
    struct word platform;
    struct local_file *files; /* owned */
    size_t count;
    bool is_there; /* the site has the variant */
};

struct adding {
    struct keychain *keychain; /* borrowed */
    const struct options *options;
    struct app_version app;
    size_t draft_count;
    struct draft drafts[PROGRAMS_MAX];
    struct digest digest; /* of the app version, once published */
    bool is_new_version;  /* false: the newest version is the same */
    bool is_unsigned;     /* and the key that signed it was revoked: it is to be signed anew */
    bool is_new;          /* something is published */
};

static void adding_clear(struct adding *adding)
{
    for (size_t i = 0; i < adding->draft_count; i++) {
        for (size_t j = 0; j < adding->drafts[i].count; j++)
            local_file_clear(&adding->drafts[i].files[j]);
        free(adding->drafts[i].files);
    }
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
    TRY(options_bytes(options, "memory", LIMITS_BYTES_MAX, 512 * MIB, &limits->memory_bytes, err));
    TRY(options_bytes(options, "disk", LIMITS_BYTES_MAX, 1024 * MIB, &limits->disk_bytes, err));
    TRY(options_bytes(options, "output-size", LIMITS_BYTES_MAX,
                      all_outputs < LIMITS_BYTES_MAX ? all_outputs : LIMITS_BYTES_MAX,
                      &limits->output_bytes, err));
    TRY(options_seconds(options, "cpu-time", LIMITS_SECONDS_MAX, DAY_S, &limits->cpu_s, err));
    return options_seconds(options, "wall-time", LIMITS_SECONDS_MAX, 2 * limits->cpu_s,
                           &limits->wall_s, err);
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
        texts_add(&adding->app.layers, layer);
    TRY(add_outputs(adding, err));
    return set_limits(adding, err);
}

/* --- its variants --- */

static enum status detect(struct disk *disk, const char *path, struct word *ret_platform,
                          struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    unsigned char head[PLATFORM_HEAD];
    const char *platform;
    size_t count;

    if (disk->open_read(disk, path, &file, NULL) != STATUS_OK ||
        disk->read_at(file, 0, head, sizeof head, &count, NULL) != STATUS_OK)
        return error_set(err, STATUS_NOT_FOUND, "%.150s cannot be read", path);
    platform = platform_of(head, count);
    if (platform == NULL)
        return error_set(
            err, STATUS_INVALID,
            "%.100s is neither a Linux program, a script nor WebAssembly; if it is, say "
            "--platform P=FILE",
            path);
    (void)text_fit(ret_platform->text, sizeof ret_platform->text, platform);
    return STATUS_OK;
}

static enum status begin_draft(struct adding *adding, const struct word *platform,
                               struct error *err)
{
    for (size_t i = 0; i < adding->draft_count; i++)
        if (strcmp(adding->drafts[i].platform.text, platform->text) == 0)
            return error_set(err, STATUS_INVALID, "there are two programs for %s", platform->text);
    if (adding->draft_count == PROGRAMS_MAX)
        return error_set(err, STATUS_INVALID, "an app has at most %d variants", PROGRAMS_MAX);
    adding->drafts[adding->draft_count++] = (struct draft){
        .platform = *platform, .files = must_alloc(VARIANT_FILES_MAX, sizeof(struct local_file))};
    return STATUS_OK;
}

static enum status add_file(struct adding *adding, struct draft *draft, const char *path,
                            struct error *err)
{
    struct disk *disk = adding->keychain->profile->session->env->disk;

    if (draft->count == VARIANT_FILES_MAX)
        return error_set(err, STATUS_INVALID, "a variant has at most %d files", VARIANT_FILES_MAX);
    TRY(local_file_look(disk, path, &draft->files[draft->count], err));
    draft->count++;
    return STATUS_OK;
}

static struct draft *last_draft(struct adding *adding)
{
    return &adding->drafts[adding->draft_count - 1];
}

/* PROGRAM… : the program, and files that go along with it. */
static enum status add_programs(struct adding *adding, struct error *err)
{
    const struct options *options = adding->options;
    struct disk *disk = adding->keychain->profile->session->env->disk;
    struct word platform;

    if (options->operand_count < 2)
        return STATUS_OK;
    TRY(detect(disk, options->operands[1], &platform, err));
    TRY(begin_draft(adding, &platform, err));
    for (size_t i = 1; i < options->operand_count; i++)
        TRY(add_file(adding, last_draft(adding), options->operands[i], err));
    return STATUS_OK;
}

/* --platform P=FILE */
static enum status add_platforms(struct adding *adding, struct error *err)
{
    const char *text;

    for (size_t i = 0; (text = options_nth(adding->options, "platform", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');
        struct word platform = {0};

        if (equals != NULL && equals - text <= WORD_MAX)
            memcpy(platform.text, text, (size_t)(equals - text));
        if (!text_is_word(platform.text))
            return error_set(err, STATUS_INVALID,
                             "--platform %.60s: write PLATFORM=FILE, such as "
                             "aarch64-linux-gnu=primes.arm",
                             text);
        TRY(begin_draft(adding, &platform, err));
        TRY(add_file(adding, last_draft(adding), equals + 1, err));
    }
    if (adding->draft_count == 0)
        return error_set(err, STATUS_INVALID, "no program is given");
    return STATUS_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static enum status fill_variant(const struct adding *adding, const struct draft *draft,
                                struct variant *variant, struct error *err)
{
    bool is_wasm = strcmp(draft->platform.text, PLATFORM_WASM) == 0;
    const char *class_name =
        options_text_or(adding->options, "class", is_wasm ? "wasm" : draft->platform.text);

    variant->project = adding->app.project;
    variant->app_version = adding->digest;
    variant->platform = draft->platform;
    variant->runner = is_wasm ? RUNNER_WASM : RUNNER_NATIVE;
    if (!text_is_word(class_name) ||
        !text_fit(variant->class_name.text, sizeof variant->class_name.text, class_name))
        return error_set(err, STATUS_INVALID, "--class is a word of small letters and digits");
    variant->files = must_alloc(draft->count, sizeof *variant->files);
    for (size_t i = 0; i < draft->count; i++) {
        struct variant_file *file = &variant->files[variant->file_count++];

        *file = (struct variant_file){.digest = draft->files[i].digest,
                                      .size = draft->files[i].size,
                                      .executable = i == 0 && !is_wasm};
        if (!text_fit(file->name.text, sizeof file->name.text, base_name(draft->files[i].path)) ||
            !text_is_file_name(file->name.text))
            return error_set(err, STATUS_INVALID,
                             "the file name of %.100s has other characters "
                             "than letters, digits, '.', '_', '-'",
                             draft->files[i].path);
    }
    variant->entry = variant->files[0].name;
    return STATUS_OK;
}

/* --- publishing --- */

static enum status sign(const char *type, const char *payload, const struct private_key *key,
                        struct envelope *ret_envelope, struct error *err)
{
    envelope_init(ret_envelope, type, payload, strlen(payload));
    return envelope_sign(ret_envelope, key, err);
}

static enum status publish_variant(const struct adding *adding, const struct draft *draft,
                                   const struct private_key *key, struct error *err)
{
    CLEANUP(variant_clear) struct variant variant = {0}, again = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *payload = NULL;
    struct published published;

    TRY(fill_variant(adding, draft, &variant, err));
    payload = variant_encode(&variant);
    TRY(variant_decode(payload, strlen(payload), &again, err));
    TRY(sign(VARIANT_TYPE, payload, key, &envelope, err));
    return publish_envelope(adding->keychain->profile, "/v1/variants", &envelope, PUBLISHED_VARIANT,
                            &published, err);
}

static enum variant_standing look_up(const struct adding *adding, const struct known_app *known,
                                     const struct draft *draft)
{
    CLEANUP(variant_clear) struct variant mine = {0};
    CLEANUP(freep) char *payload = NULL;
    struct digest digest;

    if (fill_variant(adding, draft, &mine, NULL) != STATUS_OK)
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

    for (size_t i = 0; i < adding->draft_count && fits; i++) {
        enum variant_standing standing = look_up(adding, known, &adding->drafts[i]);

        adding->drafts[i].is_there = standing == VARIANT_IS_THERE;
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
    adding->is_new_version = !goes_on(adding, &known);
    adding->app.version = known.app.version + adding->is_new_version;
    adding->is_unsigned = !adding->is_new_version && known.is_revoked;
    adding->is_new = adding->is_new_version || adding->is_unsigned;
    for (size_t i = 0; i < adding->draft_count; i++) {
        if (adding->is_new_version)
            adding->drafts[i].is_there = false;
        adding->is_new = adding->is_new || !adding->drafts[i].is_there;
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

static enum status publish_all(struct adding *adding, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    struct upload_tally tally = {0};

    TRY(choose_version(adding, err));
    if (!adding->is_new)
        return STATUS_OK;
    TRY(keychain_unlock(adding->keychain, adding->options, false, err));
    TRY(keychain_load(adding->keychain, KEY_APP, &key, err));
    for (size_t i = 0; i < adding->draft_count; i++)
        TRY(upload_files(adding->keychain->profile, adding->drafts[i].files,
                         adding->drafts[i].count, &tally, err));
    if (adding->is_new_version || adding->is_unsigned)
        TRY(publish_app(adding, &key, err));
    for (size_t i = 0; i < adding->draft_count; i++)
        if (!adding->drafts[i].is_there)
            TRY(publish_variant(adding, &adding->drafts[i], &key, err));
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
    for (size_t i = 0; adding->is_new && i < adding->draft_count; i++)
        session_say(session, adding->options, "  %s", adding->drafts[i].platform.text);
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
    if (describe_app(&adding, &err) != STATUS_OK || add_programs(&adding, &err) != STATUS_OK ||
        add_platforms(&adding, &err) != STATUS_OK)
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
        "platform is added to the version that is there.",
    .examples = "  Any filter; its standard output is the result:\n"
                "    dugnad app add primes ./primes\n"
                "  A program that writes a file of up to 64 MiB, for two platforms:\n"
                "    dugnad app add fold ./fold --output fold.pdb:64M \\\n"
                "        --platform aarch64-linux-gnu=./fold.arm\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
