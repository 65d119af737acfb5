/*
 * What people and programs read: pages, never more than asked for, from one consistent snapshot a
 * call. No transaction is needed; one that is open is used.
 *
 * Rows go to a callback, which must not call the store. What a row points to is borrowed until the
 * callback returns. It returns false to stop early. `limit` is the most rows, 1..QUERY_ROWS_MAX.
 * Errors, memory and threads: as db/store.h says.
 */
#ifndef DB_QUERY_H
#define DB_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/keys.h"
#include "db/publish.h"
#include "db/work.h"
#include "work-units/unit.h"

struct store;

#define QUERY_ROWS_MAX     1000
#define QUERY_FAILURES_MAX 16 /* kinds of failures a batch is explained by */

/* A batch as people see it. */
struct batch_view {
    struct batch row; /* its texts are borrowed */
    struct digest app_version;
    const char *app; /* name of the app */
    /* Its units by phase; they add up to row.units. */
    int64_t waiting; /* open, no task is out */
    int64_t running; /* open, a task is out */
    int64_t judging, agreed, accepted, failed, cancelled;
    int64_t tasks;                        /* ever made */
    int64_t by_state[TASK_ABANDONED + 1]; /* tasks by enum task_state; [0] is unused */
};

struct batch_filter {
    const char *name; /* borrowed; NULL: any. Exactly this name */
    int64_t after;    /* row id of the last one of the page before; 0: the newest first */
};

/* Failed tasks of a batch alike in cause and detail; with exit status 0 in the report's words. */
struct failure_group {
    enum task_cause cause;
    int32_t detail;
    int64_t count;
    struct digest example_unit;
    const char *why;         /* of the example's report; "" */
    struct span stderr_tail; /* of the example; bytes as the host sent them */
};

/* Failed units of a batch, by why they are. */
struct ending_group {
    enum unit_failure failure;
    int64_t count;
    struct digest example_unit; /* the first */
};

/* Who could take a unit of a batch's app: hosts seen since a time on a platform it has files for.
 */
struct supply {
    int64_t hosts;
    int64_t volunteers;
    int64_t organisations; /* volunteers without one count as one each */
    int64_t spent;         /* hosts that have had what they may have of the app on that day */
};

/* Hosts of a supply that have the same isolation layers, and what the best of them offers a task.
 */
struct offer_group {
    const char *layers; /* as struct host_offer has them */
    int64_t hosts;
    int64_t cores, memory_bytes, disk_bytes; /* the most of any */
    int64_t roomy;                           /* hosts with enough of memory and disk at once */
};

/* How the open units of a batch stand: those that no further host of a supply can help, too. */
struct standing {
    int64_t looked_at;   /* units, the batch's first open ones */
    int64_t tried;       /* they want a copy, and had one of as many as the supply has of whom their
                            copies may not share */
    int64_t differing;   /* three copies or more reported, and no two of them alike */
    int64_t most_copies; /* of one of these */
};

/* Hosts that told last of having refused the same thing of the site's. */
struct refused_group {
    struct refused_thing thing;
    int64_t hosts;
};

/* Open units of a batch that one key signed. */
struct signer_group {
    int64_t signer;              /* struct unit's */
    int64_t units;               /* that want copies */
    int64_t latest_not_before_s; /* of these */
};

struct unit_view {
    const struct unit *unit; /* with its tasks */
    const char *name;
    struct batch_id batch;
    const struct report_view { /* one per task, in their order */
        int64_t visit;         /* 0: there is no report */
        int32_t exit_status;
        int64_t wall_ms;
        int64_t peak_memory_bytes;
        const char *why;
        struct span stderr_tail;
    } * reports;
};

struct unit_line {
    int64_t id;
    struct digest digest;
    const char *name;
    int64_t index;
    enum unit_state state;
    enum unit_failure failure;
};

struct task_line {
    int64_t id;
    enum task_state state;
    struct digest unit;
    const char *unit_name;
    int64_t host;
    int64_t volunteer;          /* at dispatch */
    const char *volunteer_name; /* today's; "": none was given */
};

/* One agreeing task of a result. */
struct result_task_view {
    int64_t task;
    int64_t host;
    struct public_key key;
    int64_t volunteer;     /* at dispatch */
    struct span statement; /* the signed visit that reported it */
};

struct result_output_view {
    const struct output *output;
    struct span body; /* of inline ones; NULL: it is a file */
};

/* A unit's end, or its reopening, as it stood then. */
struct result_view {
    int64_t cursor;         /* resume after it */
    enum journal_kind kind; /* accepted, failed or reopened */
    struct digest unit;
    const char *name;
    int64_t index;
    enum unit_failure failure;
    int64_t time_s;
    struct span manifest; /* envelope */
    /* Of accepted ones that still are: else 0, empty. */
    uint32_t revision;
    uint32_t quorum;
    const struct result_output_view *outputs;
    size_t output_count;
    const struct result_task_view *tasks;
    size_t task_count;
};

struct host_line {
    const struct host *host; /* its texts are borrowed */
    const char *volunteer_name;
    int64_t running; /* tasks sent to it and out */
};

