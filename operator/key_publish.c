/* dugnad key publish: the first keyring, which makes the project, and the first freshness. */
#include <string.h>

#include "common/http/client.h"
#include "operator/publish.h"
#include "operator/site.h"
#include "operator/verbs.h"

/* --- the keyring --- */

static enum status add_publisher(struct keychain *keychain, enum key_role role,
                                 enum publisher_role as, struct keyring *keyring, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key key = {0};

    TRY(keychain_load(keychain, role, &key, err));
    keyring->publishers[keyring->publisher_count++] = (struct publisher){
        .key = key.public_key,
        .role = as,
        .not_before_s = keyring->issued_s - SIGNED_BEFORE_S,
        .not_after_s = keyring->expires_s,
    };
    return STATUS_OK;
}

static enum status add_roots(struct keychain *keychain, const struct private_key *use,
                             struct keyring *keyring, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key spare = {0};

    keyring->root = (struct root_set){.threshold = 1, .key_count = 1, .keys = {use->public_key}};
    TRY(keychain_load(keychain, KEY_ROOT_SPARE, &spare, err));
    keyring->root.keys[keyring->root.key_count++] = spare.public_key;
    return STATUS_OK;
}

static enum status add_ca(const char *pem, size_t length, struct keyring *keyring,
                          struct error *err)
{
    if (keyring->tls_ca_count == KEYRING_CAS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a keyring lists at most %d CAs", KEYRING_CAS_MAX);
    return http_ca_digest(pem, length, &keyring->tls_cas[keyring->tls_ca_count++], err);
}

/* The CAs that volunteers are to trust: those given, else the one this profile itself needs. */
static enum status add_cas(const struct profile *profile, const struct options *options,
                           struct keyring *keyring, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    const char *path;

    for (size_t i = 0; (path = options_nth(options, "tls-ca", i)) != NULL; i++) {
        CLEANUP(buffer_clear) struct buffer pem = {0};

        buffer_init(&pem, PROFILE_CA_MAX);
        TRY(disk->read(disk, path, &pem, err));
        TRY(add_ca(buffer_text(&pem), pem.length, keyring, err));
    }
    if (keyring->tls_ca_count == 0 && profile->ca_pem != NULL)
        return add_ca(profile->ca_pem, strlen(profile->ca_pem), keyring, err);
    return STATUS_OK;
}

static void add_urls(const struct profile *profile, const struct options *options,
                     struct keyring *keyring)
{
    const char *url;

    for (size_t i = 0; (url = options_nth(options, "url", i)) != NULL; i++)
        texts_add(&keyring->urls, url);
    if (keyring->urls.count == 0)
        texts_add(&keyring->urls, profile->url);
}

static enum status make_keyring(struct keychain *keychain, const struct options *options,
                                const struct private_key *use, struct keyring *keyring,
                                struct error *err)
{
    struct profile *profile = keychain->profile;
    struct env *env = profile->session->env;

    keyring->version = 1;
    keyring->issued_s = env->now_s(env);
    keyring->expires_s = keyring->issued_s + KEYRING_LIFE_S;
    (void)snprintf(keyring->project, sizeof keyring->project, "%s",
                   options_text_or(options, "name", profile->name));
    keyring->publishers = must_alloc(3, sizeof *keyring->publishers);
    TRY(add_roots(keychain, use, keyring, err));
    TRY(add_publisher(keychain, KEY_APP, ROLE_APP, keyring, err));
    TRY(add_publisher(keychain, KEY_WORK, ROLE_WORK, keyring, err));
    TRY(add_publisher(keychain, KEY_FRESH, ROLE_FRESH, keyring, err));
    add_urls(profile, options, keyring);
    return add_cas(profile, options, keyring, err);
}

static enum status publish_first(struct keychain *keychain, const struct options *options,
                                 const struct private_key *use, struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};

