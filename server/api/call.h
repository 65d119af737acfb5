/*
 * One request while it is being answered: what the handlers of all resources share. A call lives as
 * long as its exchange and is gone once it was answered, so answering is the last thing done to it.
 */
#ifndef SERVER_API_CALL_H
#define SERVER_API_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "protocol/words.h"
#include "server/api/api.h"
#include "server/api/prefix.h"
#include "server/api/told.h"
#include "server/api/worker.h"
#include "server/engine/command.h"
#include "server/http/head.h"
#include "server/http/reply.h"
#include "server/http/server.h"

struct budget;
struct call;
struct digest_set;
struct route;

#define CALL_JSON "application/json"

/* What handlers share. Set up once; what changes has a lock of its own. */
struct api {
    struct env *env;
    struct engine *engine;
    struct engine_thread *engine_thread;
    struct published_facts *published;
    struct file_store *files;
    struct uploads *uploads;
    struct worker *disk;   /* for what waits for the disk */
    struct worker *reader; /* its tool is a struct store * */
    _Atomic(struct http_server *) server;
    struct config limits;
    struct site_secret secret;
    struct {
        struct budget *strangers, *accounts, *challenges; /* by address prefix */
        struct budget *visits, *requests;                 /* by host */
    } budgets;
    struct digest_set *public_files; /* that were found to be public */
    struct digest_set *confirmed;    /* operators' tokens that the store has just confirmed */
    atomic_llong answers[6];         /* by hundreds of the HTTP status */
    struct told told;
};

struct call {
    struct api *api;
    struct http_exchange *exchange;
    const struct http_head *head;
    const struct route *route;
    struct http_segments segments; /* variable parts of the path */
    struct prefix prefix;
    struct digest token; /* of the bearer token; none: there was none */
    struct published_credential who;
    bool is_known;      /* `who` is somebody */
    bool must_confirm;  /* as far as the table knows; the store has to be asked again */
    struct buffer body; /* whole, of routes that collect it */
    int64_t begun_mono_ms;

    struct command command; /* one at a time */
    void (*then)(struct call *call);
    struct job job; /* likewise */
    void (*work)(struct call *call, struct store *store);

    void *state; /* the handler's own, with what releases it */
    void (*free_state)(void *state);
};

/* The answer to a failure, to add fields to; what is ours to mend is logged. */
void call_problem(struct http_reply *ret_reply, const struct error *err);

/* Answers: each ends the call. */
void call_reply(struct call *call, struct http_reply *reply);
void call_json(struct call *call, int http, char *json); /* takes the text */
void call_fail(struct call *call, const struct error *err);
void call_fail_http(struct call *call, int http, const char *words);
void call_empty(struct call *call, int http);

/*
 * Have the engine carry out call->command, whose kind and members are set. On success `then` goes
 * on, on the engine's thread, where it must not wait; a failure is answered here.
 */
void call_command(struct call *call, enum command_kind kind, void (*then)(struct call *call));

/* The same, but `then` looks at call->command.status itself. */
void call_command_any(struct call *call, enum command_kind kind, void (*then)(struct call *call));

/* Go on in a thread that may wait: for the database (with the store), or for the disk (NULL). */
void call_read(struct call *call, void (*work)(struct call *call, struct store *store));
void call_disk(struct call *call, void (*work)(struct call *call, struct store *store));

/* The same for one who is not to be answered yet: on failure `work` will not run. */
enum status call_read_meanwhile(struct call *call,
                                void (*work)(struct call *call, struct store *store),
                                struct error *err) MUST_USE;

/* Zeroed, and released with the call. */
void *call_state(struct call *call, size_t size, void (*free_state)(void *state));

/* The project's id; STATUS_NOT_FOUND before the first keyring. */
enum status call_project(const struct call *call, struct digest *ret_project, struct error *err);

/* Path and query, as several resources have them. STATUS_INVALID names what is wrong. */
enum status call_digest(const struct call *call, size_t segment, struct digest *ret_digest,
                        struct error *err);
enum status call_batch(const struct call *call, struct batch_id *ret_batch, struct error *err);

struct call_page {
    int64_t after; /* 0: from the beginning */
    int64_t limit;
};
/* `names` are the parameters that are allowed besides "after" and "limit". */
enum status call_page(const struct call *call, const char *const *names, struct call_page *ret_page,
                      struct error *err);

/* The other way round: what to ask for to see what follows. */
void call_cursor(int64_t last, struct cursor *ret_cursor);

/* Is there room for bodies? STATUS_FULL, with why. */
enum status call_check_room(const struct call *call, struct error *err);

uint32_t call_chance(const struct call *call);

#endif
