/*
 * The chain of trust of one project, as a client, an operator or a server keeps it: from the
 * project id that was pinned, over keyrings and freshness, to every signed thing (invariant I1).
 *
 * Pure: the caller says what time it is. Validity is judged at that time or, if the clock lags
 * behind, at the latest signed time ever seen. Each check returns why the thing is refused, with
 * words in `err` (may be NULL) that name what is wrong; on REFUSAL_NONE alone `ret_` is written.
 *
 * Whoever accepts a keyring or freshness stores the state (trust_encode()) durably before using it.
 */
#ifndef WORK_UNITS_TRUST_H
#define WORK_UNITS_TRUST_H

#include "common/crypto/envelope.h"
#include "work-units/app_version.h"
#include "work-units/freshness.h"
#include "work-units/keyring.h"
#include "work-units/notice.h"
#include "work-units/refusal.h"
#include "work-units/signer_set.h"
#include "work-units/variant.h"
#include "work-units/work_unit.h"

/* Zeroed: of no project. Read its members freely; only the functions change them. */
struct trust {
    struct digest project;            /* pinned: the identity of keyring version 1 */
    struct envelope keyring_envelope; /* the newest keyring; its digest is its identity */
    struct keyring keyring;
    bool has_freshness;
    struct envelope freshness_envelope;
    struct freshness freshness;
    int64_t latest_signed_s; /* the latest time that a keyring or freshness accepted was issued */
    struct signer_sets signer_sets; /* trust_learn_signers(); no part of the stored state */
};

void trust_clear(struct trust *trust); /* for CLEANUP(), too */

/* From keyring version 1, whose identity must be `project`, on. *ret_trust has to be clear. */
enum refusal trust_start(struct trust *ret_trust, const struct digest *project,
                         const struct envelope *keyring, struct error *err) MUST_USE;

/*
 * Take a later keyring: signed by the threshold of the root set known *and* of its own (the same,
 * unless it changes the root). Clients may skip versions that did not change the root. The one
 * known already is taken again without effect. A freshness whose key it revokes or drops is
 * forgotten.
 * REFUSAL_KEYRING_FORK: another keyring of the version known, with enough signatures: stop the
 * project and keep both. REFUSAL_KEYRING_ROLLBACK: an older version.
 */
enum refusal trust_accept_keyring(struct trust *trust, const struct envelope *keyring,
                                  struct error *err) MUST_USE;

/*
 * Take a freshness. Its sequence must not fall; the one known already is taken again without
 * effect. One that is stale at `now_s` is taken as well (its revocations hold): what it allows is
 * trust_may_start()'s answer. REFUSAL_NEEDS_NEWER_KEYRING: fetch keyrings first.
 * REFUSAL_KEYRING_FORK: it names another keyring of the version known.
 */
enum refusal trust_accept_freshness(struct trust *trust, const struct envelope *freshness,
                                    int64_t now_s, struct error *err) MUST_USE;

/* When validity is judged, if the clock says `now_s`. */
int64_t trust_judged_s(const struct trust *trust, int64_t now_s);

/* May anything new be started? REFUSAL_STALE_FRESHNESS or REFUSAL_KEYRING_EXPIRED: no. */
enum refusal trust_may_start(const struct trust *trust, int64_t now_s, struct error *err) MUST_USE;

/* What a signed thing is checked for. */
enum trust_purpose {
    TRUST_START = 1,  /* to run or show it: everything counts, trust_may_start() included */
    TRUST_FINISH = 2, /* started before: what has merely run out or gone stale does not count */
    TRUST_KEEP = 3,   /* to store it for others: neither freshness nor being valid already */
};

struct trust_moment {
    enum trust_purpose purpose;
    int64_t now_s;
};

/*
 * Signatures by publishers: one of a suitable role, valid, not revoked, covering the app. A retired
 * key's signature counts if the thing is from before: a unit by its not_before, a notice and a
 * freshness by its issue; app versions and variants tell no time, what a retired key signed stays.
 */
