/*
 * The daemon's ear for its owner: a unix socket in the data folder, mode 0600, one JSON object a
 * line each way (client/control/verbs.h). One request per connection; whoever says too much, or
 * nothing for too long, is cut off.
 */
#ifndef CLIENT_CONTROL_SOCKET_H
#define CLIENT_CONTROL_SOCKET_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>

#include "common/base/env.h"
#include "common/base/error.h"

#define CONTROL_CONNECTIONS_MAX 8
#define CONTROL_DESCRIPTORS_MAX (CONTROL_CONNECTIONS_MAX + 1)
#define CONTROL_PATIENCE_MS     10000

struct control;

/* Who answers. The request is borrowed, the answer a new reference. */
struct control_owner {
    json_t *(*answer)(void *context, json_t *request);
    void *context;
};

/*
 * Listen at `path`; a socket left there by a dead daemon is replaced (the caller holds the folder's
 * lock). STATUS_INVALID: the path is too long for a socket.
 */
enum status control_open(struct env *env, const char *path, struct control **ret_control,
                         struct error *err) MUST_USE;

/* What to wait for; ret_all has CONTROL_DESCRIPTORS_MAX. Returns how many. */
unsigned control_descriptors(const struct control *control, struct pollfd *ret_all);

/* Do what can be done without waiting. */
void control_serve(struct control *control, const struct control_owner *owner);

/* Removes the socket. NULL is fine. */
void control_close(struct control *control);
DEFINE_CLEANUP(struct control *, control_close)

/* Does a daemon listen there? */
bool control_listens(const char *path);

/*
 * The other end: ask the daemon and wait for its answer, up to half a minute. STATUS_NOT_FOUND: no
 * daemon listens there. STATUS_UNREACHABLE: it does not answer.
 */
enum status control_ask(const char *path, json_t *request, json_t **ret_answer, struct error *err)
    MUST_USE;

#endif
