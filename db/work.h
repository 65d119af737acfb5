/*
 * The working set of one engine cycle: everything its commands concern, loaded in one go inside the
 * transaction, changed in memory by pure decisions, saved in one go.
 */
#ifndef DB_WORK_H
#define DB_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/keys.h"
#include "protocol/refused.h"
#include "work-units/batch_id.h"
#include "work-units/unit.h"

struct store;

/*
 * A task's id says its unit and its place there, so that a unit's tasks lie together in the store.
 * Whoever appends a task may give it its id at once, or leave 0: saving gives the same.
 */
#define TASK_ID(unit, place) ((unit)*UNIT_TASKS_MAX + (int64_t)(place))
#define TASK_UNIT(task)      ((task) / UNIT_TASKS_MAX)
#define TASK_PLACE(task)     ((task) % UNIT_TASKS_MAX)

/* What a host offers to one task, by its own word (struct scheduler_host). Zeroed: it never said.
 */
struct host_offer {
    int64_t cores;        /* 1..LIMITS_CORES_MAX */
    int64_t memory_bytes; /* 0..LIMITS_BYTES_MAX; tasks that run at once share it */
    int64_t disk_bytes;   /* 0..LIMITS_BYTES_MAX; each has so much: slot, and copies of outputs */
    char *layers;         /* owned; isolation layers, a blank before and after each; NULL: none */
};

/* A host, with who it belongs to today. */
struct host {
    int64_t id;      /* 0: to be made when saved */
    int64_t version; /* guards it and its allowances; the store's own */
    struct public_key key;
    enum host_kind { HOST_NATIVE = 1, HOST_BROWSER = 2 } kind;
    int64_t volunteer;
    int64_t organisation;        /* as struct identity has it */
    bool is_without_account;     /* its volunteer stands for an address prefix */
    char *prefix;                /* owned; address prefix of its enrolment */
    struct digest token;         /* SHA-256 of its token */
    int64_t visit;               /* number of its last visit; 0: none */
    struct digest visit_request; /* of that visit's whole body; column visit_statement */
    int64_t incarnation;         /* rises when it was found cloned or restored */
    bool is_withdrawn;           /* a clone: enrols anew */
    int64_t enrolled_s;
    int64_t seen_s;                   /* when it visited last, or enrolled ... */
    int64_t seen_up_s;                /* ... and that by the site's up-time clock */
    char *platform;                   /* owned; its first platform, "" before a visit */
    char *client;                     /* owned; name and version of its program */
    int64_t credit;                   /* in declared operations */
    int64_t agreed, outvoted, errors; /* tasks, over all time */
    struct host_offer offer;          /* at its last visit */
    struct refused_thing refused;     /* the last that it told of ... */
    int64_t refused_s;                /* ... and when; 0: it never did */
    bool is_changed;
};

void host_clear(struct host *host); /* its texts; for CLEANUP(), too */

/* What is known of a host with an app version: how many tasks of it it may have a day
 * (server/policy/allowance.h), and how long it takes (server/policy/estimate.h). */
struct allowance {
    int64_t host;
    int64_t app_version;
    int64_t per_day; /* 0: a new host, one task per slot until its first agreed result */
    int64_t day;     /* Unix day that `used` counts */
    int64_t used;
    int64_t pace;       /* 0: not known */
    int64_t usual_pace; /* likewise */
    int64_t timed;      /* tasks that they were learned from */
    bool is_changed;
};

enum batch_state {
    BATCH_OPEN = 1,   /* units may still be added */
    BATCH_CLOSED = 2, /* all units are there */
    BATCH_HELD = 3,   /* by the operator: nothing new is sent */
    BATCH_PAUSED = 4, /* by itself: most tasks fail */
    BATCH_CANCELLED = 5,
    BATCH_FINISHED = 6, /* closed, and every unit ended */
};

/* What was acknowledged of a batch and is being done with its units, slice by slice. */
enum batch_begun {
    BEGUN_RETRY = 1, /* failed ones are reopened */
    BEGUN_AGAIN = 2, /* another copy goes out of those that are computed */
};

/* Different hosts that a batch remembers: as many as self-pausing asks for. */
#define BATCH_HOSTS_SEEN 5

/* What became of failed units in a retry. */
struct retry_counts {
    int64_t reopened;
    int64_t expired; /* left: their signed validity has ended */
    int64_t revoked; /* left */
    int64_t spent;   /* left: their signed max_tasks leaves no room, or they were cancelled */
};

