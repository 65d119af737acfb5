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

static void broke(struct fake_site *site, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void broke(struct fake_site *site, const char *fmt, ...)
{
    va_list args;

    if (site->broken[0] != '\0')
        return;
    va_start(args, fmt);
    (void)vsnprintf(site->broken, sizeof site->broken, fmt, args);
    va_end(args);
}

static void reply_text(struct http_response *response, int status, char *text)
{
    fake_reply(response, status, text, strlen(text));
    free(text);
}

static void reply_clone(struct http_response *response)
{
    struct error err = {0};

    (void)error_set(&err, STATUS_CONFLICT, "another has this key");
    error_code(&err, "clone");
    reply_text(response, 409, problem_encode(&err));
}

static void reply_problem(struct http_response *response, enum status status, int64_t retry_after_s,
                          const char *words)
{
    struct error err = {0};

    (void)error_set(&err, status, "%s", words);
    error_retry_after(&err, retry_after_s);
    reply_text(response, status_facts(status)->http, problem_encode(&err));
}

static void reply_project(struct fake_site *site, struct http_response *response)
{
    struct project project = {.name = "A sample",
                              .project = site->sample.project,
                              .version_count = 1,
                              .versions = {1},
                              .time_s = SAMPLE_NOW_S};
    CLEANUP(freep) char *keyring = envelope_encode(&site->keyring);

    texts_add(&project.keyrings, keyring);
    project.freshness = envelope_encode(&site->freshness);
    reply_text(response, 200, project_encode(&project));
    project_clear(&project);
}

static void reply_bulletin(struct fake_site *site, const struct fake_request *request,
                           struct http_response *response)
{
    struct bulletin bulletin = {.keyring_version = site->sample.keyring.version};
    char etag[HTTP_ETAG_MAX];

    site->bulletins++;
    (void)snprintf(etag, sizeof etag, "\"%s\"", digest_format(&site->freshness.digest).text);
    if (request->if_none_match != NULL && strcmp(request->if_none_match, etag) == 0) {
        response->status = 304;
        return;
    }
    bulletin.freshness = envelope_encode(&site->freshness);
    reply_text(response, 200, bulletin_encode(&bulletin));
    (void)text_fit(response->etag, sizeof response->etag, etag);
    bulletin_clear(&bulletin);
}

static void reply_account(struct fake_site *site, const struct fake_request *request,
                          struct http_response *response)
{
    struct account_request account;
    struct error err = {0};

    if (account_request_decode(request->body, request->body_length, &account, &err) != STATUS_OK) {
        broke(site, "account: %s", err.text);
        reply_problem(response, STATUS_INVALID, 0, err.text);
        return;
    }
    (void)text_fit(site->account_name, sizeof site->account_name, account.name);
    reply_text(response, 200, account_reply_encode(&site->account));
}

static void reply_challenge(struct http_response *response)
{
    const struct challenge_reply reply = {.challenge = {.bytes = {1, 2, 3}, .length = 3},
                                          .expires_s = SAMPLE_NOW_S + 600};

    reply_text(response, 200, challenge_reply_encode(&reply));
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
        broke(site, "enrolment: %s", err.text);
        reply_problem(response, STATUS_INVALID, 0, err.text);
        return;
    }
    if (!public_key_equals(&site->host_key, &enrolment.enrolment.key))
        site->last_visit = 0;
    site->enrolments++;
    site->host_key = enrolment.enrolment.key;
    site->host_account = enrolment.account;
    bytes[0] = (uint8_t)site->enrolments;
    base64url_encode(bytes, sizeof bytes, site->token.text);
    reply.token = site->token;
    reply.next_visit = site->last_visit + 1;
    reply_text(response, 200, enrolment_reply_encode(&reply));
}

/* --- visits --- */

static struct fake_task *find(struct fake_site *site, int64_t number)
{
    return number >= 1 && number <= (int64_t)site->task_count ? &site->tasks[number - 1] : NULL;
}

