#include "operator/keychain.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[KEY_ROLES] = {"root-use", "root-spare", "app", "work", "fresh"};

const char *key_role_name(enum key_role role)
{
    return names[role];
}

bool key_role_parse(const char *name, enum key_role *ret_role)
{
    for (int role = 0; role < KEY_ROLES; role++) {
        if (strcmp(name, names[role]) == 0) {
            *ret_role = (enum key_role)role;
            return true;
        }
    }
    if (strcmp(name, "root") != 0)
        return false;
    *ret_role = KEY_ROOT_USE;
    return true;
}

void keychain_init(struct keychain *keychain, struct profile *profile)
{
    *keychain = (struct keychain){.profile = profile};
}

void keychain_clear(struct keychain *keychain)
{
    secret_clear(keychain->passphrase, sizeof keychain->passphrase);
}

/* --- the passphrase --- */

static enum status take_from_file(struct keychain *keychain, const char *path, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct error why = {0};
    enum status status;
    size_t length;

    buffer_init(&content, 2 * SECRET_MAX);
    status = session_read(keychain->profile->session, path, &content, &why);
    if (status != STATUS_OK)
        return error_set(err, status, "the passphrase file %s", why.text);
    length = strcspn(buffer_text(&content), "\r\n");
    if (length >= sizeof keychain->passphrase)
        return error_set(err, STATUS_TOO_LARGE, "the passphrase has more than %d bytes",
                         SECRET_MAX - 1);
    memcpy(keychain->passphrase, buffer_text(&content), length);
    keychain->passphrase[length] = '\0';
    secret_clear(content.bytes, content.length);
    return STATUS_OK;
}

static enum status ask(struct keychain *keychain, bool is_new, struct error *err)
{
    struct session *session = keychain->profile->session;
    char again[SECRET_MAX];
    bool is_same;

    if (!session->can_ask || session->ask_secret == NULL ||
        !session->ask_secret(session, "Passphrase of the project's keys: ", keychain->passphrase,
                             sizeof keychain->passphrase))
        return error_set(err, STATUS_FORBIDDEN,
                         "the keys need their passphrase: --passphrase-file FILE, or "
                         "DUGNAD_PASSPHRASE_FILE");
    if (!is_new)
        return STATUS_OK;
    is_same = session->ask_secret(session, "The same again: ", again, sizeof again) &&
              strcmp(again, keychain->passphrase) == 0;
    secret_clear(again, sizeof again);
    return is_same ? STATUS_OK : error_set(err, STATUS_INVALID, "the two passphrases differ");
}

enum status keychain_unlock(struct keychain *keychain, const struct options *options, bool is_new,
                            struct error *err)
{
    const char *path =
        options_text_or(options, "passphrase-file", keychain->profile->session->passphrase_file);

    if (keychain->has_passphrase)
        return STATUS_OK;
    TRY(path != NULL ? take_from_file(keychain, path, err) : ask(keychain, is_new, err));
    if (keychain->passphrase[0] == '\0')
        return error_set(err, STATUS_INVALID, "the passphrase is empty");
    keychain->has_passphrase = true;
    return STATUS_OK;
}

/* --- the files --- */

enum status keychain_path(const struct keychain *keychain, enum key_role role,
                          struct disk_path *ret_path, struct error *err)
{
    return profile_path(keychain->profile, ret_path, err, "keys/%s.pem", names[role]);
}

static enum status make_at(struct keychain *keychain, const struct disk_path *path,
                           struct private_key *ret_key, struct error *err)
{
    struct env *env = keychain->profile->session->env;
    CLEANUP(private_key_clear) struct private_key key = {0};

    private_key_generate(&key, env);
    TRY(private_key_save(&key, env, path->text, keychain->passphrase, err));
    *ret_key = key;
    key = (struct private_key){0};
    return STATUS_OK;
}

/* --- the first ones --- */

enum status keychain_first_path(const struct keychain *keychain, enum key_role role,
                                struct disk_path *ret_path, struct error *err)
{
    return profile_path(keychain->profile, ret_path, err, "keys/%s-first.pem", names[role]);
}

static bool has_first(const struct keychain *keychain, enum key_role role)
{
    struct disk_path path;

    return keychain_first_path(keychain, role, &path, NULL) == STATUS_OK &&
           disk_has(keychain->profile->session->env->disk, path.text);
}

bool keychain_has_first(const struct keychain *keychain)
{
    for (int role = 0; role < KEY_ROLES; role++)
        if (has_first(keychain, (enum key_role)role))
            return true;
    return false;
}

