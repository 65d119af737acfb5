/*
 * What operators and volunteers make: the site, its keyrings and news, apps, files, batches and
 * their units, accounts and tokens.
 *
 * Every function that changes something is called inside a transaction (txn_begin()), is idempotent
 * by what it names, and writes no journal entry: that is the engine's, in the same transaction.
 * After a failure the transaction is good for a roll-back alone: part may have been written.
 * Errors, memory and threads: as db/store.h says. Envelopes are kept as the bytes they came in;
 * nothing here verifies them.
 */
#ifndef DB_PUBLISH_H
#define DB_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "db/work.h"
#include "work-units/signer_set.h"
#include "work-units/unit.h"

struct store;

#define SITE_NAME_MAX        100
#define CREDENTIAL_LABEL_MAX 64
#define VOLUNTEER_NAME_MAX   64
#define PREFIX_MAX           48 /* an address prefix as text, "2001:db8::/56" */

/* What a site knows of itself. One row, and one of this server. */
struct site {
    char name[SITE_NAME_MAX + 1];
    struct digest project; /* none before keyring version 1 */
    int64_t incarnation;   /* rises when the site is restored from a backup; 1 at first */
    int64_t restored_s;    /* when it did last; 0: never */
    int64_t created_s;
    int64_t server;      /* this server's number, given by the store; 1 */
    int64_t up_s;        /* its up-time clock: what deadlines count */
    int64_t committed_s; /* wall time of its last commit */
    int64_t work_mark;   /* of the bulletin (server/policy/hailing.h): the highest of any server */
    int64_t looks_restored; /* the incarnation in which hosts showed one of its servers that it was
                               put back from an older copy (server/policy/rollback.h); 0: none */
    bool is_clock_refused;  /* nothing expires until an operator confirms the clock */
};

/* Bytes that are somebody else's for the length of a call. */
struct span {
    const void *bytes;
    size_t length;
};

struct keyring_record {
    int64_t version; /* 1, 2, 3 … without a gap */
    struct digest digest;
    bool is_root_change; /* kept for ever; so is version 1 */
    int64_t expires_s;
    int64_t time_s; /* when it came */
    struct span envelope;
};

struct freshness_record {
    int64_t sequence; /* rises */
    struct digest digest;
    int64_t keyring_version;
    int64_t expires_s;
    int64_t time_s;
    bool
        begins_anew; /* what is there holds no more, its key being revoked: whatever its sequence */
    struct span envelope;
};

struct notice_record {
    struct digest digest;
    int64_t until_s;
    int64_t time_s;
    struct span envelope;
};

struct app_version_record {
    struct digest digest;
    const char *name;                 /* of the app; borrowed */
    const char *version;              /* borrowed */
    int64_t memory_bytes, disk_bytes; /* ceilings it states */
    int64_t time_s;
    struct span envelope;
};

struct variant_record {
    struct digest digest;
    int64_t app_version;        /* row id */
    const char *platform;       /* borrowed */
    const char *class_name;     /* borrowed; what units are pinned by */
    const char *runner;         /* borrowed: "native", "wasm" */
    const struct digest *files; /* borrowed; what it consists of */
    size_t file_count;
    int64_t time_s;
    struct span envelope;
};

/* What a file is needed for. A file nobody needs is collected. */
enum file_kind {
    FILE_VARIANT = 1, /* subject: variant */
    FILE_INPUT = 2,   /* subject: batch; an input of one of its units */
    FILE_OUTPUT = 3,  /* subject: unit; an accepted output, be its body a file or inline */
    FILE_REPORT = 4,  /* subject: task; delivered, its unit not accepted */
};

#define COLLECT_MAX       1000  /* rows that one step of collecting looks at */
#define BODY_TIME_SLACK_S 86400 /* a body that came again may state a time so much too early */

/* Files nothing refers to that came before these times may go. */
struct file_graces {
    int64_t files_before_s;
    int64_t outputs_before_s; /* of those that came as outputs */
};