static void check_bodies(struct fake_site *site, const struct visit_task *said,
                         const struct scheduler_report *report)
{
    for (size_t i = 0; i < report->body_count; i++) {
        const struct named_output *output =
            named_outputs_find(&said->outputs, report->bodies[i].name.text);
        struct digest digest =
            digest_of(report->bodies[i].body.bytes, report->bodies[i].body.length);

        if (output == NULL || !digest_equals(&digest, &output->digest))
            broke(site, "task %lld: a body is not what was reported", (long long)said->task);
    }
}

static void note_report(struct fake_site *site, const struct visit_task *said,
                        const struct scheduler_report *report, struct scheduler_ack *ret_ack)
{
    struct fake_task *task = find(site, said->task);
    bool is_whole = said->outcome != VISIT_DONE || report->body_count == said->outputs.count;

    *ret_ack = (struct scheduler_ack){.task = said->task, .state = ACK_DROPPED};
    if (task == NULL || task->state == FAKE_WAITING) {
        broke(site, "task %lld was reported and never granted", (long long)said->task);
        return;
    }
    check_bodies(site, said, report);
    if (task->state >= FAKE_REPORTED && task->outcome != said->outcome)
        broke(site, "task %lld was reported in two ways", (long long)said->task);
    task->outcome = said->outcome;
    task->refusal = report->refusal;
    (void)text_fit(task->why, sizeof task->why, report->why);
    if (report->stderr_tail.bytes != NULL)
        (void)text_fit(task->stderr_tail, sizeof task->stderr_tail, report->stderr_tail.bytes);
    if (said->outputs.count > 0)
        task->output = said->outputs.outputs[0];
    task->state = is_whole && !site->keeps_reported ? FAKE_STORED : FAKE_REPORTED;
    ret_ack->state = task->state == FAKE_STORED ? ACK_STORED : ACK_REPORTED;
}

static void grant(struct fake_site *site, int64_t wanted, struct scheduler_reply *reply)
{
    reply->grants = must_alloc(FAKE_UNITS_MAX, sizeof *reply->grants);
    for (size_t i = 0; i < site->task_count; i++) {
        struct fake_task *task = &site->tasks[i];

        if (task->state != FAKE_WAITING || (int64_t)reply->grant_count >= wanted ||
            (int64_t)reply->grant_count >= site->grants_at_once)
            continue;
        task->state = FAKE_SENT;
        reply->grants[reply->grant_count++] =
            (struct scheduler_grant){.task = task->number,
                                     .unit = envelope_encode(&task->unit),
                                     .app_version = site->app_version.digest,
                                     .variant = site->variant.digest,
                                     .deadline_s = SAMPLE_NOW_S + 300 * DAY_S};
    }
}

static bool has(const struct digests *digests, const struct digest *digest)
{
    for (size_t i = 0; i < digests->count; i++)
        if (digest_equals(&digests->digests[i], digest))
            return true;
    return false;
}

static void add_envelopes(struct fake_site *site, const struct scheduler_request *asked,
                          struct scheduler_reply *reply)
{
    CLEANUP(freep) char *app = envelope_encode(&site->app_version);
    CLEANUP(freep) char *variant = envelope_encode(&site->variant);

    if (reply->grant_count == 0)
        return;
    if (!has(&asked->have_app_versions, &site->app_version.digest))
        texts_add(&reply->envelopes, app);
    if (!has(&asked->have_variants, &site->variant.digest))
        texts_add(&reply->envelopes, variant);
}

static bool is_held(const struct scheduler_request *asked, int64_t task)
{
    for (size_t i = 0; i < asked->held_count; i++)
        if (asked->held[i].task == task)
            return true;
    return visit_find_task(&asked->visit, task) != NULL;
}

/* A client that forgets a task it was granted breaks its word. */
static void check_held(struct fake_site *site, const struct scheduler_request *asked)
{
    site->held = (int64_t)asked->held_count;
    for (size_t i = 0; i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_SENT && !is_held(asked, site->tasks[i].number))
            broke(site, "task %lld is not held any more", (long long)site->tasks[i].number);
}

