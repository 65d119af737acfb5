/*
 * What the engine can be asked: one struct per kind that holds the request and its reply.
 *
 * The asker fills `kind`, `done`, `context` and the kind's members above "reply", and submits it
 * (server/engine/thread.h) or runs it (engine_run()). Everything it points to stays valid, and is
 * left alone, until done() was called. That happens exactly once, on the engine's thread, after the
 * transaction that carried the command out was committed, or after it failed for good; `status` and
 * `err` say which, and the reply is written on STATUS_OK alone. done() may release the command; it
 * must not wait.
 *
 * Any command may be repeated after a lost reply and is answered like the first (invariant I5).
 * STATUS_BUSY, STATUS_CONFLICT (for every kind but those that give it a meaning of their own),
 * STATUS_STORAGE and STATUS_FULL are always possible.
 */
#ifndef SERVER_ENGINE_COMMAND_H
#define SERVER_ENGINE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/envelope.h"
#include "common/crypto/keys.h"
#include "db/work.h"
#include "protocol/batch.h"
#include "server/engine/published.h"
#include "work-units/work_unit.h"

struct scheduler_request; /* protocol/scheduler_request.h */
struct scheduler_reply;   /* protocol/scheduler_reply.h */
struct store;             /* db/store.h: only for reads, which run on the engine's thread */

#define COMMAND_UNITS_MAX 256 /* units of one slice */

enum command_kind {
    COMMAND_VISIT = 1,
    COMMAND_ENROL,
    COMMAND_ACCOUNT,
    COMMAND_CREDENTIAL,
    COMMAND_MAY_UPLOAD,
    COMMAND_UPLOADED,
    COMMAND_KEYRING,
    COMMAND_FRESHNESS,
    COMMAND_NOTICE,
    COMMAND_APP_VERSION,
    COMMAND_VARIANT,
    COMMAND_FILE_STORED,
    COMMAND_BATCH,
    COMMAND_UNITS,
    COMMAND_BATCH_ACTION,
    COMMAND_READ,
    COMMAND_CLOCK,
    COMMAND_WITHDRAW_HOST,
    COMMAND_KINDS, /* how many, and one more */
};

/*
 * A host's visit: its token was checked, its statement's signature verified with the host's key,
 * the request decoded within its limits.
 * STATUS_UNAUTHORIZED: there is no such host. STATUS_CONFLICT, code "clone": a lower
 * visit number, or the same with another request; the host and its tasks are withdrawn.
 */
struct visit_command {
    int64_t host;
    const char *prefix; /* of the peer's address, as enrolment has it */
    const struct scheduler_request *request;
    const char *statement; /* the statement's envelope, JSON */
    size_t statement_length;
    struct digest request_digest; /* of the whole body, as it was received */
    /* reply */
    struct scheduler_reply *reply; /* the asker's, cleared; filled on STATUS_OK */
    bool is_repeat;                /* it came before, with the same content */
};

/*
 * STATUS_UNAUTHORIZED: no such account. STATUS_LIMITED: too many new hosts of this account,
 * or without one of this prefix, with when to come back. STATUS_GONE: the host of this key was
 * withdrawn; a new key is needed.
 */
struct enrol_command {
    struct public_key key; /* proven: it signed the challenge */
    enum host_kind kind;
    const char *prefix;
    struct digest account; /* SHA-256 of the account's key; none: without an account */
    struct digest token;   /* SHA-256 of the host's token, which the asker derived */
    /* reply */
    int64_t host;
    int64_t volunteer;
    int64_t next_visit; /* the least number that its next visit may have */
};

/* A new volunteer. The same key again is the same volunteer. */
struct account_command {
    struct digest key; /* SHA-256 of the account's key */
    const char *name;  /* plain, ≤ 64 bytes; "": none */
    /* reply */
    int64_t volunteer;
};

/* Whose token is this? For those that the published table misses; it has it afterwards.
 * STATUS_UNAUTHORIZED: nobody's. */
struct credential_command {
    struct digest token; /* SHA-256 of it */
    /* reply */
    struct published_credential credential;
};

/*
 * May this host upload this output now? STATUS_FORBIDDEN: the task is not its own, or nobody asked
 * for its outputs. STATUS_INVALID: no such output, or another size than was reported.
 * STATUS_FULL: uploads are stopped for want of room.
 */
struct may_upload_command {
    int64_t host;
    int64_t task;
    const char *name;
    int64_t size_bytes;
    /* reply */
    struct digest digest; /* what the body must hash to */
    bool is_stored;       /* it is there already: nothing to send */
};

/* The body of an output is stored as a file, durably, and its digest was checked. Errors as above,
 * but for STATUS_FULL; and STATUS_BUSY as for COMMAND_FILE_STORED. */