struct app_version_view {
    int64_t id;
    struct digest digest;
    const char *name;
    const char *version;
    int64_t memory_bytes, disk_bytes;
    bool is_revoked;
    struct span envelope;
};

struct variant_view {
    int64_t id;
    struct digest digest;
    int64_t app_version;
    const char *platform;
    const char *class_name;
    const char *runner;
    struct span envelope;
};

struct keyring_view {
    int64_t version;
    struct digest digest;
    bool is_root_change;
    int64_t expires_s;
    struct span envelope;
};

struct news_view {
    enum { NEWS_FRESHNESS = 1, NEWS_NOTICE = 2 } kind;
    struct digest digest;
    int64_t sequence;  /* of the freshness; notices: 0 */
    int64_t expires_s; /* until when, of a notice */
    struct span envelope;
};

struct file_view {
    int64_t size_bytes;
    bool is_public;   /* an app's file or an input: anyone may fetch it */
    bool is_accepted; /* an accepted output: operators may */
    bool has_body;    /* kept inline: `body` */
    struct span body;
};

/* A file that the site should have. */
struct file_line {
    struct digest digest;
    int64_t size_bytes;
    bool is_referenced;
};

/* Cheap figures, for /metrics: counters over all time and what there is now. */
struct metrics {
    int64_t units[UNIT_FAILED + 1];      /* by enum unit_state; [0] unused */
    int64_t tasks[TASK_ABANDONED + 1];   /* by enum task_state; [0] unused */
    int64_t batches[BATCH_FINISHED + 1]; /* by enum batch_state; [0] unused */
    int64_t hosts, volunteers, files, file_bytes;
    int64_t journal_seq;
    int64_t database_bytes;
};

/* Another server of the database. */
struct other_server {
    int64_t id;
    int64_t up_s;           /* its up-time clock, as of its last commit ... */
    int64_t work_mark;      /* ... as is this, of its bulletin ... */
    int64_t looks_restored; /* ... and this, as in struct site */
    bool runs;
};

/* A journal entry of another server that this one's memory has to follow: of what is published, of
 * batches, and of units that were opened again. */
struct other_entry {
    int64_t seq;
    int64_t server;
    enum journal_kind kind;
    int64_t subject;
};

struct query_ops {
    /* Batches, newest first. */
    enum status (*batches)(struct store *store, const struct batch_filter *filter, size_t limit,
                           bool (*row)(void *context, const struct batch_view *batch),
                           void *context, struct error *err);
    /* STATUS_NOT_FOUND. By name: the live one of it, else the newest. */
    enum status (*batch_by_id)(struct store *store, const struct batch_id *id, int64_t *ret_batch,
                               struct error *err);
    enum status (*batch_by_name)(struct store *store, const char *name, int64_t *ret_batch,
                                 struct error *err);
    /* One batch, by row id. STATUS_NOT_FOUND. */
    enum status (*batch)(struct store *store, int64_t batch,
                         bool (*row)(void *context, const struct batch_view *batch), void *context,
                         struct error *err);
    /* Most frequent first, at most QUERY_FAILURES_MAX. */
    enum status (*failures)(struct store *store, int64_t batch,
                            bool (*row)(void *context, const struct failure_group *group),
                            void *context, struct error *err);
    /* Among the batch's first `most` failed units; most frequent first. */
    enum status (*endings)(struct store *store, int64_t batch, int64_t most,
                           bool (*row)(void *context, const struct ending_group *group),
                           void *context, struct error *err);
    /* For the app version (row id), of hosts seen at or after `seen_s`; `day`: the Unix day. */
    enum status (*supply)(struct store *store, int64_t app_version, int64_t seen_s, int64_t day,
                          struct supply *ret_supply, struct error *err);
    /* Of the same hosts, those that said what they offer. `enough`: of memory and disk; the rest
     * of it is not looked at. */
    enum status (*offers)(struct store *store, int64_t app_version, int64_t seen_s,
                          const struct host_offer *enough,
                          bool (*row)(void *context, const struct offer_group *group),
                          void *context, struct error *err);
    /* That were told at or after `since_s` and have to do with the app version (row id): keyrings,
     * freshness, and the app's own envelopes. Those of the most hosts first. */
    enum status (*refused)(struct store *store, int64_t app_version, int64_t since_s, size_t most,
                           bool (*row)(void *context, const struct refused_group *group),
                           void *context, struct error *err);
    /* Of the batch's first `most` open units. */
    enum status (*standing)(struct store *store, int64_t batch, const struct supply *supply,
                            int64_t most, struct standing *ret_standing, struct error *err);
    /* Likewise; those with the most units first. */
    enum status (*signers)(struct store *store, int64_t batch, int64_t most,
                           bool (*row)(void *context, const struct signer_group *group),
                           void *context, struct error *err);

    /* All that signers_put() was given, each once, by their numbers (signer_set_number()), rising.
     * There is no limit but what was put; a set is borrowed until the callback returns. */
    enum status (*signer_sets)(struct store *store,
                               bool (*row)(void *context, const struct signer_set *signers),
                               void *context, struct error *err);

