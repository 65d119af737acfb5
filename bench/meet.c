/* What is asked of a server besides the load: who it is, and how it does. */
#include <stdarg.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/process.h"
#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/http/client.h"
#include "protocol/project.h"

#define CA_MAX (64 * 1024)

void opponent_clear(struct opponent *opponent)
{
    trust_clear(&opponent->trust);
}

void bench_say(const struct bench *bench, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vfprintf(bench->err, fmt, args);
    va_end(args);
    (void)fputc('\n', bench->err);
    (void)fflush(bench->err);
}

bool bench_is_interrupted(const struct bench *bench)
{
    return bench->is_interrupted != NULL && *bench->is_interrupted != 0;
}

enum status bench_get(const struct bench *bench, const struct opponent *opponent, const char *path,
                      struct buffer *ret_body, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer ca = {.max = CA_MAX};
    CLEANUP(http_response_clear) struct http_response response;
    char url[HTTP_URL_MAX];
    struct http_request request = {.method = HTTP_GET, .url = url, .max_bytes = PROJECT_MAX};

    http_response_init(&response);
    (void)snprintf(url, sizeof url, "%s%s", opponent->url, path);
    if (opponent->ca != NULL)
        TRY(bench->env->disk->read(bench->env->disk, opponent->ca, &ca, err));
    if (opponent->ca != NULL)
        request.ca_pem = buffer_text(&ca);
    TRY(http_perform(bench->http, &request, &response, err));
    TRY(http_check(&response, err));
    return buffer_append(ret_body, buffer_text(&response.body), response.body.length, err);
}

static enum status refused(enum refusal refusal, struct error *err)
{
    return refusal == REFUSAL_NONE ? STATUS_OK
                                   : error_set(err, STATUS_UNTRUSTED, "the site's keyring: %s",
                                               err != NULL ? err->text : "refused");
}

/* The site itself says who it is: a bench has nobody to pin it for. */
static enum status take_trust(const struct project *project, int64_t now_s, struct trust *ret_trust,
                              struct error *err)
{
    for (size_t i = 0; i < project->keyrings.count; i++) {
        CLEANUP(envelope_clear) struct envelope keyring = {0};
        const char *text = project->keyrings.texts[i];

        TRY(envelope_decode(text, strlen(text), ENVELOPE_KEYRING_MAX, &keyring, err));
        TRY(refused(i == 0 ? trust_start(ret_trust, &project->project, &keyring, err)
                           : trust_accept_keyring(ret_trust, &keyring, err),
                    err));
    }
    if (project->freshness != NULL) {
        CLEANUP(envelope_clear) struct envelope freshness = {0};

        TRY(envelope_decode(project->freshness, strlen(project->freshness), ENVELOPE_PAYLOAD_MAX,
                            &freshness, err));
        TRY(refused(trust_accept_freshness(ret_trust, &freshness, now_s, err), err));
    }
    return STATUS_OK;
}

enum status bench_meet(const struct bench *bench, struct opponent *opponent, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {.max = PROJECT_MAX};
    CLEANUP(project_clear) struct project project = {0};

    TRY(bench_get(bench, opponent, "/v1/project", &body, err));
    TRY(project_decode(buffer_text(&body), body.length, &project, err));
    if (digest_is_none(&project.project))
        return error_set(err, STATUS_CONFLICT, "the site has no project: publish a keyring first");
    opponent->project = project.project;
    return take_trust(&project, bench->env->now_s(bench->env), &opponent->trust, err);
}
