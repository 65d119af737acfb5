#include "tests/support/fake_site.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "protocol/account.h"
#include "protocol/bulletin.h"
#include "protocol/enrolment.h"
#include "protocol/problem.h"
#include "protocol/project.h"
#include "tests/support/fake_site_parts.h"

void fake_site_broke(struct fake_site *site, const char *fmt, ...)
{
    va_list args;

    if (site->broken[0] != '\0')
        return;
    va_start(args, fmt);
    (void)vsnprintf(site->broken, sizeof site->broken, fmt, args);
    va_end(args);
}

void fake_reply_text(struct http_response *response, int status, char *text)
{
    fake_reply(response, status, text, strlen(text));
    free(text);
}

void fake_reply_problem(struct http_response *response, enum status status, int64_t retry_after_s,
                        const char *words)
{
    struct error err = {0};

    (void)error_set(&err, status, "%s", words);
    error_retry_after(&err, retry_after_s);
    fake_reply_text(response, status_facts(status)->http, problem_encode(&err));
}

struct fake_task *fake_site_task(struct fake_site *site, int64_t number)
{
    return number >= 1 && number <= (int64_t)site->task_count ? &site->tasks[number - 1] : NULL;
}

static void reply_project(struct fake_site *site, struct http_response *response)
{
    struct project project = {.name = "A sample",
                              .project = site->sample.project,
                              .version_count = 1,
                              .versions = {1},
                              .time_s = SAMPLE_NOW_S,
                              .upload_max = INT64_C(4) << 30};
    CLEANUP(freep) char *first = envelope_encode(&site->first_keyring);
    CLEANUP(freep) char *keyring = envelope_encode(&site->keyring);

    if (site->shows_first_keyring)
        texts_add(&project.keyrings, first);
    texts_add(&project.keyrings, keyring);
    project.freshness = envelope_encode(&site->freshness);
    fake_reply_text(response, 200, project_encode(&project));
    project_clear(&project);
}

static void reply_bulletin(struct fake_site *site, const struct fake_request *request,
                           struct http_response *response)
{
    struct bulletin bulletin = {.keyring_version = site->sample.keyring.version,
                                .work = site->work};
    char etag[HTTP_ETAG_MAX];

    site->bulletins++;
    (void)snprintf(etag, sizeof etag, "\"%s-%lld\"", digest_format(&site->freshness.digest).text,
                   (long long)site->work.mark);
    if (request->if_none_match != NULL && strcmp(request->if_none_match, etag) == 0) {
        response->status = 304;
        return;
    }
    bulletin.freshness = envelope_encode(&site->freshness);
    fake_reply_text(response, 200, bulletin_encode(&bulletin));
    (void)text_fit(response->etag, sizeof response->etag, etag);
    bulletin_clear(&bulletin);
}

static void reply_account(struct fake_site *site, const struct fake_request *request,
                          struct http_response *response)
{
    struct account_request account;
    struct error err = {0};

    if (account_request_decode(request->body, request->body_length, &account, &err) != STATUS_OK) {
        fake_site_broke(site, "account: %s", err.text);
        fake_reply_problem(response, STATUS_INVALID, 0, err.text);
        return;
    }
    (void)text_fit(site->account_name, sizeof site->account_name, account.name);
    fake_reply_text(response, 200, account_reply_encode(&site->account));
}

static void reply_whose(const struct fake_site *site, const struct fake_request *request,
                        struct http_response *response)
{
    if (request->token != NULL && strcmp(request->token, site->account.text) == 0)
        fake_reply_text(response, 200, account_owner_encode(5));
    else
        fake_reply_problem(response, STATUS_UNAUTHORIZED, 0, "this token is unknown");
}

static void reply_challenge(struct http_response *response)
{
    const struct challenge_reply reply = {.challenge = {.bytes = {1, 2, 3}, .length = 3},
                                          .expires_s = SAMPLE_NOW_S + 600};

    fake_reply_text(response, 200, challenge_reply_encode(&reply));
}

static void reply_host(struct fake_site *site, const struct fake_request *request,
                       struct http_response *response)
{
    CLEANUP(enrolment_request_clear) struct enrolment_request enrolment = {0};
    struct enrolment_reply reply = {.host = 7, .volunteer = 3};
    uint8_t bytes[32] = {0};
    struct error err = {0};

    if (enrolment_request_decode(request->body, request->body_length, &enrolment, &err) !=
            STATUS_OK ||
        !envelope_is_signed_by(&enrolment.statement, &enrolment.enrolment.key)) {
        fake_site_broke(site, "enrolment: %s", err.text);
        fake_reply_problem(response, STATUS_INVALID, 0, err.text);
        return;
    }
    if (!public_key_equals(&site->host_key, &enrolment.enrolment.key)) {
        site->last_visit = 0;
    } else if (site->withdraws_host) {
        fake_site_withdraw(site);
        fake_reply_problem(response, STATUS_GONE, 0, "this host was withdrawn");
        return;
    }
    site->enrolments++;
    site->host_key = enrolment.enrolment.key;
    site->host_account = enrolment.account;
    bytes[0] = (uint8_t)site->enrolments;
    base64url_encode(bytes, sizeof bytes, site->token.text);
    reply.token = site->token;
    reply.next_visit = site->last_visit + 1;
    fake_reply_text(response, 200, enrolment_reply_encode(&reply));
}

