/*
 * What the daemon knows in memory: attached projects and their tasks. For client/daemon/ only.
 * Whatever must survive is in a record and saved before it counts; the rest is found out anew.
 */
#ifndef CLIENT_DAEMON_ATTACHED_H
#define CLIENT_DAEMON_ATTACHED_H

#include "client/agent/room.h"
#include "client/daemon/daemon.h"
#include "client/fetch/download.h"
#include "client/fetch/slot.h"
#include "client/state/project_files.h"
#include "protocol/enrolment.h"

struct attached;

/* One exchange at a time, and what is to be done with its end. Zeroed: idle. */
struct lane {
    struct http_exchange *exchange;
    char *body; /* owned; what is sent */
    void (*done)(struct daemon *daemon, struct attached *project, enum status status,
                 struct http_response *response, const struct error *err);
};

struct client_task {
    struct task_record record;
    bool is_dirty;            /* to be saved: the last attempt failed */
    struct prepared prepared; /* filled, and its files pinned, while is_prepared */
    bool is_prepared;
    struct slot_work *filling;      /* owned; its slot is being filled; NULL: it is not */
    struct running_task *running;   /* owned by the launcher */
    struct collection *collecting;  /* owned; of the output after these: */
    struct named_outputs collected; /* owned; in the spool, while it is PHASE_COLLECTING */
    int64_t not_before;             /* mono ms: something about it failed */
    int64_t failures;               /* in a row: fetching, starting */
    char *trouble;                  /* owned; why it waits for this machine; NULL: it does not */
    int64_t mismatches;             /* files that were not what was signed */
    int64_t upload_offset;          /* of record.upload_url; HTTP_ABSENT: to be asked */
};

/* A file that could not be had: asked for again later, while others are fetched. */
struct held_file {
    struct digest digest;
    int64_t failures;   /* in a row; 0: this entry is free */
    int64_t not_before; /* mono ms */
};

#define HELD_FILES_MAX 64 /* beyond these the one that may be asked for first is forgotten */

struct attached {
    struct project_files files;
    struct project_record record;
    struct host_record host;
    struct visit_record visit;
    struct private_key key;
    struct trust trust;
    struct client_task **tasks; /* owned, by rising number */
    size_t task_count;
    size_t task_capacity;
    struct envelope *envelopes; /* owned: app versions and variants */
    size_t envelope_count;

    struct lane talk;            /* visits and the like */
    struct lane download;        /* files */
    struct lane upload;          /* bodies */
    struct download part;        /* what `download` is fetching */
    struct disk_file *sent_file; /* what `upload` is sending */
    int64_t download_task;       /* for which task; 0: none */
    int64_t upload_task;
    struct challenge challenge;

    /* Monotonic ms; see client/agent/talk.h */
    int64_t hold_until;
    int64_t return_at;
    int64_t visited_at;
    int64_t bulletin_at;
    int64_t download_at; /* not before */
    int64_t upload_at;
    int64_t failures; /* of talking, in a row */
    int64_t download_failures;
    struct held_file held_files[HELD_FILES_MAX];
    int64_t upload_failures;
    size_t report_limit; /* fewer after a visit was refused */
    bool wants_contact;
    bool is_first_contact; /* the certificate is unknown: see common/http/client.h */
    char bulletin_etag[HTTP_ETAG_MAX];
    char trouble[WHY_MAX + 1];      /* what is wrong with talking; "": nothing */
    char server_words[WHY_MAX + 1]; /* why there was no work */
    int64_t contradicted_task;      /* granted again as another unit than it is; 0: none */
    int64_t used_ms;                /* of processors, for taking turns */
    int64_t mean_task_ms;

    /* What the server said the time is, and when: our own clock may be a year off. 0: not heard. */
    int64_t server_s;
    int64_t server_heard_at;
};

