/* dugnad key rotate, retire, revoke: keys that change hands, end well, or end badly. */
#include <string.h>

#include "common/base/text.h"
#include "operator/next_keyring.h"
#include "operator/publish.h"
#include "operator/remote.h"
#include "operator/revocable.h"
#include "operator/sheet.h"
#include "operator/site.h"
#include "operator/verbs.h"

static void add_end(struct key_end **ends, size_t *count, const struct public_key *key,
                    int64_t at_s)
{
    *ends = realloc(*ends, (*count + 1) * sizeof **ends);
    if (*ends == NULL)
        abort();
    (*ends)[(*count)++] = (struct key_end){.key = *key, .at_s = at_s};
}

/* A revoked publisher signs nothing any more: it leaves the list of publishers and of the retired.
 */
static void revoke_in(struct keyring *keyring, const struct public_key *key)
{
    for (size_t i = 0; i < keyring->publisher_count; i++) {
        if (public_key_equals(&keyring->publishers[i].key, key)) {
            texts_clear(&keyring->publishers[i].apps);
            keyring->publishers[i] = keyring->publishers[--keyring->publisher_count];
            break;
        }
    }
    for (size_t i = 0; i < keyring->retired_count; i++) {
        if (public_key_equals(&keyring->retired[i].key, key)) {
            keyring->retired[i] = keyring->retired[--keyring->retired_count];
            break;
        }
    }
    add_end(&keyring->revoked, &keyring->revoked_count, key, keyring->issued_s);
}

static void add_publisher(struct keyring *keyring, const struct public_key *key,
                          enum publisher_role role)
{
    keyring->publishers =
        realloc(keyring->publishers, (keyring->publisher_count + 1) * sizeof *keyring->publishers);
    if (keyring->publishers == NULL)
        abort();
    keyring->publishers[keyring->publisher_count++] = (struct publisher){
        .key = *key,
        .role = role,
        .not_before_s = keyring->issued_s - SIGNED_BEFORE_S,
        .not_after_s = keyring->expires_s,
    };
}

static enum status refresh_after(struct keychain *keychain, const struct revocations *more,
                                 struct error *err)
{
    CLEANUP(private_key_clear) struct private_key fresh = {0};

    TRY(keychain_load(keychain, KEY_FRESH, &fresh, err));
    return publish_freshness(keychain->profile, &fresh, more, err);
}

static enum publisher_role publisher_of(enum key_role role)
{
    return role == KEY_APP ? ROLE_APP : role == KEY_WORK ? ROLE_WORK : ROLE_FRESH;
}

static bool is_root_key(const struct keyring *keyring, const struct public_key *key)
{
    for (size_t i = 0; i < keyring->root.key_count; i++)
        if (public_key_equals(&keyring->root.keys[i], key))
            return true;
    return false;
}

static enum status revoke_public(struct keychain *keychain, const struct public_key *key,
                                 struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};
    CLEANUP(private_key_clear) struct private_key root = {0};
    static const struct revocations nothing = {0};

    TRY(next_keyring(keychain->profile, &keyring, err));
    TRY(keychain_load(keychain, KEY_ROOT_USE, &root, err));
    revoke_in(&keyring, key);
    next_keyring_prolong(&keyring);
    TRY(publish_keyring(keychain->profile, &keyring, &root, 1, err));
    return refresh_after(keychain, &nothing, err);
}

/* Is it the publisher's key that this profile signs with itself? */
static bool is_own(struct keychain *keychain, const struct public_key *key, enum key_role *ret_role)
{
    static const enum key_role roles[] = {KEY_APP, KEY_WORK, KEY_FRESH};
    const struct publisher *publisher = keyring_publisher(&keychain->profile->trust.keyring, key);

    for (size_t i = 0; publisher != NULL && i < sizeof roles / sizeof *roles; i++) {
        CLEANUP(private_key_clear) struct private_key mine = {0};

        if (publisher_of(roles[i]) != publisher->role)
            continue;
        *ret_role = roles[i];
        return keychain_load(keychain, roles[i], &mine, NULL) == STATUS_OK &&
               public_key_equals(&mine.public_key, key);
    }
    return false;
}

/* --- rotate --- */

/* The one key of that role in use; its file may be lost. */
static enum status find_publisher(const struct keyring *keyring, enum publisher_role role,
                                  struct public_key *ret_key, struct error *err)
{
    size_t found = 0;

    for (size_t i = 0; i < keyring->publisher_count; i++) {
        const struct publisher *publisher = &keyring->publishers[i];

        if (publisher->role != role || keyring_retired_s(keyring, &publisher->key) != INT64_MAX)
            continue;
        *ret_key = publisher->key;
        found++;
    }
    if (found == 1)
        return STATUS_OK;
    return error_set(err, STATUS_CONFLICT,
                     "the keyring lists %zu keys in use for %s: name the key itself", found,
                     publisher_role_name(role));
}