struct file_record {
    struct digest digest; /* SHA-256 of its bytes */
    int64_t size_bytes;
    int64_t time_s; /* when it came, or was named again */
    bool is_output; /* a task's, that was not here before: it has a grace of its own */
};

struct batch_record {
    struct batch_id public_id; /* made by the operator */
    const char *name;          /* borrowed; 1..BATCH_NAME_MAX; unique among the live ones */
    int64_t app_version;       /* row id */
    int32_t priority;
    int64_t needed_by_s; /* 0: none */
    int64_t created_s;
};

#define PUBLISH_UNITS_MAX 1000 /* units in a slice */

/* One unit of a slice. The store reads of `unit` what is signed: digest, index, rule, spans, needs,
 * validity, classes, platforms. Its ids, batch, app version and state are given by the store. */
struct unit_record {
    const struct unit *unit; /* borrowed */
    const char *name;        /* borrowed; in its batch */
    struct span envelope;
    const struct digest *inputs; /* borrowed; those that are files */
    size_t input_count;
    bool ret_is_known; /* written: it was there already */
    int64_t ret_id;    /* written: its row id, new or known */
};

enum volunteer_kind {
    VOLUNTEER_ACCOUNT = 1,
    VOLUNTEER_PREFIX = 2,       /* all hosts without an account behind one address prefix */
    VOLUNTEER_ORGANISATION = 3, /* all hosts an organisation's invite enrolled */
};

struct volunteer {
    int64_t id;
    enum volunteer_kind kind;
    int64_t organisation;              /* row id; 0: none. (Not as struct identity has it.) */
    char name[VOLUNTEER_NAME_MAX + 1]; /* "": none was given */
    int64_t created_s;
};

enum credential_kind {
    CREDENTIAL_ACCOUNT = 1,  /* an account key: says which volunteer a host belongs to */
    CREDENTIAL_OPERATOR = 2, /* a bearer token */
};

enum credential_role {
    ROLE_NONE = 0,     /* account keys */
    ROLE_OPERATOR = 1, /* everything */
    ROLE_READER = 2,   /* reads only */
};

struct credential {
    int64_t id;
    enum credential_kind kind;
    enum credential_role role;
    struct digest hash; /* SHA-256 of the token */
    int64_t volunteer;  /* accounts; else 0 */
    char label[CREDENTIAL_LABEL_MAX + 1];
    int64_t created_s;
    int64_t expires_s; /* 0: never */
    int64_t revoked_s; /* 0: not */
};

enum revoked_kind {
    REVOKED_APP_VERSION = 1, /* by identity digest */
    REVOKED_UNIT = 2,        /* by identity digest */
    REVOKED_BATCH = 3,       /* by its id, in the first 16 bytes of a digest, the others zero */
};

struct revocation {
    enum revoked_kind kind;
    struct digest subject;
};

enum live_scope {
    UNITS_NOT_ENDED = 1, /* open, judging or agreed */
    UNITS_FAILED = 2,    /* for whatever reason */
};

#define IDS_LEAP (INT64_C(1) << 24)

struct publish_ops {
    /* STATUS_NOT_FOUND: the site was not made yet. */
    enum status (*site_load)(struct store *store, struct site *ret_site, struct error *err);
    /* Makes or changes it; `server` and `project` are the store's. Cheap enough for every commit.
     */
    enum status (*site_save)(struct store *store, const struct site *site, struct error *err);
    /* Every kind of id goes on so many blocks of IDS_LEAP further: what was given out since a copy
     * was made is not given out again. `blocks` >= 1; so many numbers of the journal are skipped.
     */
    enum status (*ids_leap)(struct store *store, int64_t blocks, int64_t *ret_skipped,
                            struct error *err);

