/* Visits, as the real server answers them; whatever breaks the protocol is noted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/problem.h"
#include "tests/support/fake_site_parts.h"

static void reply_clone(struct http_response *response)
{
    struct error err = {0};

    (void)error_set(&err, STATUS_CONFLICT, "another has this key");
    error_code(&err, "clone");
    fake_reply_text(response, 409, problem_encode(&err));
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
            fake_site_broke(site, "task %lld: a body is not what was reported",
                            (long long)said->task);
    }
}

static void note_report(struct fake_site *site, const struct visit_task *said,
                        const struct scheduler_report *report, struct scheduler_ack *ret_ack)
{
    struct fake_task *task = fake_site_task(site, said->task);
    bool is_whole = said->outcome != VISIT_DONE || report->body_count == said->outputs.count;

    *ret_ack = (struct scheduler_ack){.task = said->task, .state = ACK_DROPPED};
    if (task == NULL || task->state == FAKE_WAITING) {
        fake_site_broke(site, "task %lld was reported and never granted", (long long)said->task);
        return;
    }
    check_bodies(site, said, report);
    if (task->state >= FAKE_REPORTED && task->outcome != said->outcome)
        fake_site_broke(site, "task %lld was reported in two ways", (long long)said->task);
    task->outcome = said->outcome;
    task->limit = report->limit;
    task->busy_ms = report->busy_ms;
    task->is_unstarted = report->is_unstarted;
    task->refusal = report->refusal;
    task->refused = report->refused;
    (void)text_fit(task->why, sizeof task->why, report->why);
    if (report->stderr_tail.bytes != NULL)
        (void)text_fit(task->stderr_tail, sizeof task->stderr_tail, report->stderr_tail.bytes);
    if (said->outputs.count > 0)
        task->output = said->outputs.outputs[0];
    task->state = is_whole && !site->keeps_reported ? FAKE_STORED : FAKE_REPORTED;
    ret_ack->state = task->state == FAKE_STORED ? ACK_STORED : ACK_REPORTED;
}

static void add_grant(struct fake_site *site, const struct fake_task *task,
                      struct scheduler_reply *reply)
{
    reply->grants[reply->grant_count++] =
        (struct scheduler_grant){.task = task->number,
                                 .unit = envelope_encode(&task->unit),
                                 .app_version = site->app_version.digest,
                                 .variant = site->variant.digest,
                                 .deadline_s = SAMPLE_NOW_S + 300 * DAY_S,
                                 .receipt = digest_of(&task->number, sizeof task->number)};
}

static void grant_again(struct fake_site *site, struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->ack_count; i++) {
        const struct fake_task *task = fake_site_task(site, reply->acks[i].task);

        if (task != NULL)
            add_grant(site, task, reply);
    }
}

static void grant(struct fake_site *site, int64_t wanted, struct scheduler_reply *reply)
{
    for (size_t i = 0; i < site->task_count; i++) {
        struct fake_task *task = &site->tasks[i];

        bool is_asked = (int64_t)reply->grant_count < wanted;

        if (task->state != FAKE_WAITING || (!is_asked && !site->grants_unasked) ||
            (int64_t)reply->grant_count >= site->grants_at_once)
            continue;
        task->state = is_asked ? FAKE_SENT : FAKE_WAITING; /* unasked, it is not taken */
        add_grant(site, task, reply);
    }
}

static bool is_held(const struct scheduler_request *asked, int64_t task)
{
    for (size_t i = 0; i < asked->held_count; i++)
        if (asked->held[i].task == task)
            return true;
    return visit_find_task(&asked->visit, task) != NULL;
}

static void send_lost(struct fake_site *site, const struct scheduler_request *asked,
                      struct scheduler_reply *reply)
{
    for (size_t i = 0; i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_SENT && !is_held(asked, site->tasks[i].number))
            add_grant(site, &site->tasks[i], reply);
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
    if (site->sends_all_envelopes || !has(&asked->have_app_versions, &site->app_version.digest))
        texts_add(&reply->envelopes, app);
    if (site->sends_all_envelopes || !has(&asked->have_variants, &site->variant.digest))
        texts_add(&reply->envelopes, variant);
}