/*
 * An attempt before was cut after the site had its keyring, so that the successor is in use
 * already. Where the old key is to be revoked and was only retired, that is still to do.
 */
static enum status finish_rotation(struct keychain *keychain, enum key_role role, bool is_stolen,
                                   struct error *err)
{
    CLEANUP(private_key_clear) struct private_key old = {0};
    static const struct revocations nothing = {0};
    bool has_old = keychain_load(keychain, role, &old, NULL) == STATUS_OK;

    TRY(keychain_replace(keychain, role, err));
    if (is_stolen && has_old &&
        !keyring_is_revoked(&keychain->profile->trust.keyring, &old.public_key))
        return revoke_public(keychain, &old.public_key, err);
    return refresh_after(keychain, &nothing, err);
}

static enum status rotate_publisher(struct keychain *keychain, enum key_role role, bool is_stolen,
                                    struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};
    CLEANUP(private_key_clear) struct private_key root = {0}, next = {0};
    static const struct revocations nothing = {0};
    struct public_key old;

    TRY(next_keyring(keychain->profile, &keyring, err));
    TRY(keychain_load(keychain, KEY_ROOT_USE, &root, err));
    TRY(find_publisher(&keyring, publisher_of(role), &old, err));
    TRY(keychain_make_next(keychain, role, &next, err));
    if (public_key_equals(&old, &next.public_key))
        return finish_rotation(keychain, role, is_stolen, err);
    if (is_stolen)
        revoke_in(&keyring, &old);
    else
        add_end(&keyring.retired, &keyring.retired_count, &old, keyring.issued_s);
    add_publisher(&keyring, &next.public_key, publisher_of(role));
    next_keyring_prolong(&keyring);
    TRY(publish_keyring(keychain->profile, &keyring, &root, 1, err));
    TRY(keychain_replace(keychain, role, err));
    return refresh_after(keychain, &nothing, err);
}

/* A root key is replaced in the set; the old set and the new one both sign. */
static enum status rotate_root(struct keychain *keychain, enum key_role role, bool is_stolen,
                               struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};
    CLEANUP(private_key_clear) struct private_key other = {0}, next = {0};
    enum key_role other_role = role == KEY_ROOT_USE ? KEY_ROOT_SPARE : KEY_ROOT_USE;
    struct private_key signers[2];
    static const struct revocations nothing = {0};

    TRY(next_keyring(keychain->profile, &keyring, err));
    TRY(keychain_load(keychain, other_role, &other, err));
    TRY(keychain_make_next(keychain, role, &next, err));
    if (is_root_key(&keyring, &next.public_key))
        return finish_rotation(keychain, role, is_stolen, err);
    for (size_t i = 0; i < keyring.root.key_count; i++) {
        if (public_key_equals(&keyring.root.keys[i], &other.public_key))
            continue;
        if (is_stolen)
            add_end(&keyring.revoked, &keyring.revoked_count, &keyring.root.keys[i],
                    keyring.issued_s);
        keyring.root.keys[i] = next.public_key;
    }
    next_keyring_prolong(&keyring);
    signers[0] = other; /* of both sets */
    signers[1] = next;
    TRY(publish_keyring(keychain->profile, &keyring, signers, 2, err));
    TRY(keychain_replace(keychain, role, err));
    return refresh_after(keychain, &nothing, err);
}

static enum status rotate(struct keychain *keychain, enum key_role role, bool is_stolen,
                          struct error *err)
{
    if (role == KEY_ROOT_USE || role == KEY_ROOT_SPARE)
        return rotate_root(keychain, role, is_stolen, err);
    return rotate_publisher(keychain, role, is_stolen, err);
}

/* The paper that the operator has is of the spare key before: a new one must not be the project's
 * until its sheet is out. As JSON it is part of what is printed at the end. */
static enum status print_sheet(struct keychain *keychain, enum key_role role,
                               const struct options *options, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key use = {0}, next = {0};
    struct sheet sheet = {
        .keychain = keychain,
        .keys = {[KEY_ROOT_USE] = &use.public_key, [KEY_ROOT_SPARE] = &next.public_key}};

    if (role != KEY_ROOT_SPARE || options_has(options, "json"))
        return STATUS_OK;
    TRY(keychain_load(keychain, KEY_ROOT_USE, &use, err));
    TRY(keychain_make_next(keychain, role, &next, err));
    TRY(keychain_next_path(keychain, role, &sheet.pem, err));
    return sheet_print(&sheet, err);
}