static void ask_for_bodies(struct fake_site *site, struct scheduler_reply *reply)
{
    reply->uploads = must_alloc(FAKE_UNITS_MAX, sizeof *reply->uploads);
    for (size_t i = 0; site->asks_for_bodies && i < site->task_count; i++) {
        struct fake_task *task = &site->tasks[i];
        struct scheduler_upload *upload = &reply->uploads[reply->upload_count];

        if (task->state != FAKE_REPORTED || task->was_uploaded)
            continue;
        upload->task = task->number;
        texts_add(&upload->names, task->output.name.text);
        reply->upload_count++;
    }
}

static void drop_uploaded(struct fake_site *site, struct scheduler_reply *reply)
{
    reply->drops = must_alloc(FAKE_UNITS_MAX, sizeof *reply->drops);
    for (size_t i = 0; i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_REPORTED &&
            (site->tasks[i].was_uploaded || site->drops_reported)) {
            site->tasks[i].state = FAKE_STORED;
            reply->drops[reply->drop_count++] =
                (struct scheduler_drop){.task = site->tasks[i].number, .why = DROP_ACCEPTED};
        }
}

static void judge(struct fake_site *site, struct scheduler_reply *reply)
{
    reply->verdicts = must_alloc(FAKE_UNITS_MAX, sizeof *reply->verdicts);
    for (size_t i = 0; i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_STORED && !site->tasks[i].is_told) {
            bool is_done = site->tasks[i].outcome == VISIT_DONE;

            site->tasks[i].is_told = !site->forgets_told;
            reply->verdicts[reply->verdict_count++] =
                (struct scheduler_verdict){.task = site->tasks[i].number,
                                           .verdict = is_done ? VERDICT_ACCEPTED : VERDICT_ERROR,
                                           .credit = is_done ? 1000000 : 0};
        }
}

static int64_t site_time_s(const struct fake_site *site)
{
    if (site->clock_ms == NULL)
        return SAMPLE_NOW_S;
    return SAMPLE_NOW_S + (*site->clock_ms - site->clock_begun_ms) / 1000;
}

static char *answer_visit(struct fake_site *site, const struct scheduler_request *asked)
{
    CLEANUP(scheduler_reply_clear)
    struct scheduler_reply reply = {
        .visit = asked->visit.number,
        .time_s = site_time_s(site),
        .keyring_version = site->sample.keyring.version,
        .freshness_sequence = site->sample.freshness.sequence,
        .return_s = site->return_s,
    };

    check_held(site, asked);
    reply.acks = must_alloc(asked->visit.finished_count, sizeof *reply.acks);
    for (size_t i = 0; i < asked->visit.finished_count; i++)
        note_report(site, &asked->visit.finished[i], &asked->reports[i], &reply.acks[i]);
    reply.ack_count = asked->visit.finished_count;
    grant(site, asked->want_tasks, &reply);
    add_envelopes(site, asked, &reply);
    drop_uploaded(site, &reply);
    ask_for_bodies(site, &reply);
    judge(site, &reply);
    if (reply.grant_count == 0)
        (void)text_fit(reply.why, sizeof reply.why, "there is no more work");
    site->asked_tasks = asked->want_tasks;
    return scheduler_reply_encode(&reply);
}

static void repeat_visit(struct fake_site *site, const struct fake_request *request,
                         struct http_response *response)
{
    site->repeats++;
    if (strcmp(site->last_body, request->body) != 0)
        broke(site, "visit %lld came again with other content", (long long)site->last_visit);
    fake_reply(response, 200, site->last_reply, strlen(site->last_reply));
}

/* As the server does: of what it refused, too, it remembers the number and the content. */
static void check_refused(struct fake_site *site, int64_t number, const char *body)
{
    if (site->refused_body != NULL && number == site->refused_visit &&
        strcmp(site->refused_body, body) != 0)
        broke(site, "visit %lld was refused and came again with other content", (long long)number);
}

