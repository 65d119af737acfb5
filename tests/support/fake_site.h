/*
 * A project's server for tests of clients, in memory: the sample project with some units, each to
 * be computed once. It holds the client to the protocol: numbers of visits that rise, the same
 * bytes for the same number, statements signed by the host's key, bodies of the reported digests,
 * every held task told. Whatever breaks that is kept in `broken`.
 */
#ifndef TESTS_SUPPORT_FAKE_SITE_H
#define TESTS_SUPPORT_FAKE_SITE_H

#include "protocol/bulletin.h"
#include "protocol/scheduler_reply.h"
#include "tests/support/fake_net.h"
#include "tests/support/fake_tls.h"
#include "tests/support/sample.h"

#define FAKE_SITE_URL    "https://127.0.0.1:8443"
#define FAKE_UNITS_MAX   320 /* more than a visit can name */
#define FAKE_REFUSED_MAX 64
#define FAKE_UPLOAD_MAX  262144

enum fake_task_state { FAKE_WAITING, FAKE_SENT, FAKE_REPORTED, FAKE_STORED };

struct fake_task {
    int64_t number; /* 1.. */
    struct envelope unit;
    enum fake_task_state state;
    enum visit_outcome outcome;
    enum refusal refusal;
    struct digest refused;
    struct named_output output; /* the first */
    char stderr_tail[64];
    int64_t busy_ms;
    bool is_unstarted;
    enum task_limit limit;
    char why[128];
    bool was_uploaded;
    bool is_told;
};

struct fake_site {
    struct fake_net net; /* first; its context is the site */
    struct sample sample;
    struct envelope first_keyring;
    struct envelope keyring; /* served; change and seal again */
    struct envelope freshness;
    struct envelope app_version;
    struct envelope variant;
    struct fake_task tasks[FAKE_UNITS_MAX];
    size_t task_count;

    /* What it does: */
    int64_t return_s;            /* default 60 */
    struct bulletin_work work;   /* default: look once a minute */
    int64_t grants_at_once;      /* default 64 */
    bool asks_for_bodies;        /* of outputs that did not come inline */
    bool drops_reported;         /* needs none of them any more */
    enum drop_reason drops_sent; /* wants none of them, for this reason; 0: does */
    bool grants_unasked;         /* whatever it has, however little was wanted */
    bool asks_too_early;         /* for bodies of tasks that nobody reported yet */
    bool shows_first_keyring;    /* besides the newest: who attaches begins with it */
    bool sends_lost;             /* what it granted and is not held is granted again, unasked */
    bool grants_reported;        /* what a visit reports is granted once more by its answer */
    bool keeps_reported;         /* acknowledges as reported, never as stored */
    const struct fake_tls *tls;  /* what it presents; NULL: what every system trusts. Borrowed */
    bool forgets_token;          /* 401 to the next visit */
    bool says_clone;             /* to the next visit */
    bool sends_all_envelopes;    /* whatever the host says that it has */
    bool asks_for_kept;          /* it was restored */
    bool withdraws_host;         /* 410 to whoever enrols with the key that it knows */
    enum status fails_with;      /* every scheduler request; STATUS_OK: none */
    int64_t fails_retry_s;
    const int64_t *clock_ms; /* a monotonic clock: its time goes on by it. NULL: it stands */
    int64_t clock_begun_ms;
    bool tells_clock;     /* that a client's is off, where it is by more than ten minutes */
    struct token account; /* of a new volunteer */
    char file[64];        /* what it serves as "data"; default "data" */
    char mark;            /* begins every small file that it serves; default 's' */
    size_t bundle_holds;  /* files that it puts into a bundle at most; 0: all */
    enum status bundle_fails_with; /* every bundle; STATUS_OK: none */

    /* What it has seen: */
    char account_name[VOLUNTEER_NAME_MAX + 1]; /* of the last one made */
    struct public_key host_key;
    struct token host_account; /* that the host enrolled with */
    struct token token;
    int64_t enrolments;
    int64_t visits;  /* answered, repeats not counted */
    int64_t reports; /* in them: a task that comes again counts again */
    int64_t repeats;
    int64_t last_visit;
    char *last_body; /* owned: request and reply of the last visit */
    char *last_reply;
    int64_t files_served; /* one by one or in bundles */
    int64_t bundles;      /* asked for */
    int64_t last_range;
    int64_t told_disk_bytes; /* that the host has for a task; none is granted that needs more */
    int64_t kept_told;       /* in all visits */
    struct refused_thing refused[FAKE_REFUSED_MAX]; /* told by visits that were answered */
    size_t refused_count;                           /* counts on where the list is full */
    int64_t asked_tasks;                            /* wanted by the last visit */
    int64_t asked_memory;                           /* that it offered, bytes */
    bool forgets_told;     /* like a server that restarts: verdicts are told again and again */
    int64_t held;          /* told by the last visit */
    struct held_task told; /* the last running one that told of its progress */
    int64_t refused_visit; /* by fails_with, last */
    char *refused_body;    /* owned */
    int64_t bulletins;     /* asked for */
    int64_t first_contacts;
    int64_t distrusted; /* requests that were not sent, for its certificate is not trusted */
    char upload[FAKE_UPLOAD_MAX];
    size_t upload_length;
    size_t upload_size; /* announced; 0: no upload is open */
    int64_t upload_task;
    int64_t uploads_made;
    size_t upload_cut; /* take so many bytes of the next PATCH, then break; 0: all */
    char broken[256];  /* "": nothing was */
};

void fake_site_init(struct fake_site *site, size_t units);
void fake_site_clear(struct fake_site *site);

/* Seal what was changed in the sample: unit manifests stay as they are. */
void fake_site_seal(struct fake_site *site);

/*
 * Every unit gets so many small inputs more: "small-<n>" of its own name's bytes, for n from its
 * index times `step` on.
 */
#define FAKE_SMALL_MAX 400
void fake_site_add_small(struct fake_site *site, size_t count, size_t step);

/* How many tasks are in this state or a later one. */
size_t fake_site_count(const struct fake_site *site, enum fake_task_state least);

#endif