/* A client that forgets a task it was granted breaks its word. */
static void check_held(struct fake_site *site, const struct scheduler_request *asked)
{
    site->held = (int64_t)asked->held_count;
    for (size_t i = 0; i < asked->held_count; i++)
        if (asked->held[i].progress_permille != SCHEDULER_PROGRESS_UNSAID)
            site->told = asked->held[i];
    for (size_t i = 0; i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_SENT && !site->sends_lost && site->drops_sent == 0 &&
            !is_held(asked, site->tasks[i].number))
            fake_site_broke(site, "task %lld is not held any more",
                            (long long)site->tasks[i].number);
}

static void ask_for_bodies(struct fake_site *site, struct scheduler_reply *reply)
{
    reply->uploads = must_alloc(FAKE_UNITS_MAX, sizeof *reply->uploads);
    for (size_t i = 0; site->asks_for_bodies && i < site->task_count; i++) {
        struct fake_task *task = &site->tasks[i];
        struct scheduler_upload *upload = &reply->uploads[reply->upload_count];
        bool is_early = task->state == FAKE_SENT && site->asks_too_early;

        if ((task->state != FAKE_REPORTED && !is_early) || task->was_uploaded)
            continue;
        upload->task = task->number;
        texts_add(&upload->names, is_early ? "out" : task->output.name.text);
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

static void drop_sent(struct fake_site *site, struct scheduler_reply *reply)
{
    for (size_t i = 0; site->drops_sent != 0 && i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_SENT)
            reply->drops[reply->drop_count++] =
                (struct scheduler_drop){.task = site->tasks[i].number, .why = site->drops_sent};
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

/* Told only when asked for, each with the receipt that it came with. */
static void check_kept(struct fake_site *site, const struct scheduler_request *asked)
{
    site->kept_told += (int64_t)asked->kept_count;
    if (asked->kept_count > 0 && !site->asks_for_kept)
        fake_site_broke(site, "kept tasks were told unasked");
    for (size_t i = 0; i < asked->kept_count; i++) {
        struct digest receipt = digest_of(&asked->kept[i].task, sizeof asked->kept[i].task);

        if (!digest_equals(&receipt, &asked->kept[i].receipt))
            fake_site_broke(site, "a kept task has another receipt");
    }
}

static void note_refused(struct fake_site *site, const struct scheduler_request *asked)
{
    for (size_t i = 0; i < asked->refused_count; i++)
        if (site->refused_count++ < FAKE_REFUSED_MAX)
            site->refused[site->refused_count - 1] = asked->refused[i];
}

static int64_t clock_off_s(const struct fake_site *site, const struct scheduler_request *asked)
{
    int64_t off_s = asked->host.time_s - site_time_s(site);

    return site->tells_clock && (off_s > 600 || off_s < -600) ? off_s : 0;
}

static char *answer_visit(struct fake_site *site, const struct scheduler_request *asked)
{
    const struct limits *limits = &site->sample.unit.limits;
    CLEANUP(scheduler_reply_clear)
    struct scheduler_reply reply = {
        .visit = asked->visit.number,
        .time_s = site_time_s(site),
        .keyring_version = site->sample.keyring.version,
        .freshness_sequence = site->sample.freshness.sequence,
        .clock_off_s = clock_off_s(site, asked),
        .asks_for_kept = site->asks_for_kept,
        .return_s = site->return_s,
    };

    check_held(site, asked);
    reply.acks = must_alloc(asked->visit.finished_count, sizeof *reply.acks);
    for (size_t i = 0; i < asked->visit.finished_count; i++)
        note_report(site, &asked->visit.finished[i], &asked->reports[i], &reply.acks[i]);
    reply.ack_count = asked->visit.finished_count;
    site->reports += (int64_t)reply.ack_count;
    reply.grants = must_alloc(2 * FAKE_UNITS_MAX, sizeof *reply.grants);
    if (site->sends_lost)
        send_lost(site, asked, &reply);
    if (limits->disk_bytes + limits->output_bytes <= asked->host.disk_bytes)
        grant(site, asked->want_tasks, &reply);
    if (site->grants_reported)
        grant_again(site, &reply);
    add_envelopes(site, asked, &reply);
    drop_uploaded(site, &reply);
    drop_sent(site, &reply);
    ask_for_bodies(site, &reply);
    judge(site, &reply);
    if (reply.grant_count == 0)
        (void)text_fit(reply.why, sizeof reply.why, "there is no more work");
    check_kept(site, asked);
    note_refused(site, asked);
    site->asked_tasks = asked->want_tasks;
    site->asked_memory = asked->host.memory_bytes;
    site->told_disk_bytes = asked->host.disk_bytes;
    return scheduler_reply_encode(&reply);
}

static void repeat_visit(struct fake_site *site, const struct fake_request *request,
                         struct http_response *response)
{
    site->repeats++;
    if (strcmp(site->last_body, request->body) != 0)
        fake_site_broke(site, "visit %lld came again with other content",
                        (long long)site->last_visit);
    fake_reply(response, 200, site->last_reply, strlen(site->last_reply));
}

/* As the server does: of what it refused, too, it remembers the number and the content. */
static void check_refused(struct fake_site *site, int64_t number, const char *body)
{
    if (site->refused_body != NULL && number == site->refused_visit &&
        strcmp(site->refused_body, body) != 0)
        fake_site_broke(site, "visit %lld was refused and came again with other content",
                        (long long)number);
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
    fake_reply_problem(response, site->fails_with, site->fails_retry_s, "not now");
}

static void take_visit(struct fake_site *site, const struct fake_request *request,
                       struct http_response *response)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request asked = {0};
    struct error err = {0};

    if (scheduler_request_decode(request->body, request->body_length, &asked, &err) != STATUS_OK ||
        !envelope_is_signed_by(&asked.statement, &site->host_key)) {
        fake_site_broke(site, "visit: %s", err.text);
        fake_reply_problem(response, STATUS_INVALID, 0, err.text);
        return;
    }
    check_refused(site, asked.visit.number, request->body);
    if (asked.visit.number == site->last_visit) {
        repeat_visit(site, request, response);
        return;
    }
    if (asked.visit.number < site->last_visit)
        fake_site_broke(site, "visit %lld came after %lld", (long long)asked.visit.number,
                        (long long)site->last_visit);
    free(site->last_body);
    free(site->last_reply);
    site->last_visit = asked.visit.number;
    site->last_body = text_copy(request->body);
    site->last_reply = answer_visit(site, &asked);
    site->visits++;
    fake_reply(response, 200, site->last_reply, strlen(site->last_reply));
}

void fake_site_withdraw(struct fake_site *site)
{
    for (size_t i = 0; i < site->task_count; i++)
        if (site->tasks[i].state == FAKE_SENT)
            site->tasks[i].state = FAKE_STORED;
}

void fake_site_visit(struct fake_site *site, const struct fake_request *request,
                     struct http_response *response)
{
    if (request->token == NULL || strcmp(request->token, site->token.text) != 0 ||
        site->forgets_token) {
        site->forgets_token = false;
        site->token.text[0] = '\0';
        fake_reply_problem(response, STATUS_UNAUTHORIZED, 0, "that token is unknown");
    } else if (site->says_clone) {
        site->says_clone = false;
        reply_clone(response);
        fake_site_withdraw(site);
    } else if (site->fails_with != STATUS_OK) {
        refuse_visit(site, request, response);
    } else {
        take_visit(site, request, response);
    }
}