struct daemon {
    struct daemon_parts parts;
    struct env *env;
    struct cache cache;
    struct machine machine;
    struct attached **projects; /* owned */
    size_t project_count;
    bool is_paused;
    struct room_view space; /* of the disk, as last looked at */
    struct room room;       /* and what follows from it */
    int64_t waits_for;      /* bytes that some task waits for; 0: none does */
    int64_t waits_for_next; /* the same, as found in this step */
    bool is_due;            /* there is more to do in the next step, at once */
    int64_t save_again_at;  /* mono ms: when dirty tasks are saved again */
    int64_t load_again_at;  /* the same of projects that could not be loaded; while `unloaded` */
    char unloaded[WHY_MAX + 1]; /* why some project could not be; "": all are */
    char trouble[WHY_MAX + 1];  /* the disk's */
};

#define DIRTY_RETRY_MS 10000
#define LOAD_RETRY_MS  60000

/* --- projects (attached.c) --- */

/* Adds an empty one, its folders made. NULL: `err` says why. */
struct attached *attached_add(struct daemon *daemon, const struct digest *project,
                              struct error *err);

/*
 * Adds and loads one. NULL: `err` says why; STATUS_NOT_FOUND: there is none. With any other failure
 * its files stay as they are, to be loaded another time.
 */
struct attached *attached_load(struct daemon *daemon, const struct digest *project,
                               struct error *err);

/* Breaks off its exchanges and tasks; its files stay. */
void attached_free(struct daemon *daemon, struct attached *project);

struct attached *daemon_find(const struct daemon *daemon, const struct digest *project);
const struct envelope *attached_envelope(const struct attached *project,
                                         const struct digest *digest);

/*
 * Taken over; forgets unused ones beyond what a visit may name. What the grants of `reply` count on
 * is in use, too: they are not among the tasks yet. NULL: there is no reply.
 */
void attached_keep_envelope(struct attached *project, struct envelope *envelope,
                            const struct scheduler_reply *reply);

/* Words for status: cut to fit, one line, fit to be shown. */
void set_words(char ret_words[WHY_MAX + 1], const char *text);

/* 64 random bits. */
uint64_t daemon_draw(struct daemon *daemon);
int64_t daemon_now(const struct daemon *daemon);   /* monotonic ms */
int64_t daemon_now_s(const struct daemon *daemon); /* wall clock */

/* --- tasks (tasks.c) --- */

struct client_task *task_find(const struct attached *project, int64_t number);

/* Takes the record over. */
struct client_task *task_add(struct attached *project, const struct task_record *record);

/* The next step of its life, which agent/phase.h must allow. Nothing is saved. */
void task_enter(struct client_task *task, enum phase phase);

/* Save the record; a failure is kept in mind and tried again. */
enum status task_save(struct daemon *daemon, struct attached *project, struct client_task *task,
                      struct error *err);

/* Verify it; PHASE_FETCHING then, or finished as refused. Waits while freshness is stale. */
void task_verify(struct daemon *daemon, struct attached *project, struct client_task *task);

/* Everything on hand again, when keys or revocations changed: what is revoked stops at once. */
void tasks_check_again(struct daemon *daemon, struct attached *project);

/* It ended like this: durable, its slot and files given back. record.report is filled. */
void task_finish(struct daemon *daemon, struct attached *project, struct client_task *task,
                 enum visit_outcome outcome);

/* Why it ended as it did, in words; "": it is done, or nobody knows. */
void task_why(const struct task_record *record, char ret_why[WHY_MAX + 1]);

/* Finished as abandoned, for this reason. */
void task_abandon(struct daemon *daemon, struct attached *project, struct client_task *task,
                  const char *why);
void task_refuse(struct daemon *daemon, struct attached *project, struct client_task *task,
                 enum refusal refusal, const struct digest *what, const struct error *err);

/* The server needs nothing more of it. An unfinished one is gone at once. */
enum status task_settle(struct daemon *daemon, struct attached *project, struct client_task *task,
                        struct error *err);

/* This machine, not the task, is to blame: it is tried again later. NULL: no more. */
void task_trouble(struct daemon *daemon, struct client_task *task, const char *why);

/* What is wrong with this machine, in words; "": nothing. Borrowed. */
const char *daemon_trouble(const struct daemon *daemon);

