/* dugnad key publish: the keyring that makes the project, freshness, and what a project changes. */
#include <string.h>

#include "common/base/text.h"
#include "common/http/client.h"
#include "common/json/build.h"
#include "operator/next_keyring.h"
#include "operator/places.h"
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

/* Where nothing is said: where this profile finds the site, and by which CA. */
static enum status apply_own(const struct profile *profile, struct keyring *keyring,
                             struct error *err)
{
    texts_add(&keyring->urls, profile->url);
    if (profile->ca_pem == NULL)
        return STATUS_OK;
    keyring->tls_ca_count = 1;
    return http_ca_digest(profile->ca_pem, strlen(profile->ca_pem), &keyring->tls_cas[0], err);
}

static enum status make_keyring(struct keychain *keychain, const struct places *places,
                                const struct private_key *use, struct keyring *keyring,
                                struct error *err)
{
    struct profile *profile = keychain->profile;
    struct env *env = profile->session->env;

    keyring->version = 1;
    keyring->issued_s = env->now_s(env);
    keyring->expires_s = keyring->issued_s + KEYRING_LIFE_S;
    (void)text_fit(keyring->project, sizeof keyring->project, profile->name);
    keyring->publishers = must_alloc(3, sizeof *keyring->publishers);
    TRY(add_roots(keychain, use, keyring, err));
    TRY(add_publisher(keychain, KEY_APP, ROLE_APP, keyring, err));
    TRY(add_publisher(keychain, KEY_WORK, ROLE_WORK, keyring, err));
    TRY(add_publisher(keychain, KEY_FRESH, ROLE_FRESH, keyring, err));
    TRY(apply_own(profile, keyring, err));
    places_apply(places, keyring);
    return STATUS_OK;
}

static enum status publish_first(struct keychain *keychain, const struct places *places,
                                 const struct private_key *use, struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};

    TRY(make_keyring(keychain, places, use, &keyring, err));
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

static void say_renewed(const struct profile *profile, const struct options *options,
                        const struct keyring *before)
{
    CLEANUP(freep) char *until = text_copy(shown_time(before->expires_s).text);
    const struct keyring *now = &profile->trust.keyring;

    session_say(profile->session, options,
                "Keyring %lld, valid until %s, is renewed by keyring %lld, valid until %s.",
                (long long)before->version, until, (long long)now->version,
                shown_time(now->expires_s).text);
}

/* The same again changes nothing, for its answer may have been lost; unless it ends soon. */
static enum status publish_change(struct profile *profile, const struct options *options,
                                  const struct places *places, const struct private_key *use,
                                  struct error *err)
{
    const struct envelope *newest = &profile->trust.keyring_envelope;
    CLEANUP(keyring_clear) struct keyring before = {0}, after = {0};
    bool is_due = next_keyring_is_due(profile);

    TRY(keyring_decode(newest->payload, newest->payload_length, &before, err));
    TRY(next_keyring(profile, &after, err));
    places_apply(places, &after);
    if (places_are_same(&before, &after) && !is_due) {
        session_say(profile->session, options, "Keyring %lld says this already: none is made.",
                    (long long)before.version);
        return STATUS_OK;
    }
    next_keyring_prolong(&after);
    TRY(publish_keyring(profile, &after, use, 1, err));
    if (!places_are_same(&before, &after))
        places_say_change(profile, options, &before, &after);
    if (is_due)
        say_renewed(profile, options, &before);
    return STATUS_OK;
}

static enum status publish_keys(struct keychain *keychain, const struct options *options,
                                const struct places *places, const struct private_key *use,
                                struct error *err)
{
    CLEANUP(project_clear) struct project project = {0};
    struct profile *profile = keychain->profile;

    TRY(site_ask_project(profile, &project, err));
    if (digest_is_none(&project.project) && digest_is_none(&profile->trust.project))
        return publish_first(keychain, places, use, err);
    TRY(take_up(profile, &project, use, err));
    if (!places_are_said(places) && !next_keyring_is_due(profile))
        return STATUS_OK;
    return publish_change(profile, options, places, use, err);
}

static enum status publish(struct keychain *keychain, const struct options *options,
                           struct places *places, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key use = {0}, fresh = {0};
    struct profile *profile = keychain->profile;
    static const struct revocations nothing = {0};

    TRY(places_read_cas(options, profile->session, places, err));
    TRY(keychain_unlock(keychain, options, false, err));
    TRY(profile_hold(profile, err));
    TRY(keychain_load(keychain, KEY_ROOT_USE, &use, err));
    TRY(keychain_load(keychain, KEY_FRESH, &fresh, err));
    TRY(publish_keys(keychain, options, places, &use, err));
    return publish_freshness(profile, &fresh, &nothing, err);
}

static json_t *cas_json(const struct keyring *keyring)
{
    json_t *list = json_array();

    for (size_t i = 0; i < keyring->tls_ca_count; i++)
        build_append(list, digest_to_json(&keyring->tls_cas[i]));
    return list;
}

static void print_json(struct profile *profile, const char *link)
{
    const struct trust *trust = &profile->trust;
    json_auto_t *root = json_pack(
        "{s:s, s:s, s:I, s:I, s:s, s:o, s:o}", "project", digest_format(&profile->project).text,
        "link", link, "keyring_version", (json_int_t)trust->keyring.version, "freshness_sequence",
        (json_int_t)trust->freshness.sequence, "name", trust->keyring.project, "urls",
        texts_to_json(&trust->keyring.urls), "tls_cas", cas_json(&trust->keyring));
    CLEANUP(freep) char *text = json_dumps(root, JSON_COMPACT);

    session_print(profile->session, text);
}

static void say_published(struct profile *profile, const struct options *options)
{
    struct session *session = profile->session;
    const struct trust *trust = &profile->trust;
    CLEANUP(freep) char *link = profile_link(profile);

    if (options_has(options, "json")) {
        print_json(profile, link);
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
    CLEANUP(places_clear) struct places places = {0};
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (places_parse(options, &places, &err) != STATUS_OK)
        return session_usage(session, options, &err);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        publish(&keychain, options, &places, &err) != STATUS_OK)
        return session_fail(session, &err);
    say_published(&profile, options);
    return EXIT_DONE;
}

static const struct option_rule rules[] = {
    PLACES_OPTIONS,
    KEYCHAIN_OPTION,
};

const struct command verb_key_publish = {
    .name = "key publish",
    .summary = "Publish the project's keyring and renew its freshness",
    .description =
        "The first time this makes the project: its id is the digest of this first keyring, and "
        "the attach link that is printed carries it. Later it renews the freshness, which "
        "volunteers need at least every 14 days ('dugnad submit' renews it, too). With --name, "
        "--url, --tls-ca or --no-tls-ca the keyring's next version is made, in "
        "which what is given replaces what was there, and what changed is said. Nothing is made "
        "where the newest keyring says the same already. A keyring that is valid for 100 days or "
        "less is renewed for 400, whatever is given.\n\n"
        "So a site goes over to another CA: list both, the old one and the new one; when all "
        "clients that matter have been online, give the site its new certificate; then list the "
        "new one alone. Clients forget a CA that is dropped; those that know no other talk to "
        "the site no more, until its certificate is of one that is listed.",
    .examples = "  dugnad key publish\n  A timer that keeps the project fresh:\n"
                "    dugnad key publish --passphrase-file /root/dugnad-passphrase\n"
                "  A second CA, beside the one in use:\n"
                "    dugnad key publish --tls-ca site/tls/ca.pem --tls-ca new-ca.pem\n",
    .options = rules,
    .option_count = sizeof rules / sizeof *rules,
    .run = run,
};