static void refuse_visit(struct fake_site *site, const struct fake_request *request,
                         struct http_response *response)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request asked = {0};

    if (scheduler_request_decode(request->body, request->body_length, &asked, NULL) == STATUS_OK) {
        check_refused(site, asked.visit.number, request->body);
        free(site->refused_body);
        site->refused_body = text_copy(request->body);
        site->refused_visit = asked.visit.number;
    }
    reply_problem(response, site->fails_with, site->fails_retry_s, "not now");
}

static void take_visit(struct fake_site *site, const struct fake_request *request,
                       struct http_response *response)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request asked = {0};
    struct error err = {0};

    if (scheduler_request_decode(request->body, request->body_length, &asked, &err) != STATUS_OK ||
        !envelope_is_signed_by(&asked.statement, &site->host_key)) {
        broke(site, "visit: %s", err.text);
        reply_problem(response, STATUS_INVALID, 0, err.text);
        return;
    }
    check_refused(site, asked.visit.number, request->body);
    if (asked.visit.number == site->last_visit) {
        repeat_visit(site, request, response);
        return;
    }
    if (asked.visit.number < site->last_visit)
        broke(site, "visit %lld came after %lld", (long long)asked.visit.number,
              (long long)site->last_visit);
    free(site->last_body);
    free(site->last_reply);
    site->last_visit = asked.visit.number;
    site->last_body = text_copy(request->body);
    site->last_reply = answer_visit(site, &asked);
    site->visits++;
    fake_reply(response, 200, site->last_reply, strlen(site->last_reply));
}

static void reply_visit(struct fake_site *site, const struct fake_request *request,
                        struct http_response *response)
{
    if (request->token == NULL || strcmp(request->token, site->token.text) != 0 ||
        site->forgets_token) {
        site->forgets_token = false;
        site->token.text[0] = '\0';
        reply_problem(response, STATUS_UNAUTHORIZED, 0, "that token is unknown");
    } else if (site->says_clone) {
        site->says_clone = false;
        reply_clone(response);
        for (size_t i = 0; i < site->task_count; i++)
            if (site->tasks[i].state == FAKE_SENT)
                site->tasks[i].state = FAKE_STORED; /* withdrawn: others compute them */
    } else if (site->fails_with != STATUS_OK) {
        refuse_visit(site, request, response);
    } else {
        take_visit(site, request, response);
    }
}

/* --- files --- */

static void reply_bytes(struct fake_site *site, const struct fake_request *request,
                        struct http_response *response, const char *bytes)
{
    size_t length = strlen(bytes), from = (size_t)request->range_from;

    site->files_served++;
    site->last_range = request->range_from;
    if (from > 0 && from < length) {
        fake_reply(response, 206, bytes + from, length - from);
        response->range_first = request->range_from;
        return;
    }
    fake_reply(response, 200, bytes, length);
}

static void reply_file(struct fake_site *site, const struct fake_request *request,
                       struct http_response *response)
{
    const char *hex = request->path + strlen("/v1/files/");
    struct digest digest, binary = digest_of("binary", 6);

    if (!text_to_exact_bytes(hex, DIGEST_BYTES, digest.bytes))
        broke(site, "%s is no file", request->path);
    if (digest_equals(&digest, &binary))
        reply_bytes(site, request, response, "binary");
    else if (digest_equals(&digest, &site->sample.unit.inputs[0].digest))
        reply_bytes(site, request, response, site->file);
    else
        reply_problem(response, STATUS_NOT_FOUND, 0, "there is no such file");
}

/* --- uploads --- */

static int64_t number_of(const char *text)
{
    int64_t number = -1;

    return text != NULL && text_to_integer(text, 0, FAKE_UPLOAD_MAX, &number) ? number : -1;
}

static void make_upload(struct fake_site *site, const struct fake_request *request,
                        struct http_response *response)
{
    const char *metadata = fake_request_header(request, "Upload-Metadata");
    int64_t length = number_of(fake_request_header(request, "Upload-Length"));
    char task[32];
    size_t count = 0;

