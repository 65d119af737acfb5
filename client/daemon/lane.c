/* One exchange at a time. */
#include "client/daemon/lane.h"

#include <assert.h>

#include "client/daemon/attached.h"
#include "common/base/text.h"

char *site_url(const struct attached *project, const char *path)
{
    return text_format("%s%s", project->record.url, path);
}

enum status lane_start(struct daemon *daemon, struct lane *lane, const struct http_request *request,
                       struct error *err)
{
    struct http_client *http = daemon->parts.http;

    assert(lane->exchange == NULL);
    return http->start(http, request, &lane->exchange, err);
}

static void release(struct daemon *daemon, struct lane *lane)
{
    struct http_client *http = daemon->parts.http;

    http->release(http, lane->exchange);
    lane->exchange = NULL;
    free(lane->body);
    lane->body = NULL;
}

bool lane_ended(struct daemon *daemon, struct lane *lane, enum status *ret_status,
                struct http_response *ret_response, struct error *err)
{
    if (lane->exchange == NULL ||
        !daemon->parts.http->poll(lane->exchange, ret_status, ret_response, err))
        return false;
    release(daemon, lane);
    return true;
}

/* `done` may start the lane's next exchange. */
void lane_poll(struct daemon *daemon, struct attached *project, struct lane *lane)
{
    CLEANUP(http_response_clear) struct http_response response = {0};
    struct error err = {0};
    enum status status;

    if (lane_ended(daemon, lane, &status, &response, &err))
        lane->done(daemon, project, status, &response, &err);
}

void lane_stop(struct daemon *daemon, struct lane *lane)
{
    if (lane->exchange != NULL)
        release(daemon, lane);
}
