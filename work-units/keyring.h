/*
 * The keyring: who may sign what in a project, signed by the threshold of its root keys. The
 * identity of version 1 is the project's id.
 *
 * {"type", "version": 1.., "project": name, "issued", "expires", "root": {"threshold", "keys": []},
 *  "publishers": [{"key", "role": "app"|"work"|"fresh", "apps"?: [names], "not_before",
 *  "not_after"}], "retired": [{"key", "at"}], "revoked": [{"key", "at"}], "urls": [], "tls_cas":
 * []}
 */
#ifndef WORK_UNITS_KEYRING_H
#define WORK_UNITS_KEYRING_H

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/envelope.h"
#include "common/crypto/keys.h"
#include "work-units/names.h"

#define KEYRING_TYPE           "application/vnd.dugnad.keyring+json"
#define KEYRING_LIFE_MAX_S     (400 * DAY_S)
#define KEYRING_NAME_MAX       100 /* bytes of the project's name */
#define KEYRING_ROOTS_MAX      16
#define KEYRING_PUBLISHERS_MAX 64
#define KEYRING_APPS_MAX       64  /* that one key covers by name */
#define KEYRING_ENDS_MAX       256 /* retired keys; revoked keys */
#define KEYRING_URLS_MAX       8
#define KEYRING_URL_MAX        255 /* characters */
#define KEYRING_CAS_MAX        8

enum publisher_role {
    ROLE_APP = 1,   /* app versions, variants */
    ROLE_WORK = 2,  /* work units, notices */
    ROLE_FRESH = 3, /* freshness */
};

struct publisher {
    struct public_key key;
    enum publisher_role role;
    struct texts apps;    /* names, only for ROLE_APP; none: every app */
    int64_t not_before_s; /* valid from ... */
    int64_t not_after_s;  /* ... and up to this, inclusive; later than not_before_s */
};

/* A key's end: retired (what it signed before stays valid) or revoked (nothing does). */
struct key_end {
    struct public_key key;
    int64_t at_s;
};

struct root_set {
    size_t threshold; /* 1..key_count */
    size_t key_count; /* 1..KEYRING_ROOTS_MAX */
    struct public_key keys[KEYRING_ROOTS_MAX];
};

/* A key is a root key or one publisher's, once. A current root key is not revoked. */
struct keyring {
    int64_t version; /* 1.. */
    char project[KEYRING_NAME_MAX + 1];
    int64_t issued_s;
    int64_t expires_s; /* up to KEYRING_LIFE_MAX_S after issued_s */
    struct root_set root;
    struct publisher *publishers; /* owned */
    size_t publisher_count;
    struct key_end *retired; /* owned; each is one of the publishers still, else its role is lost */
    size_t retired_count;
    struct key_end *revoked; /* owned; a publisher or no longer one */
    size_t revoked_count;
    struct texts urls;                      /* https://... the project answers at */
    struct digest tls_cas[KEYRING_CAS_MAX]; /* SHA-256 of the DER of CAs it uses */
    size_t tls_ca_count;
};

/*
 * The payload's bytes. STATUS_TOO_LARGE, STATUS_INVALID; the error's code is a refusal's. What was
 * decoded is owned by *ret_keyring: keyring_clear().
 */
enum status keyring_decode(const char *payload, size_t length, struct keyring *ret_keyring,
                           struct error *err) MUST_USE;

/* Members in the order above; free it. Decode it before signing: encoding checks nothing. */
char *keyring_encode(const struct keyring *keyring);
void keyring_clear(struct keyring *keyring);

/* NULL: no publisher has this key. */
const struct publisher *keyring_publisher(const struct keyring *keyring,
                                          const struct public_key *key);
bool keyring_is_revoked(const struct keyring *keyring, const struct public_key *key);

/* When the key was retired; INT64_MAX: it was not. */
int64_t keyring_retired_s(const struct keyring *keyring, const struct public_key *key);

/* The publisher's key covers an app of this name. */
bool publisher_covers(const struct publisher *publisher, const char *app);

/* At least the threshold of distinct root keys signed it. */
bool root_set_signed(const struct root_set *root, const struct envelope *envelope);
bool root_set_equals(const struct root_set *a, const struct root_set *b);

/* "app", "work", "fresh". */
const char *publisher_role_name(enum publisher_role role);

#endif