static enum status rotate_named(struct keychain *keychain, enum key_role role, bool is_stolen,
                                const struct options *options, struct error *err)
{
    TRY(print_sheet(keychain, role, options, err));
    return rotate(keychain, role, is_stolen, err);
}

/* --- what all three share --- */

static enum status begin(struct keychain *keychain, struct session *session,
                         const struct options *options, struct error *err)
{
    TRY(profile_open(keychain->profile, session, options, err));
    TRY(keychain_unlock(keychain, options, false, err));
    TRY(profile_hold(keychain->profile, err)); /* until the command ends */
    return site_refresh(keychain->profile, err);
}

static enum status add_sheet(struct keychain *keychain, json_t *root, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key spare = {0};
    struct sheet sheet = {.keychain = keychain, .keys = {[KEY_ROOT_SPARE] = &spare.public_key}};

    TRY(keychain_load(keychain, KEY_ROOT_SPARE, &spare, err));
    TRY(keychain_path(keychain, KEY_ROOT_SPARE, &sheet.pem, err));
    return sheet_add_json(&sheet, root, err);
}

static enum status end(struct keychain *keychain, const struct options *options, struct error *err)
{
    struct session *session = keychain->profile->session;
    const struct trust *trust = &keychain->profile->trust;
    json_auto_t *root =
        json_pack("{s:I, s:I}", "keyring_version", (json_int_t)trust->keyring.version,
                  "freshness_sequence", (json_int_t)trust->freshness.sequence);
    CLEANUP(freep) char *text = NULL;
    enum key_role role;

    session_say(session, options, "Published: keyring %lld, freshness %lld (until %s).",
                (long long)trust->keyring.version, (long long)trust->freshness.sequence,
                shown_time(trust->freshness.expires_s).text);
    if (!options_has(options, "json"))
        return STATUS_OK;
    if (key_role_parse(options->operands[0], &role) && role == KEY_ROOT_SPARE)
        TRY(add_sheet(keychain, root, err));
    text = json_dumps(root, JSON_COMPACT);
    session_print(session, text);
    return STATUS_OK;
}

static enum status role_of(const struct options *options, enum key_role *ret_role,
                           struct error *err)
{
    if (key_role_parse(options->operands[0], ret_role))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "\"%.40s\" is none of: root-use, root-spare, app, work, "
                     "fresh",
                     options->operands[0]);
}

