/* dugnad key init: make the project's keys. */
#include <errno.h>
#include <string.h>

#include "common/json/build.h"
#include "operator/keychain.h"
#include "operator/verbs.h"

static enum status refuse_if_any(const struct keychain *keychain, struct error *err)
{
    struct disk_path path;

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
        TRY(keychain_make(keychain, (enum key_role)role, &ret_keys[role], err));
    return STATUS_OK;
}

/* What belongs on paper: with it and the passphrase the project survives the loss of this disk. */
static enum status print_sheet(const struct keychain *keychain, const struct public_key *keys,
                               struct error *err)
{
    struct session *session = keychain->profile->session;
    struct disk *disk = session->env->disk;
    CLEANUP(buffer_clear) struct buffer pem = {0};
    struct disk_path path;

    buffer_init(&pem, 16384);
    TRY(keychain_path(keychain, KEY_ROOT_SPARE, &path, err));
    TRY(disk->read(disk, path.text, &pem, err));
    (void)fprintf(session->out,
                  "RECOVERY SHEET of the project at %s, made %s\n\n"
                  "Print this and keep it away from this machine. Then delete the file\n"
                  "  %s\n"
                  "With the spare root key and the passphrase you can replace every other key.\n"
                  "Without both, a lost root key means a new project.\n\n",
                  keychain->profile->url, shown_time(session->env->now_s(session->env)).text,
                  path.text);
    for (int role = 0; role < KEY_ROLES; role++)
        (void)fprintf(session->out, "  %-10s %s\n", key_role_name((enum key_role)role),
                      public_key_format(&keys[role]).text);
    (void)fprintf(session->out, "\nThe spare root key, encrypted with the passphrase:\n\n%s\n",
                  buffer_text(&pem));
    return STATUS_OK;
}

static enum status flush(struct session *session, struct error *err)
{
    bool is_lost = ferror(session->out) != 0;

    errno = 0;
    if (fflush(session->out) == 0 && !is_lost)
        return STATUS_OK;
    (void)error_set(err, STATUS_STORAGE,
                    "the recovery sheet could not be printed, so there are no keys");
    if (errno != 0)
        error_detail(err, "standard output: %s", strerror(errno));
    clearerr(session->out);
    return STATUS_STORAGE;
}

static void print_json(struct session *session, const struct public_key *keys)
{
    json_auto_t *root = json_object();
    CLEANUP(freep) char *text = NULL;

    for (int role = 0; role < KEY_ROLES; role++)
        build_set(root, key_role_name((enum key_role)role),
                  json_string(public_key_format(&keys[role]).text));
    text = json_dumps(root, JSON_COMPACT);
    session_print(session, text);
}

/* Keys that nobody has the sheet of must not become the project's. */
static enum status make_and_print(struct keychain *keychain, const struct options *options,
                                  struct error *err)
{
    struct session *session = keychain->profile->session;
    struct public_key keys[KEY_ROLES];

    TRY(make_all(keychain, keys, err));
    if (options_has(options, "json"))
        print_json(session, keys);
    else
        TRY(print_sheet(keychain, keys, err));
    return flush(session, err);
}

/* As well as it can be: why there are none is told already. */
static void remove_all(const struct keychain *keychain)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct disk_path path;

    for (int role = 0; role < KEY_ROLES; role++)
        if (keychain_path(keychain, (enum key_role)role, &path, NULL) == STATUS_OK)
            (void)disk->remove(disk, path.text, NULL);
    if (profile_path(keychain->profile, &path, NULL, "keys") == STATUS_OK)
        (void)disk->sync_folder(disk, path.text, NULL);
}

static int run(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(profile_clear) struct profile profile = {0};
    CLEANUP(keychain_clear) struct keychain keychain;
    struct error err = {0};

    keychain_init(&keychain, &profile);
    if (profile_open(&profile, session, options, &err) != STATUS_OK ||
        prepare(&keychain, options, &err) != STATUS_OK)
        return session_fail(session, &err);
    if (make_and_print(&keychain, options, &err) != STATUS_OK) {
        remove_all(&keychain);
        return session_fail(session, &err);
    }
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
        "holds them. The sheet that is printed belongs on paper, away from this machine.",
    .examples = "  dugnad key init > recovery-sheet.txt\n",
    .options = rules,
    .option_count = 1,
    .run = run,
};
