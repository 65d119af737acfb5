#include "server/api/routes.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/envelope.h"
#include "protocol/account.h"
#include "protocol/batch.h"
#include "protocol/enrolment.h"
#include "protocol/files_bundle.h"
#include "protocol/files_missing.h"
#include "protocol/scheduler_request.h"
#include "server/api/handlers.h"

#define JSON         "application/json"
#define NDJSON       "application/x-ndjson"
#define BYTES        "application/octet-stream"
#define TUS          "application/offset+octet-stream"
#define ENVELOPE     ENVELOPE_MAX(ENVELOPE_PAYLOAD_MAX)
#define KEYRING      ENVELOPE_MAX(ENVELOPE_KEYRING_MAX)
#define NOTHING_MUCH 1024

const struct route routes[] = {
    {"GET", "/v1/project", ACCESS_ANYONE, BODY_NONE, NULL, 0, project_get},
    {"GET", "/v1/bulletin", ACCESS_ANYONE, BODY_NONE, NULL, 0, bulletin_get},
    {"GET", "/v1/files/{}", ACCESS_ANYONE, BODY_NONE, NULL, 0, file_get},
    {"POST", "/v1/accounts", ACCESS_ANYONE, BODY_WHOLE, JSON, ACCOUNT_MAX, account_post},
    {"GET", "/v1/account", ACCESS_ACCOUNT, BODY_NONE, NULL, 0, account_get},
    {"POST", "/v1/challenges", ACCESS_ANYONE, BODY_WHOLE, JSON, NOTHING_MUCH, challenge_post},
    {"POST", "/v1/hosts", ACCESS_ANYONE, BODY_WHOLE, JSON, ENROLMENT_REQUEST_MAX, host_post},
    {"GET", "/healthz", ACCESS_ANYONE, BODY_NONE, NULL, 0, health_get},
    {"GET", "/metrics", ACCESS_ANYONE, BODY_NONE, NULL, 0, metrics_get},

    {"POST", "/v1/scheduler", ACCESS_HOST, BODY_WHOLE, JSON, SCHEDULER_REQUEST_MAX, scheduler_post},
    {"POST", "/v1/files/bundle", ACCESS_HOST, BODY_WHOLE, JSON, FILES_BUNDLE_MAX, files_bundle},
    {"OPTIONS", "/v1/uploads", ACCESS_ANYONE, BODY_NONE, NULL, 0, uploads_options},
    {"POST", "/v1/uploads", ACCESS_HOST, BODY_NONE, NULL, 0, uploads_post},
    {"HEAD", "/v1/uploads/{}", ACCESS_HOST, BODY_NONE, NULL, 0, upload_head},
    {"PATCH", "/v1/uploads/{}", ACCESS_HOST, BODY_STREAM, TUS, 0, upload_patch},
    {"DELETE", "/v1/uploads/{}", ACCESS_HOST, BODY_NONE, NULL, 0, upload_delete},

    {"POST", "/v1/keyrings", ACCESS_OPERATOR, BODY_WHOLE, JSON, KEYRING, keyring_post},
    {"POST", "/v1/freshness", ACCESS_OPERATOR, BODY_WHOLE, JSON, ENVELOPE, freshness_post},
    {"POST", "/v1/notices", ACCESS_OPERATOR, BODY_WHOLE, JSON, ENVELOPE, notice_post},
    {"POST", "/v1/files/missing", ACCESS_OPERATOR, BODY_WHOLE, JSON, FILES_MISSING_MAX,
     files_missing},
    {"PUT", "/v1/files/{}", ACCESS_OPERATOR, BODY_STREAM, NULL, 0, file_put},
    {"POST", "/v1/app-versions", ACCESS_OPERATOR, BODY_WHOLE, JSON, ENVELOPE, app_version_post},
    {"POST", "/v1/variants", ACCESS_OPERATOR, BODY_WHOLE, JSON, ENVELOPE, variant_post},
    {"GET", "/v1/apps", ACCESS_READER, BODY_NONE, NULL, 0, apps_get},
    {"GET", "/v1/apps/{}", ACCESS_READER, BODY_NONE, NULL, 0, app_get},
    {"POST", "/v1/batches", ACCESS_OPERATOR, BODY_WHOLE, JSON, BATCH_REQUEST_MAX, batch_post},
    {"GET", "/v1/batches", ACCESS_READER, BODY_NONE, NULL, 0, batches_get},
    {"GET", "/v1/batches/by-name/{}", ACCESS_READER, BODY_NONE, NULL, 0, batch_get_by_name},
    {"GET", "/v1/batches/{}", ACCESS_READER, BODY_NONE, NULL, 0, batch_get},
    {"POST", "/v1/batches/{}/units", ACCESS_OPERATOR, BODY_STREAM, NDJSON, 0, units_post},
    {"POST", "/v1/batches/{}/actions", ACCESS_OPERATOR, BODY_WHOLE, JSON, BATCH_REQUEST_MAX,
     batch_action_post},
    {"GET", "/v1/batches/{}/explain", ACCESS_READER, BODY_NONE, NULL, 0, explain_get},
    {"GET", "/v1/batches/{}/units", ACCESS_READER, BODY_NONE, NULL, 0, batch_units_get},
    {"GET", "/v1/batches/{}/tasks", ACCESS_READER, BODY_NONE, NULL, 0, batch_tasks_get},
    {"GET", "/v1/batches/{}/results", ACCESS_READER, BODY_NONE, NULL, 0, results_get},
    {"GET", "/v1/units/{}", ACCESS_READER, BODY_NONE, NULL, 0, unit_get},
    {"GET", "/v1/outputs/{}", ACCESS_READER, BODY_NONE, NULL, 0, output_get},
    {"POST", "/v1/clock", ACCESS_OPERATOR, BODY_WHOLE, JSON, NOTHING_MUCH, clock_post},
    {"GET", "/v1/hosts", ACCESS_READER, BODY_NONE, NULL, 0, hosts_get},
    {"POST", "/v1/hosts/{}/withdraw", ACCESS_OPERATOR, BODY_WHOLE, JSON, NOTHING_MUCH,
     host_withdraw_post},
};

const size_t route_count = sizeof routes / sizeof *routes;

static void allow(char list[ROUTES_ALLOW_MAX], const char *method)
{
    size_t used = strlen(list);

    (void)snprintf(list + used, ROUTES_ALLOW_MAX - used, "%s%s%s", used > 0 ? ", " : "", method,
                   strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static bool serves(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

const struct route *routes_find(const char *method, const char *path,
                                struct http_segments *ret_segments,
                                char ret_allow[ROUTES_ALLOW_MAX])
{
    ret_allow[0] = '\0';
    for (size_t i = 0; i < route_count; i++) {
        if (!http_path_fits(path, routes[i].pattern, ret_segments))
            continue;
        if (serves(&routes[i], method))
            return &routes[i];
        allow(ret_allow, routes[i].method);
    }
    return NULL;
}