/* --- all of it --- */

static bool is_trusted(const struct fake_site *site, const struct fake_request *request)
{
    return site->tls == NULL ||
           (request->ca_pem != NULL && strcmp(request->ca_pem, site->tls->ca_pem) == 0);
}

/* What TLS would do before a byte of the request is sent. */
static enum status shake_hands(struct fake_site *site, const struct fake_request *request,
                               struct http_response *response, struct error *err)
{
    if (request->on_first_contact) {
        site->first_contacts++;
        if (request->token != NULL || strcmp(request->path, "/v1/project") != 0)
            fake_site_broke(site, "%s on first contact", request->path);
        if (site->tls != NULL)
            fake_tls_present(site->tls, &response->chain);
        return STATUS_OK;
    }
    if (is_trusted(site, request))
        return STATUS_OK;
    site->distrusted++;
    (void)error_set(err, STATUS_UNTRUSTED, "the CA is unknown");
    error_code(err, "certificate-unknown-ca");
    return STATUS_UNTRUSTED;
}

static enum status serve(void *context, const struct fake_request *request,
                         struct http_response *response, struct error *err)
{
    struct fake_site *site = context;

    TRY(shake_hands(site, request, response, err));
    if (strcmp(request->path, "/v1/project") == 0)
        reply_project(site, response);
    else if (strcmp(request->path, "/v1/bulletin") == 0)
        reply_bulletin(site, request, response);
    else if (strcmp(request->path, "/v1/challenges") == 0)
        reply_challenge(response);
    else if (strcmp(request->path, "/v1/accounts") == 0)
        reply_account(site, request, response);
    else if (strcmp(request->path, "/v1/account") == 0)
        reply_whose(site, request, response);
    else if (strcmp(request->path, "/v1/hosts") == 0)
        reply_host(site, request, response);
    else if (strcmp(request->path, "/v1/scheduler") == 0)
        fake_site_visit(site, request, response);
    else if (strcmp(request->path, "/v1/files/bundle") == 0)
        fake_site_bundle(site, request, response);
    else if (text_starts_with(request->path, "/v1/files/"))
        fake_site_file(site, request, response);
    else if (text_starts_with(request->path, "/v1/uploads"))
        return fake_site_upload(site, request, response, err);
    else
        fake_site_broke(site, "nobody serves %s", request->path);
    return STATUS_OK;
}

void fake_site_seal(struct fake_site *site)
{
    envelope_clear(&site->keyring);
    envelope_clear(&site->freshness);
    envelope_clear(&site->app_version);
    envelope_clear(&site->variant);
    site->keyring = sample_seal_keyring(&site->sample);
    site->freshness = sample_seal_freshness(&site->sample);
    site->app_version = sample_seal_app_version(&site->sample);
    site->sample.app_digest = site->app_version.digest;
    site->sample.variant.app_version = site->sample.app_digest;
    site->sample.unit.app_version = site->sample.app_digest;
    site->variant = sample_seal_variant(&site->sample);
}

void fake_site_init(struct fake_site *site, size_t units)
{
    *site = (struct fake_site){.return_s = 60,
                               .grants_at_once = 64,
                               .file = "data",
                               .mark = 's',
                               .work = {.mark = 1, .look_s = 60}};
    fake_net_init(&site->net);
    site->net.serve = serve;
    site->net.context = site;
    memset(site->account.text, 'a', TOKEN_CHARS - 1);
    site->account.text[TOKEN_CHARS - 1] = 'A';
    sample_init(&site->sample);
    texts_clear(&site->sample.app_version.layers); /* not every machine has them */
    site->sample.app_version.outputs[0].max_bytes = 1 << 20;
    fake_site_seal(site);
    site->first_keyring = sample_seal_keyring(&site->sample);
    for (size_t i = 0; i < units && i < FAKE_UNITS_MAX; i++) {
        struct work_unit *unit = &site->sample.unit;

        unit->index = (int64_t)i;
        (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%zu", i);
        site->tasks[i].number = (int64_t)i + 1;
        site->tasks[i].unit = sample_seal_unit(&site->sample);
        site->task_count++;
    }
}

void fake_site_clear(struct fake_site *site)
{
    for (size_t i = 0; i < site->task_count; i++)
        envelope_clear(&site->tasks[i].unit);
    envelope_clear(&site->first_keyring);
    envelope_clear(&site->keyring);
    envelope_clear(&site->freshness);
    envelope_clear(&site->app_version);
    envelope_clear(&site->variant);
    sample_clear(&site->sample);
    free(site->last_body);
    free(site->last_reply);
    free(site->refused_body);
}

size_t fake_site_count(const struct fake_site *site, enum fake_task_state least)
{
    size_t count = 0;

    for (size_t i = 0; i < site->task_count; i++)
        count += site->tasks[i].state >= least ? 1 : 0;
    return count;
}
