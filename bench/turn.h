/*
 * What one host has to say to the server, request by request: enrolment if it is not known yet,
 * then a visit, then the uploads that its answer asked for. Knows the protocol and neither sockets
 * nor clocks: the caller carries bytes.
 */
#ifndef BENCH_TURN_H
#define BENCH_TURN_H

#include "bench/actor.h"
#include "bench/figures.h"
#include "bench/response.h"
#include "common/base/buffer.h"
#include "protocol/enrolment.h"
#include "protocol/visit.h"
#include "work-units/trust.h"

/* An app version that work was granted of. */
struct known_app {
    struct digest digest;
    struct app_version app;
};

#define KIT_APPS_MAX 64

/* What all hosts of a thread share. Zeroed, then filled by the thread's owner. */
struct kit {
    struct digest project;
    const char *authority; /* of the Host field: "127.0.0.1:8443" */
    const char *platform;
    int64_t tasks; /* wanted per visit */
    int64_t output_bytes;
    const struct trust *trust; /* check manifests by it; NULL: believe them */
    int64_t now_s;             /* of the clock, kept by the owner */
    struct figures *figures;   /* where to count; borrowed */
    size_t app_count;
    struct known_app apps[KIT_APPS_MAX];
    size_t variant_count;
    struct digest variants[KIT_APPS_MAX];
};

void kit_clear(struct kit *kit);

/* An output that the answer to a visit asked for. */
struct wanted_output {
    int64_t task;
    struct digest unit;
    struct file_name name;
};

enum turn_step {
    TURN_OVER = 0,
    TURN_ACCOUNT,   /* POST /v1/accounts: each host has its own volunteer */
    TURN_CHALLENGE, /* POST /v1/challenges */
    TURN_ENROL,     /* POST /v1/hosts */
    TURN_VISIT,     /* POST /v1/scheduler */
    TURN_CREATE,    /* POST /v1/uploads */
    TURN_PATCH,     /* PATCH it */
};

/* Zeroed: over. */
struct turn {
    enum turn_step step;
    struct actor *actor; /* borrowed */
    struct challenge challenge;
    struct visit visit; /* owned; what was said last */
    size_t wanted_count, wanted_next;
    struct wanted_output *wanted; /* owned */
    char location[RESPONSE_LOCATION_MAX];
};

void turn_begin(struct turn *turn, struct actor *actor);
void turn_clear(struct turn *turn); /* for CLEANUP(), too */

/* The request of this step, head and body. STATUS_TOO_LARGE: beyond the buffer's maximum. */
enum status turn_request(struct turn *turn, const struct kit *kit, struct buffer *ret_request,
                         struct error *err) MUST_USE;

/*
 * Take the answer and go to the next step. STATUS_BUSY: the same request is to be sent again, in a
 * moment. Any other failure ends the turn; the host may begin another.
 */
enum status turn_answer(struct turn *turn, struct kit *kit, const struct response *response,
                        struct error *err) MUST_USE;

#endif
