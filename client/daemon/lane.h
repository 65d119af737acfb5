/*
 * A lane: one exchange with a server at a time, polled by the daemon's loop.
 */
#ifndef CLIENT_DAEMON_LANE_H
#define CLIENT_DAEMON_LANE_H

#include "common/http/client.h"

struct attached;
struct daemon;

/* One exchange at a time, and what is to be done with its end. Zeroed: idle. */
struct lane {
    struct http_exchange *exchange;
    char *body; /* owned; what is sent */
    void (*done)(struct daemon *daemon, struct attached *project, enum status status,
                 struct http_response *response, const struct error *err);
};

enum status lane_start(struct daemon *daemon, struct lane *lane, const struct http_request *request,
                       struct error *err);
/* True: it is over, and the lane idle; as http_client.poll() says. Nothing is called. */
bool lane_ended(struct daemon *daemon, struct lane *lane, enum status *ret_status,
                struct http_response *ret_response, struct error *err);
void lane_poll(struct daemon *daemon, struct attached *project, struct lane *lane);
void lane_stop(struct daemon *daemon, struct lane *lane);

/* "<site>/v1/…", to be freed. */
char *site_url(const struct attached *project, const char *path);

#endif