struct batch {
    int64_t id;
    int64_t version;
    struct batch_id public_id;
    char *name;          /* owned */
    int64_t app_version; /* row id */
    enum batch_state state;
    bool is_closed;      /* no unit may be added; stays known while held or paused */
    char *why;           /* owned; of a pause, "" */
    int32_t priority;    /* -10..10 */
    int64_t needed_by_s; /* 0: none */
    int64_t created_s;
    int64_t units; /* of all states */
    int64_t units_accepted;
    int64_t units_failed; /* cancelled ones too */
    int64_t ended_tasks;  /* since the last release: what self-pausing looks at */
    int64_t failed_tasks;
    int64_t ended_hosts[BATCH_HOSTS_SEEN]; /* the first different hosts among them; 0: none yet */
    uint32_t begun;                        /* what goes on slice by slice: enum batch_begun */
    struct retry_counts retry;             /* what the last retry did, so far */
    bool is_changed;
};

/* One agreement that was accepted; rows for ever. */
struct acceptance {
    int64_t unit;
    uint32_t revision;
    uint32_t quorum; /* the signed rule that held */
    enum independence independence;
    size_t task_count;
    int64_t tasks[UNIT_TASKS_MAX];
    int64_t time_s;
};

enum journal_kind {
    JOURNAL_UNIT_ACCEPTED = 1, /* subject: unit; detail: revision */
    JOURNAL_UNIT_REOPENED = 2,
    JOURNAL_UNIT_FAILED = 3, /* detail: enum unit_failure */
    JOURNAL_UNIT_AGREED = 4,
    JOURNAL_TASK_SENT = 10,      /* subject: task; detail: host */
    JOURNAL_TASK_STATE = 11,     /* detail: enum task_state */
    JOURNAL_CREDIT = 12,         /* subject: task; detail: amount. At most once per task */
    JOURNAL_TASK_KEPT = 13,      /* was sent to a host that keeps its result from before a restore;
                                    detail: the task's number then */
    JOURNAL_HOST_ENROLLED = 20,  /* subject: host */
    JOURNAL_HOST_WITHDRAWN = 21, /* a clone */
    JOURNAL_HOST_GONE = 22,      /* an operator said so; detail: copies that others get */
    JOURNAL_BATCH_STATE = 30,    /* subject: batch; detail: enum batch_state */
    JOURNAL_BATCH_UNITS = 31,    /* detail: units added */
    JOURNAL_BATCH_PRIORITY = 32,
    JOURNAL_KEYRING = 40,     /* subject: version */
    JOURNAL_FRESHNESS = 41,   /* subject: sequence */
    JOURNAL_APP_VERSION = 42, /* subject: row id */
    JOURNAL_VARIANT = 43,
    JOURNAL_NOTICE = 44,
    JOURNAL_CLOCK = 50,    /* the clock was refused or confirmed; detail: seconds off */
    JOURNAL_RESTORED = 51, /* the site came back from a copy; subject: its incarnation; detail:
                              numbers of this journal that were skipped */
};

/* Written in the same transaction as what it tells. */
struct journal_entry {
    int64_t seq; /* given by the store when saved */
    int64_t time_s;
    enum journal_kind kind;
    int64_t subject;
    int64_t detail;
};

/* The visit a host made: its signed statement is kept as long as a task of it is. */
struct visit_record {
    int64_t host; /* > 0 */
    int64_t number;
    const void *statement; /* envelope as JSON; borrowed */
    size_t statement_length;
    int64_t time_s;
};

/* What a visit was answered, in place of what the host's visit before was. Written with the visit.
 */
struct answer_record {
    int64_t host; /* > 0 */
    int64_t visit;
    const void *reply; /* borrowed; packed, the engine alone knows how */
    size_t length;
};

/* What a report carried besides the task's own columns. Written once, at the report. */
struct report_record {
    int64_t task;  /* > 0 */
    int64_t visit; /* number of the visit that reported it: added in the same set */
    int32_t exit_status;
    int64_t wall_ms;
    int64_t peak_memory_bytes;
    const char *why;         /* borrowed; "" */
    const void *stderr_tail; /* borrowed; bytes, ≤ 16 KiB */
    size_t stderr_length;
};

/* A small output's bytes, by digest. Storing it twice is one row. */
struct body_record {
    struct digest digest;
    const void *bytes; /* borrowed */
    size_t length;     /* ≤ UNIT_INLINE_MAX_BYTES */
};

/* What to load. Arrays are borrowed, may repeat ids, and name what may not exist. */
struct work_request {
    const int64_t *hosts;
    size_t host_count;
    const struct digest *tokens; /* hosts by their token */
    size_t token_count;
    const struct public_key *keys; /* hosts by their key */
    size_t key_count;
    const int64_t *units;
    size_t unit_count;
    const int64_t *tasks; /* the units of these tasks */
    size_t task_count;
    const int64_t *batches; /* besides those of the units */
    size_t batch_count;
    /* Of every host named in `hosts`: also the units of all its tasks that are SENT, or AGREED and
     * asked for, or not told their verdict (≤ 512 a host). */
    bool with_tasks_of_hosts;
};