    TRY(make_keyring(keychain, options, use, &keyring, err));
    return publish_keyring(keychain->profile, &keyring, use, 1, err);
}

/* --- a site that has keyrings already --- */

static bool is_ours(const struct keyring *keyring, const struct public_key *root)
{
    for (size_t i = 0; i < keyring->root.key_count; i++)
        if (public_key_equals(&keyring->root.keys[i], root))
            return true;
    return false;
}

/* Claimed by us, in an attempt whose answer was lost: take it up. By anybody else: refuse. */
static enum status take_up(struct profile *profile, const struct project *project,
                           const struct private_key *use, struct error *err)
{
    bool was_pinned = !digest_is_none(&profile->project);

    if (!was_pinned)
        profile->project = project->project;
    TRY(site_follow(profile, project, err));
    if (is_ours(&profile->trust.keyring, &use->public_key))
        return profile_save(profile, err);
    return error_set(err, STATUS_CONFLICT,
                     "the site is claimed with other keys than this profile's");
}

static enum status publish(struct keychain *keychain, const struct options *options,
                           struct error *err)
{
    CLEANUP(project_clear) struct project project = {0};
    CLEANUP(private_key_clear) struct private_key use = {0}, fresh = {0};
    struct profile *profile = keychain->profile;
    static const struct revocations nothing = {0};

    TRY(keychain_unlock(keychain, options, false, err));
    TRY(profile_hold(profile, err));
    TRY(site_ask_project(profile, &project, err));
    TRY(keychain_load(keychain, KEY_ROOT_USE, &use, err));
    TRY(keychain_load(keychain, KEY_FRESH, &fresh, err));
    TRY(digest_is_none(&project.project) ? publish_first(keychain, options, &use, err)
                                         : take_up(profile, &project, &use, err));
    return publish_freshness(profile, &fresh, &nothing, err);
}

static void say_published(struct profile *profile, const struct options *options)
{
    struct session *session = profile->session;
    const struct trust *trust = &profile->trust;
    CLEANUP(freep) char *link = link_format(profile->url, &profile->project);

    if (options_has(options, "json")) {
        json_auto_t *root =
            json_pack("{s:s, s:s, s:I, s:I}", "project", digest_format(&profile->project).text,
                      "link", link, "keyring_version", (json_int_t)trust->keyring.version,
                      "freshness_sequence", (json_int_t)trust->freshness.sequence);
        CLEANUP(freep) char *text = json_dumps(root, JSON_COMPACT);

        session_print(session, text);
        return;
    }
    session_say(session, options,
                "Keyring %lld is published, fresh until %s. Volunteers attach with:",
                (long long)trust->keyring.version, shown_time(trust->freshness.expires_s).text);
    session_print(session, link);
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(keychain_clear) struct keychain keychain;
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        publish(&keychain, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    say_published(&profile, options);
    return EXIT_DONE;
}

static const struct option_rule rules[] = {
    {.name = "name",
     .argument = "TEXT",
     .help = "The project's name in the first keyring (the site's name)."},
    {.name = "url",
     .argument = "URL",
     .help = "Where volunteers reach the project (the profile's URL).",
     .is_repeatable = true},
    {.name = "tls-ca",
     .argument = "FILE",
     .help = "A CA that volunteers may trust for these URLs (the profile's own, if the site has "
             "one).",
     .is_repeatable = true},
    KEYCHAIN_OPTION,
};

const struct command verb_key_publish = {
    .name = "key publish",
    .summary = "Publish the project's keyring and renew its freshness",
    .description = "The first time this makes the project: its id is the digest of this first "
                   "keyring, and the "
                   "attach link that is printed carries it. Later it only renews the freshness, "
                   "which volunteers "
                   "need at least every 14 days ('dugnad submit' renews it, too).",
    .examples = "  dugnad key publish\n  A timer that keeps the project fresh:\n"
                "    dugnad key publish --passphrase-file /root/dugnad-passphrase\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
