/*
 * What the daemon knows in memory: attached projects and their tasks. For client/daemon/ only.
 * Whatever must survive is in a record and saved before it counts; the rest is found out anew.
 */
#ifndef CLIENT_DAEMON_ATTACHED_H
#define CLIENT_DAEMON_ATTACHED_H

#include "client/agent/durations.h"
#include "client/agent/place.h"
#include "client/agent/room.h"
#include "client/agent/turns.h"
#include "client/daemon/lane.h"
#include "client/daemon/parts.h"
#include "client/fetch/bundle.h"
#include "client/fetch/download.h"
#include "client/fetch/slot.h"
#include "client/state/project_files.h"
#include "protocol/bulletin.h"
#include "protocol/enrolment.h"
#include "protocol/scheduler_request.h"

struct client_task {
    struct task_record record;
    bool is_dirty;            /* to be saved: the last attempt failed */
    struct prepared prepared; /* filled, and its files pinned, while is_prepared */
    bool is_prepared;
    struct slot_work *filling;      /* owned; its slot is being filled; NULL: it is not */
    struct running_task *running;   /* owned by the launcher */
    struct collection *collecting;  /* owned; of the output after these: */
    struct named_outputs collected; /* owned; in the spool, while it is PHASE_COLLECTING */
    int64_t busy_since;             /* mono ms; 0: it waits in our queue */
    int64_t busy_ms;                /* that it was busy before: fetched, run, collected */
    int64_t not_before;             /* mono ms: something about it failed */
    int64_t failures;               /* in a row: fetching, starting */
    int64_t doubted; /* its program could not be run: the machine's fault, until it was found good
                        so often; 0: that never was */
    char *trouble;   /* owned; why it waits for this machine; NULL: it does not */
    int64_t mismatches;    /* files that were not what was signed */
    int64_t upload_offset; /* of record.upload_url; HTTP_ABSENT: to be asked */
};

/* A file that could not be had: asked for again later, while others are fetched. */
struct held_file {
    struct digest digest;
    int64_t failures;   /* in a row; 0: this entry is free */
    int64_t not_before; /* mono ms */
};

#define HELD_FILES_MAX 64 /* beyond these the one that may be asked for first is forgotten */

struct told_refusal {
    struct refused_thing thing;
    bool is_told; /* by a visit that was answered */
};

#define FETCHES_MAX 4 /* large files of a project on their way at once */

/* A file on its way by itself. Zeroed: none is. */
struct fetch {
    struct lane lane;
    struct download part;
    int64_t task; /* for which; 0: this place is free */
};

struct attached {
    struct project_files files;
    struct project_record record;
    struct host_record host;
    int64_t former_host; /* whose token the server refused; for the log. 0: none */
    struct visit_record visit;
    struct private_key key;
    struct trust trust;
    struct client_task **tasks; /* owned, by rising number */
    size_t task_count;
    size_t task_capacity;
    struct envelope *envelopes; /* owned: app versions and variants */
    size_t envelope_count;

    struct lane talk;     /* visits and the like */
    struct lane bundling; /* small files, many at once */
    struct lane upload;   /* bodies */
    struct fetch fetches[FETCHES_MAX];
    struct bundle bundle;        /* what `bundling` is fetching */
    struct disk_file *sent_file; /* what `upload` is sending */
    int64_t upload_task;
    struct challenge challenge;

    /* Monotonic ms; see client/agent/talk.h */
    int64_t hold_until;
    int64_t return_at;
    int64_t visited_at;
    int64_t hailed_at;
    int64_t bulletin_at;
    int64_t look_at;
    int64_t download_at; /* not before */
    int64_t upload_at;
    int64_t failures; /* of talking, in a row */
    int64_t download_failures;
    int64_t bundle_at; /* not before: until then small files come one by one, too */
    int64_t bundle_failures;
    struct held_file held_files[HELD_FILES_MAX];
    int64_t upload_failures;
    size_t report_limit; /* fewer after a visit was refused */
    bool wants_contact;
    bool is_keyless;           /* that failed, and no visit was begun since */
    bool is_distrusted;        /* its certificate was the last failure */
    int64_t bulletin_failures; /* in a row */
    bool is_first_contact;     /* the certificate is unknown: see common/http/client.h */
    char bulletin_etag[HTTP_ETAG_MAX];
    struct bulletin_work work; /* as last said */
    bool has_heard;            /* it was said since the start */

    /* Of the keyring's URLs, in their order; see client/daemon/places.h */
    struct place places[KEYRING_URLS_MAX];
    int64_t places_of; /* version of that keyring; 0: of none yet */
    size_t place;      /* in use: record.url is there */
    bool is_place_new; /* it has not shown the project yet: no token goes there */