/* Loaded, then changed. Batches and allowances of the loaded units and hosts come along. */
struct work_set {
    struct host *hosts; /* by id; then those to be made */
    size_t host_count, host_capacity;
    struct unit *units; /* by id; each with all its tasks and their outputs */
    size_t unit_count;
    struct batch *batches; /* by id */
    size_t batch_count;
    struct allowance *allowances; /* by host, app_version; missing ones may be appended */
    size_t allowance_count, allowance_capacity;

    /* To be added on save; appended with the work_add_… functions, which copy nothing borrowed. */
    struct acceptance *acceptances;
    size_t acceptance_count, acceptance_capacity;
    struct journal_entry *journal;
    size_t journal_count, journal_capacity;
    struct visit_record *visits;
    size_t visit_count, visit_capacity;
    struct answer_record *answers; /* of one host's several the highest visit's is kept */
    size_t answer_count, answer_capacity;
    struct report_record *reports;
    size_t report_count, report_capacity;
    struct body_record *bodies;
    size_t body_count, body_capacity;
};

void work_set_clear(struct work_set *set);
/* A host to be made: id 0 until it is saved. Pointers to other hosts are void afterwards. */
struct host *work_add_host(struct work_set *set);
struct host *work_host(const struct work_set *set, int64_t id); /* NULL: not loaded */
struct host *work_host_by_key(const struct work_set *set, const struct public_key *key);
struct host *work_host_by_token(const struct work_set *set, const struct digest *token);
struct unit *work_unit(const struct work_set *set, int64_t id);
struct unit *work_unit_of_task(const struct work_set *set, int64_t task, struct task **ret_task);
struct batch *work_batch(const struct work_set *set, int64_t id);
/* The host's allowance for the app version; appended with per_day 0 if there is none. The pointer
 * is valid until the next call. */
struct allowance *work_allowance(struct work_set *set, int64_t host, int64_t app_version);
void work_add_acceptance(struct work_set *set, struct acceptance acceptance);
void work_add_journal(struct work_set *set, struct journal_entry entry);
void work_add_visit(struct work_set *set, struct visit_record visit);
void work_add_answer(struct work_set *set, struct answer_record answer);
void work_add_report(struct work_set *set, struct report_record report);
void work_add_body(struct work_set *set, struct body_record body);

/* A unit that wants copies, as a hint for the engine's queue: never the ground of a decision. */
struct ready_hint {
    int64_t unit;
    int64_t batch;
    int64_t app_version;
    uint32_t copies_wanted;
    int64_t memory_bytes, declared_ops;
    int64_t disk_bytes; /* unit_room_bytes() */
    int64_t not_before_s, not_after_s;
    int64_t signer;
    char class_name[65]; /* pinned class; "": any variant's */
    /* As struct unit has them; "", too, when they do not fit: a hint that says less. */
    char classes[128];
    char platforms[128];
};

/* A task that is out, as a hint for the deadline queue. */
struct sent_hint {
    int64_t task;
    int64_t unit;
    int64_t deadline_up_s;
};

struct work_ops {
    enum status (*load)(struct store *store, const struct work_request *request,
                        struct work_set *ret_set, struct error *err);

    /*
     * Inside a transaction. Write every changed host, allowance, unit (with its changed and new
     * tasks) and batch, and all that was added; give new rows their ids, in the set. A changed task
     * makes its unit changed: the unit's version guards them all, else two servers could each store
     * half of a quorum and neither would see it. So does a changed allowance its host. Afterwards
     * the set is as if loaded anew, with nothing to add. STATUS_CONFLICT: a row is no longer at the
     * version that was loaded, or something to be added is there already (an acceptance's revision,
     * a report of a task). After any failure the set is good for work_set_clear() alone, and the
     * transaction for a roll-back. A journal entry about a new host needs its id: save first, add
     * it, save again.
     */
    enum status (*save)(struct store *store, struct work_set *set, struct error *err);

    /* Hints, in pages by id: `after` is the last id of the page before. Read at start and from time
     * to time. At most `capacity`; *ret_count 0: the end. */
    enum status (*scan_ready)(struct store *store, int64_t after, struct ready_hint *ret_hints,
                              size_t capacity, size_t *ret_count, struct error *err);
    enum status (*scan_sent)(struct store *store, int64_t after, struct sent_hint *ret_hints,
                             size_t capacity, size_t *ret_count, struct error *err);

    /* Ids of units not ended whose validity ended at or before `now_s`, at most `capacity`. */
    enum status (*scan_expired)(struct store *store, int64_t now_s, int64_t *ret_units,
                                size_t capacity, size_t *ret_count, struct error *err);

    /* Tasks granted to this host at this visit, for a repeated visit's answer. Task ids. */
    enum status (*granted_at)(struct store *store, int64_t host, int64_t visit, int64_t *ret_tasks,
                              size_t capacity, size_t *ret_count, struct error *err);
};

#endif
