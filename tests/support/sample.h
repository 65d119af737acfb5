/*
 * A whole small project, signed: keys, keyring, freshness, an app version with a variant, a unit.
 * A test changes what it wants and seals again. Everything is the same in every run.
 */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

#include "work-units/trust.h"

#define SAMPLE_NOW_S INT64_C(1767225600) /* 2026-01-01; all is valid from a day before on */

struct sample {
    struct private_key root[3]; /* the first two are the root set, with threshold 2 */
    struct private_key app;     /* publisher of role app, covers the app "primes" */
    struct private_key work;
    struct private_key fresh;
    struct private_key stranger;    /* of no project */
    struct keyring keyring;         /* version 1 */
    struct freshness freshness;     /* sequence 1 */
    struct app_version app_version; /* "primes" 1, one output "out" of 1000 bytes on stdout */
    struct variant variant;         /* native x86_64-linux-gnu, one file "primes" */
    struct work_unit unit;          /* one fetched input "data", one inline "note" */
    struct notice notice;
    struct digest project;
    struct digest app_digest;
};

/* Digests that one thing holds of another are those of the things as they are made here. */
void sample_init(struct sample *sample);
void sample_clear(struct sample *sample); /* for CLEANUP(), too */

/* Encode and sign; the caller clears the envelope. Keyrings by root[0] and root[1]. */
struct envelope sample_seal(const char *type, const char *payload, const struct private_key *key);
struct envelope sample_seal_keyring(const struct sample *sample);
struct envelope sample_seal_freshness(const struct sample *sample);
struct envelope sample_seal_app_version(const struct sample *sample);
struct envelope sample_seal_variant(const struct sample *sample);
struct envelope sample_seal_unit(const struct sample *sample);
struct envelope sample_seal_notice(const struct sample *sample);

/*
 * In place of this key's signature, put a sound one of the stranger's that says to be this key's:
 * nothing but checking it against the key tells the two apart.
 */
void sample_forge(const struct sample *sample, struct envelope *envelope,
                  const struct private_key *key);

/*
 * The next keyring revokes this key of a publisher, in whose place comes another, made of `seed`
 * (tests/support/messages.h). Seal and publish it, and what the new key is to sign.
 */
void sample_revoke_key(struct sample *sample, struct private_key *key, unsigned seed);

/* Trust with the keyring and freshness as they are. */
void sample_trust(const struct sample *sample, struct trust *ret_trust);

#endif
