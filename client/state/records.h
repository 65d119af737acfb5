/*
 * The small files of a project, as values: strict JSON, one object each. Decoding has the limits
 * and failures of common/json/members.h: whatever is not exactly a record is STATUS_INVALID or
 * STATUS_TOO_LARGE, and leaves *ret_ alone. Encoding yields text to be freed, never NULL.
 */
#ifndef CLIENT_STATE_RECORDS_H
#define CLIENT_STATE_RECORDS_H

#include "client/agent/known_urls.h"
#include "client/agent/phase.h"
#include "common/http/client.h"
#include "protocol/project.h"
#include "protocol/scheduler_reply.h"
#include "protocol/scheduler_request.h"

#define PROJECT_RECORD_MAX (64 * 1024)
#define HOST_RECORD_MAX    (16 * 1024)
#define TASK_RECORD_MAX    (128 * 1024)
#define VISIT_RECORD_MAX   (SCHEDULER_REQUEST_MAX * 2) /* the body as a JSON text */
#define RECORD_STARTS_MAX  1000000

/* Does the owner leave the project? Stored by name: "", "now", "finish". */
enum leaving {
    LEAVING_NOT,
    LEAVING_NOW,    /* what is not finished is handed back */
    LEAVING_FINISH, /* what was started may finish */
};

/* project.json: what the owner said, and where the project is. Zeroed: none. */
struct project_record {
    struct digest project;
    char url[HTTP_URL_MAX];
    char name[PROJECT_NAME_MAX + 1]; /* as the site calls it */
    struct token account;            /* whose host this is; none: nobody's */
    bool native_allowed;             /* the owner said yes to the project's native programs */
    char *ca_pem;                    /* owned; the CA found on first contact; NULL: the system's */
    char stopped[WHY_MAX + 1];       /* why nothing is done for it any more; "": it is not */
    int64_t attached_s;
    enum leaving leaving;
    char place_why[WHY_MAX + 1]; /* why `url` is another place than before; "": it is not */
    struct known_urls known_urls;
};

/* "" for LEAVING_NOT. */
const char *leaving_name(enum leaving leaving);

void project_record_clear(struct project_record *record); /* for CLEANUP(), too */
enum status project_record_decode(const char *bytes, size_t length,
                                  struct project_record *ret_record, struct error *err) MUST_USE;
char *project_record_encode(const struct project_record *record);

/* How the host's finished tasks were judged. */
struct tally {
    int64_t accepted;
    int64_t outvoted;
    int64_t inconclusive;
    int64_t errors;
    int64_t unit_failed;
    int64_t credit; /* declared operations */
};

/*
 * host.json: what the server said of this host. Writing it is what makes an answer to a visit
 * taken: until then the same visit is repeated and its answer taken again.
 */
struct host_record {
    int64_t host; /* 0: not enrolled */
    struct token token;
    int64_t volunteer;
    int64_t next_visit;  /* 1.. */
    int64_t return_at_s; /* not before, by the wall clock; 0: not said */
    struct tally tally;
};

enum status host_record_decode(const char *bytes, size_t length, struct host_record *ret_record,
                               struct error *err) MUST_USE;
char *host_record_encode(const struct host_record *record);

/* visit.json: a request that was, or was about to be, sent: kept until it is answered. */
struct visit_record {
    int64_t number; /* 0: none */
    char *body;     /* owned; the exact bytes */
};

void visit_record_clear(struct visit_record *record); /* for CLEANUP(), too */
enum status visit_record_decode(const char *bytes, size_t length, struct visit_record *ret_record,
                                struct error *err) MUST_USE;
char *visit_record_encode(const struct visit_record *record);

/* tasks/<number>.json. Zeroed: none. */
struct task_record {
    int64_t task;
    struct digest unit;
    struct digest app_version;
    struct digest variant;
    int64_t deadline_s;
    struct digest receipt; /* that it was granted to us, for a server that was restored; none */
    enum phase phase;
    int64_t starts; /* how often it was started */

    /* From PHASE_FINISHED on: */
    enum visit_outcome outcome;     /* 0 before */
    struct named_outputs outputs;   /* in the spool; only of VISIT_DONE */
    struct scheduler_report report; /* without bodies */
    int64_t finished_s;
    int64_t settled_s;             /* when it became PHASE_STORED; 0: not yet */
    struct texts wanted;           /* outputs that the server wants uploaded */
    char upload_url[HTTP_URL_MAX]; /* of the first of them; "": none was begun */
    enum verdict verdict;          /* 0: none yet */
    int64_t verdict_visit;         /* number of the visit whose answer told it; 0: none */
    int64_t credit;
};

/* Bytes of its outputs. */
int64_t task_record_bytes(const struct task_record *record);

void task_record_clear(struct task_record *record); /* for CLEANUP(), too */
enum status task_record_decode(const char *bytes, size_t length, struct task_record *ret_record,
                               struct error *err) MUST_USE;
char *task_record_encode(const struct task_record *record);

#endif