/* What an attempt before made. Its sheet may be on paper: it is not replaced by another one. */
static enum status take_first(struct keychain *keychain, const struct disk_path *path,
                              struct private_key *ret_key, struct error *err)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct error why = {0};
    enum status status = private_key_load(ret_key, disk, path->text, keychain->passphrase, &why);

    if (status == STATUS_OK)
        return STATUS_OK;
    return error_set(err, status,
                     "%.150s, made by a 'key init' that was cut short, cannot be used (%.100s): "
                     "give the passphrase of that time, or remove the keys of that attempt from "
                     "its folder, to begin anew",
                     path->text, why.text);
}

enum status keychain_make_first(struct keychain *keychain, enum key_role role,
                                struct public_key *ret_public, struct error *err)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    struct disk *disk = keychain->profile->session->env->disk;
    struct disk_path first, named;

    TRY(keychain_first_path(keychain, role, &first, err));
    TRY(keychain_path(keychain, role, &named, err));
    if (disk_has(disk, named.text))
        TRY(take_first(keychain, &named, &key, err));
    else if (disk_has(disk, first.text))
        TRY(take_first(keychain, &first, &key, err));
    else
        TRY(make_at(keychain, &first, &key, err));
    *ret_public = key.public_key;
    return STATUS_OK;
}

static enum status name_first(struct keychain *keychain, enum key_role role, struct error *err)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct disk_path first, named;

    TRY(keychain_first_path(keychain, role, &first, err));
    TRY(keychain_path(keychain, role, &named, err));
    return has_first(keychain, role) ? disk->rename(disk, first.text, named.text, err) : STATUS_OK;
}

enum status keychain_name_first(struct keychain *keychain, struct error *err)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct disk_path folder;

    TRY(profile_path(keychain->profile, &folder, err, "keys"));
    for (int role = KEY_ROOT_USE + 1; role < KEY_ROLES; role++)
        TRY(name_first(keychain, (enum key_role)role, err));
    TRY(disk->sync_folder(disk, folder.text, err));
    TRY(name_first(keychain, KEY_ROOT_USE, err));
    return disk->sync_folder(disk, folder.text, err);
}

void keychain_drop_first(struct keychain *keychain)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct disk_path path;

    for (int role = 0; role < KEY_ROLES; role++)
        if (keychain_path(keychain, (enum key_role)role, &path, NULL) != STATUS_OK ||
            disk_has(disk, path.text))
            return;
    for (int role = 0; role < KEY_ROLES; role++)
        if (keychain_first_path(keychain, (enum key_role)role, &path, NULL) == STATUS_OK)
            (void)disk->remove(disk, path.text, NULL);
    if (profile_path(keychain->profile, &path, NULL, "keys") == STATUS_OK)
        (void)disk->sync_folder(disk, path.text, NULL);
}

/* --- the next ones --- */

enum status keychain_next_path(const struct keychain *keychain, enum key_role role,
                               struct disk_path *ret_path, struct error *err)
{
    return profile_path(keychain->profile, ret_path, err, "keys/%s-next.pem", names[role]);
}

enum status keychain_make_next(struct keychain *keychain, enum key_role role,
                               struct private_key *ret_key, struct error *err)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct disk_path path;

    TRY(keychain_next_path(keychain, role, &path, err));
    if (disk_has(disk, path.text)) /* an earlier attempt did not come to its end */
        return private_key_load(ret_key, disk, path.text, keychain->passphrase, err);
    return make_at(keychain, &path, ret_key, err);
}

enum status keychain_replace(struct keychain *keychain, enum key_role role, struct error *err)
{
    struct env *env = keychain->profile->session->env;
    struct disk_path now, next, past, folder;

    TRY(keychain_path(keychain, role, &now, err));
    TRY(keychain_next_path(keychain, role, &next, err));
    TRY(profile_path(keychain->profile, &past, err, "keys/%s-until-%" PRId64 ".pem", names[role],
                     env->now_s(env)));
    TRY(profile_path(keychain->profile, &folder, err, "keys"));
    if (disk_has(env->disk, now.text)) /* else we were cut between the two */
        TRY(env->disk->rename(env->disk, now.text, past.text, err));
    TRY(env->disk->rename(env->disk, next.text, now.text, err));
    return env->disk->sync_folder(env->disk, folder.text, err);
}

enum status keychain_load(struct keychain *keychain, enum key_role role,
                          struct private_key *ret_key, struct error *err)
{
    struct disk *disk = keychain->profile->session->env->disk;
    struct error why = {0};
    struct disk_path path;
    enum status status;

    TRY(keychain_path(keychain, role, &path, err));
    status = private_key_load(ret_key, disk, path.text, keychain->passphrase, &why);
    if (status == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND,
                         "this profile has no %s key: 'dugnad key init', or copy it to %.100s",
                         names[role], path.text);
    if (status == STATUS_OK)
        return STATUS_OK;
    return error_set(err, status, "the %s key cannot be used: %s", names[role], why.text);
}