    if (metadata == NULL || length < 0 || !text_starts_with(metadata, "task ") ||
        !base64_decode(metadata + 5, strcspn(metadata + 5, ","), task, sizeof task - 1, &count)) {
        broke(site, "an upload without its metadata");
        return;
    }
    task[count] = '\0';
    site->upload_task = number_of(task);
    site->upload_size = (size_t)length;
    site->upload_length = 0;
    site->uploads_made++;
    fake_reply(response, 201, "", 0);
    (void)text_fit(response->location, sizeof response->location, FAKE_SITE_URL "/v1/uploads/1");
}

static enum status take_patch(struct fake_site *site, const struct fake_request *request,
                              struct http_response *response, struct error *err)
{
    int64_t offset = number_of(fake_request_header(request, "Upload-Offset"));
    struct fake_task *task = find(site, site->upload_task);
    size_t length = request->body_length;
    struct digest digest;

    if (site->upload_cut != 0)
        length = site->upload_cut;
    if (offset != (int64_t)site->upload_length ||
        site->upload_length + request->body_length != site->upload_size) {
        broke(site, "an upload went on at %lld, not %zu", (long long)offset, site->upload_length);
        return STATUS_OK;
    }
    memcpy(site->upload + site->upload_length, request->body, length);
    site->upload_length += length;
    if (site->upload_cut != 0) {
        site->upload_cut = 0;
        return error_set(err, STATUS_UNREACHABLE, "the connection to the server broke");
    }
    digest = digest_of(site->upload, site->upload_length);
    if (!digest_equals(&digest, &task->output.digest))
        broke(site, "an upload is not what was reported");
    task->was_uploaded = true;
    fake_reply(response, 204, "", 0);
    response->upload_offset = (int64_t)site->upload_length;
    return STATUS_OK;
}

static enum status reply_upload(struct fake_site *site, const struct fake_request *request,
                                struct http_response *response, struct error *err)
{
    if (request->method == HTTP_POST)
        make_upload(site, request, response);
    else if (request->method == HTTP_PATCH)
        return take_patch(site, request, response, err);
    else if (site->upload_size == 0)
        reply_problem(response, STATUS_NOT_FOUND, 0, "there is no such upload");
    else {
        fake_reply(response, 200, "", 0);
        response->upload_offset = (int64_t)site->upload_length;
    }
    return STATUS_OK;
}

/* --- all of it --- */

static enum status serve(void *context, const struct fake_request *request,
                         struct http_response *response, struct error *err)
{
    struct fake_site *site = context;

    if (site->is_first_contact && !request->on_first_contact && !request->has_ca) {
        (void)error_set(err, STATUS_UNTRUSTED, "the CA is unknown");
        error_code(err, "certificate-unknown-ca");
        return STATUS_UNTRUSTED;
    }
    if (strcmp(request->path, "/v1/project") == 0)
        reply_project(site, response);
    else if (strcmp(request->path, "/v1/bulletin") == 0)
        reply_bulletin(site, request, response);
    else if (strcmp(request->path, "/v1/challenges") == 0)
        reply_challenge(response);
    else if (strcmp(request->path, "/v1/accounts") == 0)
        reply_account(site, request, response);
    else if (strcmp(request->path, "/v1/hosts") == 0)
        reply_host(site, request, response);
    else if (strcmp(request->path, "/v1/scheduler") == 0)
        reply_visit(site, request, response);
    else if (text_starts_with(request->path, "/v1/files/"))
        reply_file(site, request, response);
    else if (text_starts_with(request->path, "/v1/uploads"))
        return reply_upload(site, request, response, err);
    else
        broke(site, "nobody serves %s", request->path);
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
    *site = (struct fake_site){.return_s = 60, .grants_at_once = 64, .file = "data"};
    fake_net_init(&site->net);
    site->net.serve = serve;
    site->net.context = site;
    memset(site->account.text, 'a', TOKEN_CHARS - 1);
    site->account.text[TOKEN_CHARS - 1] = 'A';
    sample_init(&site->sample);
    texts_clear(&site->sample.app_version.layers); /* not every machine has them */
    site->sample.app_version.outputs[0].max_bytes = 1 << 20;
    fake_site_seal(site);
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
