/* The project's private keys, which no server ever holds: files of the profile, encrypted. */
#ifndef OPERATOR_KEYCHAIN_H
#define OPERATOR_KEYCHAIN_H

#include "common/crypto/keys.h"
#include "operator/profile.h"

enum key_role { KEY_ROOT_USE, KEY_ROOT_SPARE, KEY_APP, KEY_WORK, KEY_FRESH, KEY_ROLES };

/* "root-use", "root-spare", "app", "work", "fresh": also the file's name. */
const char *key_role_name(enum key_role role);

/* False: no such role. "root" is KEY_ROOT_USE. */
bool key_role_parse(const char *name, enum key_role *ret_role);

/* The passphrase, asked for once per command. */
struct keychain {
    struct profile *profile; /* borrowed */
    bool has_passphrase;
    char passphrase[SECRET_MAX];
};

/* Nothing is read yet. `options` has "passphrase-file". */
void keychain_init(struct keychain *keychain, struct profile *profile);
void keychain_clear(struct keychain *keychain); /* wipes it; for CLEANUP(), too */

/*
 * From --passphrase-file, DUGNAD_PASSPHRASE_FILE or the terminal (twice if it is new). An empty one
 * is refused. STATUS_FORBIDDEN: nobody gave one.
 */
enum status keychain_unlock(struct keychain *keychain, const struct options *options, bool is_new,
                            struct error *err) MUST_USE;

/*
 * The first keys of a profile are made under names beside their own, NAME-first.pem, where nothing
 * uses them, and get their own names together once somebody has the sheet of them: killed at any
 * moment in between, `key init` may be given again and goes on with the same ones.
 *
 * keychain_make_first() makes that key, or takes the one that an attempt before left under either
 * name; which has to open with the passphrase.
 */
enum status keychain_make_first(struct keychain *keychain, enum key_role role,
                                struct public_key *ret_public, struct error *err) MUST_USE;

enum status keychain_first_path(const struct keychain *keychain, enum key_role role,
                                struct disk_path *ret_path, struct error *err) MUST_USE;

/* Are there any under those names? */
bool keychain_has_first(const struct keychain *keychain);

/* All get their names, that of the root key last: without it nothing is published. Durable. */
enum status keychain_name_first(struct keychain *keychain, struct error *err) MUST_USE;

/* Remove them, as well as it can be; but not if one has its name already. Only for who made all of
 * them himself: of those that keychain_has_first() told of before, somebody may have the sheet. */
void keychain_drop_first(struct keychain *keychain);

/* Under a name beside the role's, for keychain_replace(). */
enum status keychain_make_next(struct keychain *keychain, enum key_role role,
                               struct private_key *ret_key, struct error *err) MUST_USE;

/* The path of that. */
enum status keychain_next_path(const struct keychain *keychain, enum key_role role,
                               struct disk_path *ret_path, struct error *err) MUST_USE;

/* The next key becomes the role's; the one before is kept as NAME-until-<time>.pem. */
enum status keychain_replace(struct keychain *keychain, enum key_role role, struct error *err)
    MUST_USE;

enum status keychain_load(struct keychain *keychain, enum key_role role,
                          struct private_key *ret_key, struct error *err) MUST_USE;

/* The path of the role's file. */
enum status keychain_path(const struct keychain *keychain, enum key_role role,
                          struct disk_path *ret_path, struct error *err) MUST_USE;

#define KEYCHAIN_OPTION                                                                            \
    {                                                                                              \
        .name = "passphrase-file", .argument = "FILE",                                             \
        .help = "The keys' passphrase, the first line of this file or pipe of up to 2 KiB; else "  \
                "$DUGNAD_PASSPHRASE_FILE, else you are asked."                                     \
    }

#endif
