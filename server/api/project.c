/* GET /v1/project and /v1/bulletin: what a site says of itself to anyone. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "protocol/bulletin.h"
#include "protocol/project.h"
#include "server/api/call.h"
#include "server/api/handlers.h"

/* The parts come as JSON, the encoders want each envelope's text. */
static struct texts split(const char *list)
{
    json_auto_t *array = json_loads(list, 0, NULL);
    struct texts texts = {0};
    json_t *item;
    size_t index;

    json_array_foreach(array, index, item)
    {
        CLEANUP(freep) char *text = json_dumps(item, JSON_COMPACT);

        if (text != NULL)
            texts_add(&texts, text);
    }
    return texts;
}

static char *envelope_or_null(const char *json)
{
    return strcmp(json, "null") == 0 ? NULL : text_copy(json);
}

static char *encode_project(const struct call *call, const struct project_parts *parts)
{
    struct project project = {.project = parts->project,
                              .version_count = 1,
                              .versions = {PROTOCOL_VERSION},
                              .upload_max = call->api->limits.upload_max,
                              .time_s = call->api->env->now_s(call->api->env)};
    char *json;

    (void)text_fit(project.name, sizeof project.name, call->api->limits.name.text);
    project.keyrings = split(parts->keyrings);
    project.freshness = envelope_or_null(parts->freshness);
    json = project_encode(&project);
    project_clear(&project);
    return json;
}

void project_get(struct call *call)
{
    CLEANUP(project_parts_clear) struct project_parts parts;

    published_project(call->api->published, &parts);
    call_json(call, 200, encode_project(call, &parts));
}

static char *encode_bulletin(const struct project_parts *parts)
{
    struct bulletin bulletin = {.keyring_version = parts->keyring_version, .work = parts->work};
    char *json;

    bulletin.freshness = envelope_or_null(parts->freshness);
    bulletin.notices = split(parts->notices);
    json = bulletin_encode(&bulletin);
    bulletin_clear(&bulletin);
    return json;
}

/* The tag is of what is said, so that it outlives a restart of the server. */
void bulletin_get(struct call *call)
{
    CLEANUP(project_parts_clear) struct project_parts parts;
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    char *json;
    char etag[24];

    published_project(call->api->published, &parts);
    json = encode_bulletin(&parts);
    etag[0] = '"';
    text_from_bytes(digest_of(json, strlen(json)).bytes, 8, etag + 1);
    etag[17] = '"';
    etag[18] = '\0';
    if (http_head_has_etag(call->head, etag)) {
        free(json);
        http_reply_init(&reply, 304);
    } else {
        http_reply_init(&reply, 200);
        http_reply_memory(&reply, CALL_JSON, json, strlen(json));
    }
    http_reply_field(&reply, "ETag", "%s", etag);
    http_reply_field(&reply, "Cache-Control", "public, max-age=60");
    call_reply(call, &reply);
}