enum refusal trust_check_app_version(const struct trust *trust, const struct envelope *envelope,
                                     const struct trust_moment *moment, struct app_version *ret_app,
                                     struct error *err) MUST_USE;

/* An app version that was checked, with its identity. Borrowed. */
struct checked_app {
    struct digest digest;
    const struct app_version *app;
};

enum refusal trust_check_variant(const struct trust *trust, const struct envelope *envelope,
                                 const struct checked_app *app, const struct trust_moment *moment,
                                 struct variant *ret_variant, struct error *err) MUST_USE;

enum refusal trust_check_unit(const struct trust *trust, const struct envelope *envelope,
                              const struct checked_app *app, const struct trust_moment *moment,
                              struct work_unit *ret_unit, struct error *err) MUST_USE;

/*
 * The same, with the signers any of whose signatures makes it good: their number is to be kept with
 * the unit, by which trust_check_signer() asks again what became of these keys since, without the
 * envelope. A key's is of its digest, in 1..2^63-1: only a holder of the root could make two meet.
 */
#define TRUST_SIGNER_UNKNOWN 0
enum refusal trust_admit_unit(const struct trust *trust, const struct envelope *envelope,
                              const struct checked_app *app, const struct trust_moment *moment,
                              struct work_unit *ret_unit, struct signer_set *ret_signers,
                              struct error *err) MUST_USE;
int64_t trust_signer_of(const struct public_key *key);

/* What the number of several stands for; they stay known, here and in copies. False: there is no
 * room (SIGNER_SETS_MAX). One alone needs it not. */
bool trust_learn_signers(struct trust *trust, const struct signer_set *signers);

/* REFUSAL_NONE: a signature of the signer, or of one of them, on a unit that is valid from
 * `not_before_s` on still holds, or it is TRUST_SIGNER_UNKNOWN. Else why the first does not. It
 * looks at keys alone: not at freshness. */
enum refusal trust_check_signer(const struct trust *trust, int64_t signer, int64_t not_before_s,
                                const struct trust_moment *moment) MUST_USE;

enum refusal trust_check_notice(const struct trust *trust, const struct envelope *envelope,
                                const struct trust_moment *moment, struct notice *ret_notice,
                                struct error *err) MUST_USE;

/* May a unit run with this variant? Both were checked. REFUSAL_NOT_ALLOWED_HERE and others. */
enum refusal trust_check_pair(const struct work_unit *unit, const struct variant *variant,
                              struct error *err) MUST_USE;

/*
 * Was something that runs already revoked meanwhile? Its app version, batch or unit. After a new
 * keyring, check envelopes again with TRUST_FINISH: their keys may have been revoked.
 */
enum refusal trust_check_revoked(const struct trust *trust, const struct digest *unit_digest,
                                 const struct work_unit *unit, struct error *err) MUST_USE;

/*
 * Bytes that were fetched for a name: REFUSAL_CHANGED_INPUT (also for a name that was not signed),
 * REFUSAL_CHANGED_EXECUTABLE, REFUSAL_LARGER_THAN_SIGNED. Ask with the size alone (digest NULL)
 * while bytes are still coming.
 */
enum refusal trust_check_input(const struct work_unit *unit, const char *name, int64_t size,
                               const struct digest *digest, struct error *err) MUST_USE;
enum refusal trust_check_file(const struct variant *variant, const char *name, int64_t size,
                              const struct digest *digest, struct error *err) MUST_USE;

/*
 * For durable storage: JSON of up to TRUST_STATE_MAX bytes, to be freed. Decoding verifies all of
 * it again. STATUS_INVALID: it is not a state; STATUS_UNTRUSTED: its signatures do not hold (the
 * error's code is the refusal's).
 */
#define TRUST_STATE_MAX (512 * 1024)
char *trust_encode(const struct trust *trust);
enum status trust_decode(const char *bytes, size_t length, struct trust *ret_trust,
                         struct error *err) MUST_USE;

/* A copy to try things on: what is refused must leave no trace. Clear if `trust` is. */
void trust_copy(const struct trust *trust, struct trust *ret_copy);

#endif