    /*
     * *ret_is_new false: it is there already. Version 1 sets the site's project. STATUS_CONFLICT:
     * another keyring has this version, or the version before it is missing.
     */
    enum status (*keyring_add)(struct store *store, const struct keyring_record *record,
                               bool *ret_is_new, struct error *err);
    /* STATUS_CONFLICT: a higher sequence is there, or another one of this sequence; unless it
     * begins anew: then those are forgotten. */
    enum status (*freshness_add)(struct store *store, const struct freshness_record *record,
                                 bool *ret_is_new, struct error *err);
    enum status (*notice_add)(struct store *store, const struct notice_record *record,
                              bool *ret_is_new, struct error *err);

    /* Remember what a freshness revokes, known or not; at most 4096. */
    enum status (*revoke)(struct store *store, const struct revocation *revocations, size_t count,
                          int64_t time_s, struct error *err);
    /* Units that have not ended and are revoked, themselves or by batch or app version: by id, from
     * after `after`. A pass over all units: run it when a freshness came, not on a timer. */
    enum status (*revoked_units)(struct store *store, int64_t after, int64_t *ret_units,
                                 size_t capacity, size_t *ret_count, struct error *err);

    /* STATUS_CONFLICT: another app version has this name and version. */
    enum status (*app_version_add)(struct store *store, const struct app_version_record *record,
                                   int64_t *ret_id, bool *ret_is_new, struct error *err);
    /* STATUS_NOT_FOUND: no such app version, or one of the files is missing. */
    enum status (*variant_add)(struct store *store, const struct variant_record *record,
                               int64_t *ret_id, bool *ret_is_new, struct error *err);

    /*
     * Another envelope of the payload of an app version or variant, in place of the one that is
     * there; nothing else of it changes. STATUS_NOT_FOUND: neither has this identity.
     */
    enum status (*app_envelope_replace)(struct store *store, const struct digest *digest,
                                        struct span envelope, struct error *err);

    /* The file is on the disk, durably. `reference`: kept for that; 0: a grace only. */
    enum status (*file_add)(struct store *store, const struct file_record *record, bool *ret_is_new,
                            struct error *err);
    /* Some task's body is now a file. Until its unit is accepted, this keeps it. */
    enum status (*file_refer)(struct store *store, const struct digest *file, enum file_kind kind,
                              int64_t subject, struct error *err);
    /* Forget all references of one subject, however many. */
    enum status (*file_release)(struct store *store, enum file_kind kind, int64_t subject,
                                struct error *err);
    /*
     * Inputs of batches that no unit can need again: cancelled ones with all units ended, and
     * finished ones without a failed unit that may be retried before its validity ends. (Nothing
     * opens an accepted unit again.) At most `limit` (1..COLLECT_MAX) references of one batch, the
     * first after `after`, go; the grace of those files begins anew. *ret_batch: which one; 0:
     * there is none. Ask with `after` *ret_batch only when less than `limit` went.
     */
    enum status (*inputs_release)(struct store *store, int64_t after, int64_t now_s, size_t limit,
                                  int64_t *ret_batch, size_t *ret_count, struct error *err);
    /* Looks at `capacity` files in order of digest, from after `after` (none: the first), for those
     * nothing refers to whose grace is over. *ret_last: the last looked at; none: that was the end.
     */
    enum status (*files_unreferenced)(struct store *store, const struct digest *after,
                                      const struct file_graces *graces, struct digest *ret_files,
                                      size_t capacity, size_t *ret_count, struct digest *ret_last,
                                      struct error *err);
    /* Their rows go; one that is referred to again by now stays, and is left out of the answer.
     * Commit before removing the files themselves. */
    enum status (*files_forget)(struct store *store, const struct digest *files, size_t count,
                                struct digest *ret_forgotten, size_t *ret_count, struct error *err);
    /*
     * Inline bodies are collected in two passes. First mark what undecided units may need, `limit`
     * units at a time, by id, from after `after` (0: begin anew); *ret_last 0: all are marked.
     * Marks are this connection's.
     */
    enum status (*bodies_mark)(struct store *store, int64_t after, size_t limit, int64_t *ret_last,
                               struct error *err);
    /*
     * Then look at `limit` bodies as files_unreferenced() does, and remove those that are neither
     * marked nor referred to and came before `before_s`. That has to be BODY_TIME_SLACK_S or more
     * before the marking began: what was reported since is not marked, but young.
     */
    enum status (*bodies_sweep)(struct store *store, const struct digest *after, int64_t before_s,
                                size_t limit, int64_t *ret_count, struct digest *ret_last,
                                struct error *err);
    /*
     * Of `limit` tasks by id, from after `after`: what was reported on stderr before `before_s`,
     * and the address prefix of those sent before it whose unit cannot be decided any more (an open
     * unit's copies go to different prefixes, I3). *ret_count: how many told something; *ret_last
     * 0: that was the end.
     */
    enum status (*details_forget)(struct store *store, int64_t after, int64_t before_s,
                                  size_t limit, int64_t *ret_count, int64_t *ret_last,
                                  struct error *err);

