/* dugnad key init: make the project's keys. */
#include "common/json/build.h"
#include "operator/sheet.h"
#include "operator/verbs.h"

/* But for those of an attempt that was cut short. */
static enum status refuse_if_any(const struct keychain *keychain, struct error *err)
{
    struct disk_path path;

    if (keychain_has_first(keychain))
        return STATUS_OK;
    for (int role = 0; role < KEY_ROLES; role++) {
        TRY(keychain_path(keychain, (enum key_role)role, &path, err));
        if (disk_has(keychain->profile->session->env->disk, path.text))
            return error_set(err, STATUS_CONFLICT,
                             "there are keys in %.100s/keys already: keys are never overwritten",
                             keychain->profile->folder.text);
    }
    return STATUS_OK;
}

/* Leaves what a repeat can begin with: no key of ours is made. */
static enum status prepare(struct keychain *keychain, const struct options *options,
                           struct error *err)
{
    TRY(refuse_if_any(keychain, err));
    TRY(keychain_unlock(keychain, options, true, err));
    TRY(profile_hold(keychain->profile, err));
    TRY(refuse_if_any(keychain, err));           /* again: nobody else makes any now */
    return profile_save(keychain->profile, err); /* the folders */
}

static enum status make_all(struct keychain *keychain, struct public_key *ret_keys,
                            struct error *err)
{
    for (int role = 0; role < KEY_ROLES; role++)
        TRY(keychain_make_first(keychain, (enum key_role)role, &ret_keys[role], err));
    return STATUS_OK;
}

/* The encrypted spare root key: under which name it stands yet. */
static enum status find_spare(const struct keychain *keychain, struct disk_path *ret_path,
                              struct error *err)
{
    TRY(keychain_first_path(keychain, KEY_ROOT_SPARE, ret_path, err));
    if (disk_has(keychain->profile->session->env->disk, ret_path->text))
        return STATUS_OK;
    return keychain_path(keychain, KEY_ROOT_SPARE, ret_path, err);
}

static enum status print_json(const struct sheet *sheet, struct error *err)
{
    struct session *session = sheet->keychain->profile->session;
    json_auto_t *root = json_object();
    CLEANUP(freep) char *text = NULL;

    for (int role = 0; role < KEY_ROLES; role++)
        build_set(root, key_role_name((enum key_role)role),
                  json_string(public_key_format(sheet->keys[role]).text));
    TRY(sheet_add_json(sheet, root, err));
    text = json_dumps(root, JSON_COMPACT);
    session_print(session, text);
    return sheet_flush(session, err);
}

/* Keys that nobody has the sheet of must not become the project's: until it is out they do not have
 * their names. */
static enum status make_and_print(struct keychain *keychain, const struct options *options,
                                  struct error *err)
{
    struct sheet sheet = {.keychain = keychain};
    struct public_key keys[KEY_ROLES];

    TRY(make_all(keychain, keys, err));
    for (int role = 0; role < KEY_ROLES; role++)
        sheet.keys[role] = &keys[role];
    TRY(find_spare(keychain, &sheet.pem, err));
    return options_has(options, "json") ? print_json(&sheet, err) : sheet_print(&sheet, err);
}

/* What cannot be handed out is not kept; but the sheet of keys that were there before may be on
 * paper. */
static enum status hand_out(struct keychain *keychain, const struct options *options,
                            struct error *err)
{
    const bool is_repeat = keychain_has_first(keychain);
    enum status status;

    if (is_repeat)
        session_say(keychain->profile->session, options,
                    "An attempt before was cut short: these are its keys, and their sheet.");
    status = make_and_print(keychain, options, err);
    if (status != STATUS_OK && !is_repeat)
        keychain_drop_first(keychain);
    return status;
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(keychain_clear) struct keychain keychain;
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        prepare(&keychain, options, &err) != STATUS_OK ||
        hand_out(&keychain, options, &err) != STATUS_OK ||
        keychain_name_first(&keychain, &err) != STATUS_OK)
        return session_fail(session, &err);
    session_say(session, options, "Next: 'dugnad key publish'.");
    return EXIT_DONE;
}

static const struct option_rule rules[] = {KEYCHAIN_OPTION};

const struct command verb_key_init = {
    .name = "key init",
    .summary = "Make the project's keys and print a recovery sheet",
    .description =
        "Makes two root keys (one to use, one to keep spare), and the keys that sign apps, work "
        "and "
        "freshness. They are kept in the profile, encrypted with one passphrase; no server ever "
        "holds them. The sheet that is printed belongs on paper, away from this machine. Until it "
        "is out nothing uses the keys: cut short, the same command goes on with the same keys, and "
        "prints their sheet again. With --json it is the member recovery_sheet.",
    .examples = "  dugnad key init > recovery-sheet.txt\n",
    .options = rules,
    .option_count = 1,
    .run = run,
};