/* `make` is what the three verbs differ in. */
static int change(struct session *session, const struct options *options,
                  enum status (*make)(struct keychain *keychain, const struct options *options,
                                      struct error *err))
{
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(keychain_clear) struct keychain keychain;
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (begin(&keychain, session, options, &err) != STATUS_OK ||
        make(&keychain, options, &err) != STATUS_OK || end(&keychain, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    return EXIT_DONE;
}

static enum status rotate_operand(struct keychain *keychain, const struct options *options,
                                  struct error *err)
{
    enum key_role role;

    TRY(role_of(options, &role, err));
    return rotate_named(keychain, role, false, options, err);
}

static int run_rotate(void *context, const struct options *options)
{
    struct error err = {0};
    enum key_role role;

    if (role_of(options, &role, &err) != STATUS_OK)
        return session_usage(context, options, &err);
    return change(context, options, rotate_operand);
}

/* --- retire a key that this profile need not hold --- */

static enum status retire(struct keychain *keychain, const struct options *options,
                          struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {0};
    CLEANUP(private_key_clear) struct private_key root = {0};
    static const struct revocations nothing = {0};
    struct public_key key;
    enum key_role role;

    TRY(public_key_parse(options->operands[0], &key, err));
    TRY(next_keyring(keychain->profile, &keyring, err));
    if (keyring_publisher(&keyring, &key) == NULL)
        return error_set(err, STATUS_NOT_FOUND, "the keyring lists no such publisher's key");
    if (keyring_retired_s(&keyring, &key) != INT64_MAX)
        return error_set(err, STATUS_CONFLICT, "the key is retired already");
    if (is_own(keychain, &key, &role))
        return error_set(err, STATUS_CONFLICT,
                         "this profile signs with that key: 'dugnad key rotate %s' retires it and "
                         "makes its successor",
                         key_role_name(role));
    TRY(keychain_load(keychain, KEY_ROOT_USE, &root, err));
    add_end(&keyring.retired, &keyring.retired_count, &key, keyring.issued_s);
    next_keyring_prolong(&keyring);
    TRY(publish_keyring(keychain->profile, &keyring, &root, 1, err));
    return refresh_after(keychain, &nothing, err);
}

static int run_retire(void *context, const struct options *options)
{
    struct error err = {0};
    struct public_key key;

    if (public_key_parse(options->operands[0], &key, &err) != STATUS_OK)
        return session_usage(context, options, &err);
    return change(context, options, retire);
}

/* --- revoke --- */

static enum status revoke_key(struct keychain *keychain, const char *key_text, struct error *err)
{
    const struct keyring *keyring = &keychain->profile->trust.keyring;
    struct public_key key;
    enum key_role role;

    TRY(public_key_parse(key_text, &key, err));
    if (keyring_is_revoked(keyring, &key))
        return error_set(err, STATUS_CONFLICT, "the key is revoked already");
    if (is_root_key(keyring, &key))
        return error_set(err, STATUS_CONFLICT,
                         "that is a root key: 'dugnad key revoke root-use' or root-spare replaces "
                         "it");
    if (is_own(keychain, &key, &role))
        return rotate(keychain, role, true, err);
    return revoke_public(keychain, &key, err);
}

static enum status revoke_thing(struct keychain *keychain, const struct options *options,
                                struct error *err)
{
    struct revocable thing;
    const struct revocable_search search = {.is_unit = options_has(options, "unit"),
                                            .may_be_unknown = options_has(options, "unknown")};

    TRY(revocable_find(keychain->profile, options->operands[0], &search, &thing, err));
    return refresh_after(keychain, &thing.revocations, err);
}

static enum status revoke_any(struct keychain *keychain, const struct options *options,
                              struct error *err)
{
    const char *what = options->operands[0];
    enum key_role role;

    if (key_role_parse(what, &role))
        return rotate_named(keychain, role, true, options, err);
    if (text_starts_with(what, "ed25519:"))
        return revoke_key(keychain, what, err);
    return revoke_thing(keychain, options, err);
}

/* An option that is ignored is a thing revoked that was not meant. */
static enum status check_revoke(const struct options *options, struct error *err)
{
    const char *what = options->operands[0];
    bool is_digest = text_starts_with(what, "sha256:");
    struct batch_id batch;

    TRY(revocable_check(what, err));
    TRY(options_belong(options, is_digest, "unit", "a digest", err));
    return options_belong(options, is_digest || batch_parse(what, &batch), "unknown",
                          "a digest or a batch's id", err);
}

static int run_revoke(void *context, const struct options *options)
{
    struct error err = {0};

    if (check_revoke(options, &err) != STATUS_OK)
        return session_usage(context, options, &err);
    return change(context, options, revoke_any);
}

static const struct option_rule rules[] = {KEYCHAIN_OPTION};
static const struct option_rule revoke_rules[] = {
    {.name = "unit", .help = "The digest is a unit's; without this it is an app version's."},
    {.name = "unknown", .help = "Revoke it even if the site knows no such thing."},
    KEYCHAIN_OPTION,
};

const struct command verb_key_rotate = {
    .name = "key rotate",
    .operands = "ROLE",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Replace a key by a new one; what the old one signed stays valid",
    .description =
        "ROLE is root-use, root-spare, app, work or fresh. The old key file stays in the "
        "profile under another name. Replacing a root key needs the other root key. A new "
        "root-spare comes with a recovery sheet, as 'dugnad key init' prints it: print it, and "
        "destroy the one before. Until it is out nothing is published; with --json it is the "
        "member recovery_sheet, printed after that.",
    .examples = "  dugnad key rotate work\n",
    .options = rules,
    .option_count = 1,
    .run = run_rotate,
};

const struct command verb_key_retire = {
    .name = "key retire",
    .operands = "KEY",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Let a publisher's key sign nothing new; what it signed stays valid",
    .description = "KEY is written ed25519:…; for a key this profile uses, 'dugnad key rotate' "
                   "makes its successor in the same step.",
    .examples = "  dugnad key retire ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n",
    .options = rules,
    .option_count = 1,
    .run = run_retire,
};

const struct command verb_key_revoke = {
    .name = "key revoke",
    .operands = "ROLE|KEY|DIGEST|BATCH-ID",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "Take back a key that was stolen, or an app version, batch or unit",
    .description =
        "A role (root-use, root-spare, app, work, fresh) is replaced by a new key at "
        "the same time. "
        "Nothing that a revoked key signed is run any more, and revoked work stops at "
        "once, as soon "
        "as clients see the new keyring or freshness (within minutes). A digest or id that "
        "the site does not know is refused, for it is most likely mistyped.",
    .examples = "  The work key was on a stolen laptop:\n    dugnad key revoke work\n"
                "  An app version that does harm:\n    dugnad key revoke sha256:0123…\n",
    .options = revoke_rules,
    .option_count = sizeof revoke_rules / sizeof *revoke_rules,
    .run = run_revoke,
};
