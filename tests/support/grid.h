/*
 * A whole server in this process, on a site of its own in a temporary folder, and somebody who asks
 * it over plain HTTP on loopback: as an operator with the sample project, and as hosts. Its clock
 * begins at SAMPLE_NOW_S. What fails that a test takes for granted ends the test with words.
 */
#ifndef TESTS_SUPPORT_GRID_H
#define TESTS_SUPPORT_GRID_H

#include "common/base/env.h"
#include "protocol/scheduler_reply.h"
#include "protocol/scheduler_request.h"
#include "server/serve.h"
#include "tests/support/sample.h"
#include "tests/support/web_client.h"

struct grid {
    struct env env; /* first: the server's */
    struct env *real;
    _Atomic int64_t ahead_s; /* of the real clock */
    _Atomic int64_t ahead_mono_ms;
    _Atomic int64_t stopped_mono_ms; /* what the real one is taken to say; 0: what it says */
    char folder[64];
    char site[80];
    struct server *server;
    struct web_client client; /* plain, kept open */
    bool is_connected;
    struct token operator_token;
    int64_t operator_row;
    struct token reader_token;
    struct sample sample;
};

struct grid_host {
    struct private_key key;
    struct token token;
    int64_t id;
    int64_t volunteer;
    int64_t visit; /* number of the last one */
};

/* `more` lines of site.conf, or NULL. */
void grid_open(struct grid *grid, const char *more);
void grid_close(struct grid *grid);

/* Stop the server and take the same site up again. */
void grid_restart(struct grid *grid);

/* Revoke the operator's token in the database, as another process would. */
void grid_revoke(struct grid *grid);

/* Both clocks go on. */
void grid_pass(struct grid *grid, int64_t seconds);

/* From now on the monotonic clock goes on by grid_pass() alone: however busy the machine is, no
 * budget is refilled meanwhile. */
void grid_stop_clock(struct grid *grid);

/* A request; `token`, `type` and `body` may be NULL. The status; the body is in client.body. */
struct grid_request {
    const char *method;
    const char *path;
    const char *token;
    const char *type;
    const char *fields; /* further ones, each with its line end; NULL: none */
    const char *body;
    size_t length; /* 0: of the text */
};
int grid_ask(struct grid *grid, const struct grid_request *request);

/* As the operator; JSON both ways. */
int grid_get(struct grid *grid, const char *path);
int grid_post(struct grid *grid, const char *path, const char *json);
const char *grid_body(const struct grid *grid);
bool grid_says(const struct grid *grid, const char *part); /* of the last body */

/* The sample's keyring, freshness, files, app version, variant and batch. */
void grid_publish(struct grid *grid);
void grid_put_file(struct grid *grid, const char *bytes);

/* The sample's unit under another index and name; its envelope, to be freed. */
char *grid_seal_unit(struct grid *grid, int64_t index);
void grid_add_units(struct grid *grid, int64_t first, size_t count);
struct digest grid_unit_digest(struct grid *grid, int64_t index);

/* The sample's batch as a path: "/v1/batches/<id>" + `rest`. Overwritten by the next call. */
const char *grid_batch(const struct grid *grid, const char *rest);

/* `seed` makes the key; with an account of its own. */
void grid_enrol(struct grid *grid, unsigned seed, struct grid_host *ret_host);
void grid_host_clear(struct grid_host *host);

/* One task's end, for grid_visit(). */
struct grid_report {
    int64_t task;
    struct digest unit;
    const char
        *output; /* content of "out"; NULL: it failed, with exit status 3 unless at a limit */
    enum task_limit limit;
    const char *why;       /* NULL: not said */
    bool exited_with_zero; /* and failed all the same: its outputs were not fit */
};

/* A visit: the status; the answer, to be cleared, on 200 alone. */
int grid_visit(struct grid *grid, struct grid_host *host, int64_t want,
               const struct grid_report *reports, size_t count, struct scheduler_reply *ret_reply);

/* The body of such a visit, to be freed; `number` is its visit number. */
char *grid_visit_text(struct grid *grid, const struct grid_host *host, int64_t number, int64_t want,
                      const struct grid_report *reports, size_t count);

#endif