struct uploaded_command {
    int64_t host;
    int64_t task;
    const char *name;
    struct digest digest;
    int64_t size_bytes;
};

/*
 * Signed things an operator publishes. The engine verifies them: STATUS_UNTRUSTED, the code is the
 * refusal's (work-units/refusal.h). STATUS_INVALID: not what the kind says. STATUS_NOT_FOUND: it
 * names an app version or a file that is not here. STATUS_CONFLICT: a keyring's version or an app
 * version's name and version are taken by another.
 */
struct publish_command {
    const struct envelope *envelope;
    /* reply */
    bool is_new;
    int64_t number;        /* keyring: version; freshness: sequence; else 0 */
    struct digest project; /* keyring: the project's id */
};

/* A file (app file or input) was stored under its digest, durably. STATUS_BUSY: and collected
 * since, for it is not there: send it again. */
struct file_command {
    struct digest digest;
    int64_t size_bytes;
    /* reply */
    bool is_new;
};

/* STATUS_NOT_FOUND: no such app version. STATUS_CONFLICT: the id with other content, or another
 * batch of that name. */
struct batch_command {
    struct batch_id batch;
    const char *name; /* plain, 1..100 bytes */
    struct digest app_version;
    int32_t priority;    /* -10..10 */
    int64_t needed_by_s; /* 0: none */
    /* reply */
    bool is_new;
    int64_t row;
};

/* A unit that was verified: published_check_unit(). */
struct command_unit {
    const struct work_unit *unit;
    struct digest digest;      /* its envelope's identity */
    struct signer_set signers; /* trust_admit_unit() */
    const char *envelope;      /* JSON */
    size_t envelope_length;
};

/*
 * Add units to a batch; those known already are counted and left alone. All of the slice or none.
 * STATUS_NOT_FOUND: no such batch, or an input is not here. STATUS_GONE: it takes no more units.
 * STATUS_INVALID: a unit of another batch or app version. STATUS_CONFLICT: another unit has the
 * index or name. STATUS_UNTRUSTED: revoked meanwhile.
 */
struct units_command {
    struct batch_id batch;
    const struct command_unit *units; /* 1..COMMAND_UNITS_MAX */
    size_t count;
    /* reply */
    int64_t added;
    int64_t known;
};

/*
 * Close: finished once all its units ended. Cancel ends what is open; accepted results stay.
 * Release: after a hold or a pause. Retry: failed units get new copies, as far as their signed
 * max_tasks goes. Again: another copy of the unit, or of all that are open, where all copies are
 * out. STATUS_NOT_FOUND: no such batch, or it has no such unit. STATUS_GONE: it was cancelled or
 * has finished; the unit ended, or its signed max_tasks leaves no room.
 */
struct action_command {
    struct batch_id batch;
    enum batch_action action;
    int32_t priority;   /* for ACTION_PRIORITY */
    struct digest unit; /* for ACTION_AGAIN; none: all of the batch */
    /* reply */
    int64_t row;
    int64_t unit_row; /* 0: none was named */
    int64_t units;    /* that it changed */
};

/*
 * Read something of bounded size: `read` is called once, between cycles, on the engine's thread,
 * with the store in a state that is whole. Its status becomes the command's.
 */
struct read_command {
    enum status (*read)(struct store *store, void *read_context, struct error *err);
    void *read_context;
};

/* An operator says that the clock is right: see engine_clock(). Without a doubt it does nothing. */
struct clock_command {
    /* reply */
    bool was_in_doubt;
};

/*
 * An operator says that a host is gone for good: other hosts get the copies it has. Nothing is held
 * against it: should it be back it is as before, and what it reports counts while it is needed.
 * Again, it does nothing. STATUS_NOT_FOUND: there is no such host.
 */
struct withdraw_command {
    int64_t host;
    /* reply */
    int64_t withdrawn; /* copies */
    int64_t left;      /* those it keeps until their deadline: server/policy/withdrawing.h */
};

struct command {
    enum command_kind kind;
    void (*done)(struct command *command, void *context); /* NULL: nobody waits */
    void *context;

    /* reply */
    enum status status;
    struct error err;

    struct command *next; /* the engine's */
    union {
        struct visit_command visit;
        struct enrol_command enrol;
        struct account_command account;
        struct credential_command credential;
        struct may_upload_command may_upload;
        struct uploaded_command uploaded;
        struct publish_command publish; /* KEYRING, FRESHNESS, NOTICE, APP_VERSION, VARIANT */
        struct file_command file;
        struct batch_command batch;
        struct units_command units;
        struct action_command action;
        struct read_command read;
        struct clock_command clock;
        struct withdraw_command withdraw;
    };
};

#endif
