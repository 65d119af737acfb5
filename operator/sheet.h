/* The recovery sheet: with it and the passphrase a project survives the loss of its operator's
 * disk. */
#ifndef OPERATOR_SHEET_H
#define OPERATOR_SHEET_H

#include <jansson.h>

#include "operator/keychain.h"

/* What it is made of. */
struct sheet {
    const struct keychain *keychain;
    const struct public_key *keys[KEY_ROLES]; /* borrowed; NULL: that role's is not named */
    struct disk_path pem;                     /* where the spare root key stands, encrypted */
};

/* For people, to `out` of the session: what to do, the public keys, and the encrypted spare root
 * key. As sheet_flush(). */
enum status sheet_print(const struct sheet *sheet, struct error *err) MUST_USE;

/* The same text as the member "recovery_sheet" of what is to be printed. */
enum status sheet_add_json(const struct sheet *sheet, json_t *root, struct error *err) MUST_USE;

/* What was printed with a sheet in it is out. STATUS_STORAGE: it is not, as the words say. */
enum status sheet_flush(struct session *session, struct error *err) MUST_USE;

#endif