    char trouble[WHY_MAX + 1];      /* what is wrong with talking; "": nothing */
    char unsaved[WHY_MAX + 1];      /* why the disk does not take its tasks' records; "": it does */
    char server_words[WHY_MAX + 1]; /* why there was no work */
    bool is_asked_for_kept;         /* the server was restored: see client/daemon/kept.h */
    int64_t kept_after;             /* tasks up to this one were told already */
    int64_t contradicted_task;      /* granted again as another unit than it is; 0: none */
    struct told_refusal refused[SCHEDULER_REFUSED_MAX]; /* see client/daemon/refused.h */
    size_t refused_count;
    int64_t used_ms;    /* of processors, for taking turns */
    struct turns turns; /* of its batches; what runs is charged when it ends */
    struct durations durations;
    int64_t mean_task_ms;

    /* What the server said the time is, and when: our own clock may be a year off. 0: not heard. */
    int64_t server_s;
    int64_t server_heard_at;
    int64_t clock_told_s; /* how far ours is ahead, by its answer; 0: not. See own_clock.h */
    bool is_clock_asked;  /* the last answer came while something was stale by our clock */
};

/* Of this machine; see client/daemon/proof.h. Zeroed: not begun. */
struct proof {
    enum { PROOF_DUE, PROOF_GOOD, PROOF_BAD } state;
    struct running_task *running; /* owned by the launcher; NULL: it does not run */
    int64_t goods;                /* how often it was found good */
    int64_t retry_at;             /* mono ms; while PROOF_BAD */
    int64_t failures;             /* in a row */
    char why[WHY_MAX + 1];        /* of the last failure; "": none */
};

/* A project that is attached, and whose files the disk does not give now. */
struct unloaded {
    struct digest project;
    char why[WHY_MAX + 1];
};

/* The script's name in its folder: so launchers of tests know it. */
#define PROOF_PROGRAM "dugnad-proof"

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
    struct proof proof;
    struct digest left;     /* the project that was left last; none: none was */
    int64_t left_bodies;    /* results of it whose outputs nobody has any more but as digests */
    int64_t waits_for;      /* bytes that some task waits for; 0: none does */
    int64_t waits_for_next; /* the same, as found in this step */
    bool is_due;            /* there is more to do in the next step, at once */
    int64_t save_again_at;  /* mono ms: when dirty tasks are saved again */
    int64_t load_again_at; /* the same of projects that could not be loaded, while there are any: */
    struct unloaded unloaded[STATE_PROJECTS_MAX];
    size_t unloaded_count;
};

#define DIRTY_RETRY_MS 10000
#define LOAD_RETRY_MS  60000

struct attached *daemon_find(const struct daemon *daemon, const struct digest *project);
const struct envelope *attached_envelope(const struct attached *project,
                                         const struct digest *digest);

/*
 * Taken over, in the place of another envelope of the payload; forgets unused ones beyond what a
 * visit may name. What the grants of `reply` count on is in use, too: they are not among the tasks
 * yet. NULL: there is no reply.
 */
void attached_keep_envelope(struct attached *project, struct envelope *envelope,
                            const struct scheduler_reply *reply);

/*
 * Is it signed by keys that the project's trust allows now, stale or not? Else it is not said to be
 * there, so that servers send what was signed anew, and that takes its place.
 */
bool attached_envelope_holds(const struct attached *project, const struct envelope *envelope,
                             int64_t now_s);

/* Words for status: cut to fit, one line, fit to be shown. */
void set_words(char ret_words[WHY_MAX + 1], const char *text);

/* 64 random bits. */
uint64_t daemon_draw(struct daemon *daemon);
int64_t daemon_now(const struct daemon *daemon);   /* monotonic ms */
int64_t daemon_now_s(const struct daemon *daemon); /* wall clock */

/* That all tasks together may have: as the owner says, and this machine allows. */
int64_t daemon_memory(const struct daemon *daemon);

/* Is it the app version or variant of one of its grants? NULL: there is no reply. */
bool reply_grants(const struct scheduler_reply *reply, const struct digest *digest);

/* Of its tasks, how many are not finished; and how many the server may have a word to say on. */
int64_t attached_unfinished(const struct attached *project);
int64_t attached_open(const struct attached *project);

/* Is the site in use known to be the project's, and this host to it? Else no token goes there. */
bool attached_may_have_token(const struct attached *project);

/* Is any of them PHASE_FETCHING? */
bool attached_is_fetching(const struct attached *project);

#endif