/* Files and all. A failure leaves files that nobody reads. */
void task_remove(struct daemon *daemon, struct attached *project, struct client_task *task);

/* Save again what could not be saved; forget what was kept long enough. */
void tasks_tidy(struct daemon *daemon);

/* --- the disk (room.c) --- */

/* At the beginning of each step: how much is free, and what that leaves. */
void room_look(struct daemon *daemon);

/* Most that a prepared task may use of the disk, and whether it has it now. */
int64_t task_room(const struct client_task *task);
bool task_holds_disk(const struct client_task *task);

/* Of all that hold it. */
int64_t room_running(const struct daemon *daemon);

/* May one of its files be fetched now? */
bool room_lets_fetch(struct daemon *daemon, const struct client_task *task);

/* This is being fetched from now on. */
void room_take(struct daemon *daemon, const struct download *part);

/* A task found so much too much. */
void room_wait(struct daemon *daemon, int64_t bytes);

/* Why no work is asked for; "": not for want of room. */
void room_why(const struct daemon *daemon, char ret_words[WHY_MAX + 1]);

/* --- running (start.c, run.c) --- */

/* Its slot is full, or not filled any more, nor are its outputs collected. */
void run_stop_copying(struct client_task *task);

/* May it be started, or its slot filled, at this moment? */
bool run_may_start(struct daemon *daemon, const struct attached *project,
                   const struct client_task *task);

void run_poll_all(struct daemon *daemon);
void run_start_some(struct daemon *daemon);
void run_pause_all(struct daemon *daemon, bool is_paused);

/* --- transfers (transfer.c, upload.c) --- */

void download_step(struct daemon *daemon, struct attached *project);

/* When a file that failed may be asked for again; mono ms, TALK_NEVER: there is none. */
int64_t download_wake(const struct attached *project, int64_t now);
void upload_step(struct daemon *daemon, struct attached *project);

/* --- talking (lane.c, talking.c, contact.c, enrol.c, visit.c, answer.c) --- */

enum status lane_start(struct daemon *daemon, struct lane *lane, const struct http_request *request,
                       struct error *err);
void lane_poll(struct daemon *daemon, struct attached *project, struct lane *lane);
void lane_stop(struct daemon *daemon, struct lane *lane);

/* "<site>/v1/…", to be freed. */
char *site_url(const struct attached *project, const char *path);

void talk_step(struct daemon *daemon, struct attached *project);

/* When talk_step() has something to do by itself; monotonic ms. */
int64_t talk_wake(struct daemon *daemon, struct attached *project);

/* How many tasks to ask for; 0: none, and talk_why_not() says why. */
int64_t talk_wanted(struct daemon *daemon, const struct attached *project);
void talk_why_not(struct daemon *daemon, const struct attached *project,
                  char ret_words[WHY_MAX + 1]);

/* What every kind of talk does about a failure, and about the contrary. */
void talk_failed(struct daemon *daemon, struct attached *project, enum status status,
                 const struct error *err);
void talk_worked(struct attached *project);

/* Something else than talk failed: if the certificate did it, first contact is made anew. */
void talk_untrusted(struct attached *project, const struct error *err);

/* An authority that the keyring does not list (any more) is trusted no more. */
void contact_check_ca(struct attached *project);

void contact_start(struct daemon *daemon, struct attached *project);
void bulletin_start(struct daemon *daemon, struct attached *project);
void enrol_start(struct daemon *daemon, struct attached *project);
void visit_start(struct daemon *daemon, struct attached *project);

/* Take the answer to the unanswered visit. On failure nothing is lost: the visit is repeated. */
enum status answer_take(struct daemon *daemon, struct attached *project, const char *body,
                        size_t length, struct error *err) MUST_USE;

/* Is it the app version or variant of one of its grants? NULL: there is no reply. */
bool reply_grants(const struct scheduler_reply *reply, const struct digest *digest);

/* Nothing of the host we were is left: another one has its key. */
void host_is_cloned(struct daemon *daemon, struct attached *project);

/* --- answers to verbs (status.c) --- */

json_t *status_of_daemon(struct daemon *daemon);

#endif