    /* STATUS_NOT_FOUND. */
    enum status (*unit)(struct store *store, const struct digest *unit,
                        bool (*row)(void *context, const struct unit_view *unit), void *context,
                        struct error *err);
    /* Row ids by digest; ret_units[i] 0: digests[i] is none here. */
    enum status (*unit_rows)(struct store *store, const struct digest *digests, size_t count,
                             int64_t *ret_units, struct error *err);
    /* By index in the batch, from after unit `after` (row id; 0: the first). `state` 0: any. */
    enum status (*units)(struct store *store, int64_t batch, enum unit_state state, int64_t after,
                         size_t limit, bool (*row)(void *context, const struct unit_line *unit),
                         void *context, struct error *err);
    /* By id, from after task `after`. `state` 0: any. */
    enum status (*tasks)(struct store *store, int64_t batch, enum task_state state, int64_t after,
                         size_t limit, bool (*row)(void *context, const struct task_line *task),
                         void *context, struct error *err);
    /* Ends and reopenings of the batch's units, in journal order, from after `cursor` (0: all). A
     * unit that ended twice comes twice. */
    enum status (*results)(struct store *store, int64_t batch, int64_t cursor, size_t limit,
                           bool (*row)(void *context, const struct result_view *result),
                           void *context, struct error *err);

    /* By id, from after host `after`. */
    enum status (*hosts)(struct store *store, int64_t after, size_t limit,
                         bool (*row)(void *context, const struct host_line *host), void *context,
                         struct error *err);

    /* Newest first: by falling id, from below `after` (0: all). */
    enum status (*app_versions)(struct store *store, int64_t after, size_t limit,
                                bool (*row)(void *context, const struct app_version_view *version),
                                void *context, struct error *err);
    /* Units of an app version (row id) that have not ended, by the batches' tallies. */
    enum status (*app_units)(struct store *store, int64_t app_version, int64_t *ret_units,
                             struct error *err);
    /* Of one app version (row id), or of all (0); by id, from after `after`. */
    enum status (*variants)(struct store *store, int64_t app_version, int64_t after, size_t limit,
                            bool (*row)(void *context, const struct variant_view *variant),
                            void *context, struct error *err);
    /* STATUS_NOT_FOUND. */
    enum status (*app_version_by_digest)(struct store *store, const struct digest *digest,
                                         int64_t *ret_id, struct error *err);

    /* Envelopes by row id, for grants: at most QUERY_ROWS_MAX ids; unknown ones are passed over,
     * the order is by id, each once. */
    enum status (*unit_envelopes)(struct store *store, const int64_t *units, size_t count,
                                  bool (*row)(void *context, int64_t id, struct span envelope),
                                  void *context, struct error *err);
    /* App versions and variants, by identity digest. */
    enum status (*app_envelopes)(struct store *store, const struct digest *digests, size_t count,
                                 bool (*row)(void *context, const struct digest *digest,
                                             struct span envelope),
                                 void *context, struct error *err);

    /* What the last visits of at most QUERY_ROWS_MAX hosts were answered (struct answer_record);
     * hosts that never visited are passed over, the order is by host, each once. */
    enum status (*answers)(struct store *store, const int64_t *hosts, size_t count,
                           bool (*row)(void *context, int64_t host, struct span reply),
                           void *context, struct error *err);

    /* Version 1, every root change since, and the newest; by version. Or (`version` > 0) that one.
     */
    enum status (*keyrings)(struct store *store, int64_t version,
                            bool (*row)(void *context, const struct keyring_view *keyring),
                            void *context, struct error *err);
    /* The newest freshness and the notices not over at `now_s`, newest first, at most 16. */
    enum status (*news)(struct store *store, int64_t now_s,
                        bool (*row)(void *context, const struct news_view *news), void *context,
                        struct error *err);

    /* Which of at most QUERY_ROWS_MAX files are not here: ret_is_missing[i] for digests[i]. */
    enum status (*files_missing)(struct store *store, const struct digest *digests, size_t count,
                                 bool *ret_is_missing, struct error *err);
    /* What a digest is, and who may have it. STATUS_NOT_FOUND: neither file nor inline body. */
    enum status (*file)(struct store *store, const struct digest *digest,
                        bool (*row)(void *context, const struct file_view *file), void *context,
                        struct error *err);

    /* All files, in order of digest, from after `after` (NULL: the first). */
    enum status (*files)(struct store *store, const struct digest *after, size_t limit,
                         bool (*row)(void *context, const struct file_line *file), void *context,
                         struct error *err);

    /* By id. None where a database is one server's alone. */
    enum status (*other_servers)(struct store *store,
                                 bool (*row)(void *context, const struct other_server *server),
                                 void *context, struct error *err);
    /* By seq, from after `after`. *ret_newest: the newest entry there is, of whomever. */
    enum status (*other_entries)(struct store *store, int64_t after, size_t limit,
                                 bool (*row)(void *context, const struct other_entry *entry),
                                 void *context, int64_t *ret_newest, struct error *err);

    enum status (*metrics)(struct store *store, struct metrics *ret_metrics, struct error *err);
};

#endif