    /*
     * *ret_is_new false: a batch of this id and content is there. STATUS_CONFLICT: this id has
     * other content, or another live batch this name. STATUS_NOT_FOUND: no such app version.
     * Afterwards it is changed as part of a work set (work_request.batches).
     */
    enum status (*batch_create)(struct store *store, const struct batch_record *record,
                                int64_t *ret_id, bool *ret_is_new, struct error *err);

    /*
     * Add a slice of at most PUBLISH_UNITS_MAX units to a batch, all or none, with `copies_wanted`
     * as their rule says. Known ones (same batch, same digest) are passed over; the batch's counter
     * and version rise by what is new. STATUS_CONFLICT: an index or a name of the batch is taken
     * by another digest, or a digest by another batch. STATUS_GONE: the batch takes no more units.
     * STATUS_UNTRUSTED: the unit, its batch or app version is revoked. STATUS_NOT_FOUND: no such
     * batch, or an input is not here; the words name unit and input.
     */
    enum status (*units_add)(struct store *store, int64_t batch, struct unit_record *records,
                             size_t count, size_t *ret_new, struct error *err);

    /* What the number of several signers stands for, in one statement; once more is fine. */
    enum status (*signers_put)(struct store *store, const struct signer_set *signers,
                               struct error *err);

    /* Ids of units of a batch, by index in it, from after the unit `after` (0: the first): for
     * cancel and retry in slices. */
    enum status (*units_of_batch)(struct store *store, int64_t batch, enum live_scope scope,
                                  int64_t after, int64_t *ret_units, size_t capacity,
                                  size_t *ret_count, struct error *err);

    /* `id` is given. */
    enum status (*volunteer_add)(struct store *store, const struct volunteer *volunteer,
                                 int64_t *ret_id, struct error *err);
    /* The volunteer that stands for an address prefix; made if there is none. */
    enum status (*volunteer_of_prefix)(struct store *store, const char *prefix, int64_t time_s,
                                       int64_t *ret_id, struct error *err);
    /* STATUS_NOT_FOUND. */
    enum status (*volunteer_load)(struct store *store, int64_t id, struct volunteer *ret_volunteer,
                                  struct error *err);

    /* `id` is given. STATUS_CONFLICT: the hash is there already. */
    enum status (*credential_add)(struct store *store, const struct credential *credential,
                                  int64_t *ret_id, struct error *err);
    /* STATUS_NOT_FOUND: no such token. Revoked and expired ones are found: look. */
    enum status (*credential_find)(struct store *store, const struct digest *hash,
                                   struct credential *ret_credential, struct error *err);
    /* An operator's token; else STATUS_NOT_FOUND. Revoking twice keeps the first time. */
    enum status (*credential_revoke)(struct store *store, int64_t id, int64_t time_s,
                                     struct error *err);
    /* All of a kind, by id, from after `after`. */
    enum status (*credentials)(struct store *store, enum credential_kind kind, int64_t after,
                               struct credential *ret_credentials, size_t capacity,
                               size_t *ret_count, struct error *err);
};

#endif
