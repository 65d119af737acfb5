/*
 * What threads other than the engine's may know without asking it: a copy that the engine replaces
 * after each commit that changes it. Every function may be called from any thread and waits for
 * microseconds at most; what it returns is the caller's own.
 */
#ifndef SERVER_ENGINE_PUBLISHED_H
#define SERVER_ENGINE_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/envelope.h"
#include "common/crypto/keys.h"
#include "protocol/bulletin.h"
#include "work-units/refusal.h"
#include "work-units/signer_set.h"
#include "work-units/work_unit.h"

#define PUBLISHED_NOTICES_MAX 16

struct published_facts;

enum token_kind {
    TOKEN_HOST = 1,     /* subject: host */
    TOKEN_ACCOUNT = 2,  /* subject: volunteer. An account's key; good for GET /v1/account alone */
    TOKEN_OPERATOR = 3, /* subject: the credential's row */
    TOKEN_READER = 4,   /* likewise; may only read */
};

/* Whose a token is. Expired, revoked and withdrawn ones are nobody's. */
struct published_credential {
    enum token_kind kind;
    int64_t subject;
    struct public_key key; /* of a host */
    int64_t expires_s;     /* 0: never; the table forgets it then */
};

/* False: not in the table, which proves nothing; ask with COMMAND_CREDENTIAL. */
bool published_find_credential(struct published_facts *published, const struct digest *token,
                               int64_t now_s, struct published_credential *ret_credential);

/* Parts of the public documents, ready to be put into them. Release with project_parts_clear(). */
struct project_parts {
    uint64_t generation;   /* changes when any part does: good for an ETag */
    struct digest project; /* none: no keyring yet */
    int64_t keyring_version;
    int64_t freshness_sequence; /* 0: none yet */
    char *keyrings;             /* owned JSON: [envelope…], as GET /v1/project lists them */
    char *freshness;            /* owned JSON: an envelope, or null */
    char *notices;              /* owned JSON: [envelope…], at most PUBLISHED_NOTICES_MAX */
    struct bulletin_work work;  /* changed by itself */
};

void published_project(struct published_facts *published, struct project_parts *ret_parts);
void project_parts_clear(struct project_parts *parts);

/* What is stopped now, and why in words; "" while nothing is. */
struct published_stops {
    bool issuing; /* no new tasks */
    bool uploads; /* no bodies, no files */
    char why[160];
};

struct published_stops published_stops(struct published_facts *published);

/*
 * Check a unit as trust_admit_unit() does, against the project's newest keyring and freshness, for
 * a batch of that app version: to keep it, for its validity may begin later. STATUS_UNTRUSTED:
 * refused, the code says why. STATUS_NOT_FOUND: no such app version here. On STATUS_OK, *ret_unit
 * is the caller's: work_unit_clear().
 */
enum status published_check_unit(struct published_facts *published,
                                 const struct digest *app_version, const struct envelope *envelope,
                                 int64_t now_s, struct work_unit *ret_unit,
                                 struct signer_set *ret_signers, struct error *err) MUST_USE;

/*
 * Do hosts take what was published, as it is signed, or do they refuse it by now? Whatever
 * freshness says. `now_s` 0: no validity may be judged.
 */
enum refusal published_check_app(struct published_facts *published, const struct envelope *envelope,
                                 int64_t now_s);
/* Of a build; REFUSAL_NONE, too, where there is no such app version. */
enum refusal published_check_variant(struct published_facts *published,
                                     const struct digest *app_version,
                                     const struct envelope *envelope, int64_t now_s);
/* Of a unit: by struct unit's signer, of however many. */
enum refusal published_check_signer(struct published_facts *published, int64_t signer,
                                    int64_t not_before_s, int64_t now_s);

/* May hosts start anything at all? As trust_may_start() says; always, for `now_s` 0. */
enum refusal published_may_start(struct published_facts *published, int64_t now_s);

#endif
