#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "protocol/visit.h"
#include "tests/sim/sim.h"

/* What one delivery of a message brought; the server may have been asked twice. */
struct delivery {
    enum status status;
    struct error err;
    struct scheduler_reply reply;
};

static void delivery_clear(struct delivery *delivery)
{
    scheduler_reply_clear(&delivery->reply);
}

static void message_clear(struct sim_message *message)
{
    free(message->request);
    free(message->statement);
    *message = (struct sim_message){0};
}

struct sim_prefix {
    char text[32];
};

/* Where all hosts of a volunteer are. */
static struct sim_prefix prefix_of(const struct sim_host *host)
{
    struct sim_prefix prefix;

    (void)snprintf(prefix.text, sizeof prefix.text, "10.0.%d.0/24", host->volunteer);
    return prefix;
}

/* Two of three volunteers have an account; the others are counted by their address prefix. */
static void enrol(struct sim *sim, struct sim_host *host)
{
    const struct sim_prefix prefix = prefix_of(host);
    struct sim_enrolment enrolment = {.key = &host->key,
                                      .prefix = prefix.text,
                                      .volunteer = host->volunteer % 3 != 0 ? host->volunteer : -1};

    sim_enrol(&sim->site, &enrolment);
    host->id = enrolment.host;
    host->visit = enrolment.next_visit - 1;
    memset(host->tasks, 0, sizeof host->tasks);
    message_clear(&host->pending);
    message_clear(&host->old);
}

static enum sim_temper temper_of(int host)
{
    switch (host % 20) {
    case 3:
    case 4:
        return SIM_LIAR;
    case 7:
        return SIM_FAILS;
    case 11:
        return SIM_GHOST;
    case 13:
        return SIM_MISER;
    default:
        return SIM_HONEST;
    }
}

void sim_hosts_enrol(struct sim *sim)
{
    for (int v = 0; v < SIM_VOLUNTEERS; v++)
        sim_account(&sim->site, v);
    for (int i = 0; i < SIM_HOSTS; i++) {
        struct sim_host *host = &sim->hosts[i];

        host->volunteer = i % SIM_VOLUNTEERS;
        host->temper = temper_of(host->volunteer);
        enrol(sim, host);
    }
}

void sim_host_reform(struct sim_host *host)
{
    host->temper = SIM_HONEST;
    host->away_until_mono_ms = 0;
}

void sim_hosts_clear(struct sim *sim)
{
    for (size_t i = 0; i < SIM_HOSTS; i++) {
        message_clear(&sim->hosts[i].pending);
        message_clear(&sim->hosts[i].old);
        private_key_clear(&sim->hosts[i].key);
    }
}

static int falsification(const struct sim_host *host)
{
    return host->temper == SIM_LIAR ? host->volunteer + 1 : 0;
}

static void add_output(const struct sim_host *host, const struct sim_task *task,
                       struct visit_task *finished, struct scheduler_report *report)
{
    CLEANUP(buffer_clear) struct buffer body;
    struct named_output *output = must_alloc(1, sizeof *output);

    sim_output(&task->unit, task->is_big, falsification(host), &body);
    (void)text_fit(output->name.text, sizeof output->name.text, SIM_OUTPUT);
    output->digest = digest_of(body.bytes, body.length);
    output->size = (int64_t)body.length;
    finished->outputs = (struct named_outputs){.outputs = output, .count = 1};
    if (task->is_big)
        return;
    report->bodies = must_alloc(1, sizeof *report->bodies);
    report->body_count = 1;
    report->bodies[0].name = output->name;
    report->bodies[0].body.length = body.length;
    report->bodies[0].body.bytes = buffer_take(&body);
}

static void add_finished(struct sim_host *host, struct scheduler_request *request)
{
    for (size_t i = 0; i < SIM_HELD; i++) {
        struct sim_task *task = &host->tasks[i];
        struct visit_task *finished;
        struct scheduler_report *report;

        if (task->id == 0 || !task->is_done || task->is_reported)
            continue;
        finished = &request->visit.finished[request->visit.finished_count];
        report = &request->reports[request->visit.finished_count++];
        *finished = (struct visit_task){.task = task->id, .unit = task->unit};
        *report = (struct scheduler_report){.task = task->id, .cpu_ms = 1000, .wall_ms = 1100};
        finished->outcome = host->temper == SIM_FAILS ? VISIT_ERROR : VISIT_DONE;
        report->has_exit_status = true;
        report->exit_status = host->temper == SIM_FAILS ? 1 : 0;
        if (finished->outcome == VISIT_DONE)
            add_output(host, task, finished, report);
    }
}

static void add_held(struct sim_host *host, struct scheduler_request *request)
{
    for (size_t i = 0; i < SIM_HELD; i++) {
        struct sim_task *task = &host->tasks[i];

        if (task->id == 0 || (task->is_done && !task->is_reported))
            continue;
        request->held[request->held_count++] =
            (struct held_task){.task = task->id,
                               .state = task->is_reported ? HELD_FINISHED : HELD_WAITING,
                               .progress_permille = SCHEDULER_PROGRESS_UNSAID};
    }
}

static void sign_statement(struct sim *sim, struct sim_host *host,
                           struct scheduler_request *request, struct sim_message *message)
{
    CLEANUP(freep) char *payload = visit_encode(&request->visit);

    envelope_init(&request->statement, VISIT_TYPE, payload, strlen(payload));
    if (envelope_sign(&request->statement, &host->key, NULL) != STATUS_OK)
        sim_fail(&sim->site, "cannot sign");
    message->digest = request->statement.digest;
    message->statement = envelope_encode(&request->statement);
}

/* A message with a new number; what it says stays as it is until it is answered. */
static void compose(struct sim *sim, struct sim_host *host)
{
    CLEANUP(scheduler_request_clear)
    struct scheduler_request request = {
        .visit = {.project = sim->site.project, .number = ++host->visit},
        .host = {.cores = 2,
                 .memory_bytes = 1 << 30,
                 .disk_bytes = 1 << 30,
                 .time_s = sim->site.env.now_s,
                 .client = "sim 1"},
        .want_tasks = 3,
    };

    texts_add(&request.host.platforms, "x86_64-linux-gnu");
    request.visit.finished = must_alloc(SIM_HELD, sizeof *request.visit.finished);
    request.reports = must_alloc(SIM_HELD, sizeof *request.reports);
    request.held = must_alloc(SIM_HELD, sizeof *request.held);
    add_finished(host, &request);
    add_held(host, &request);
    host->pending.number = host->visit;
    sign_statement(sim, host, &request, &host->pending);
    host->pending.request = scheduler_request_encode(&request);
}

/* Through the codecs both ways, as if it had been on the wire. */
static void deliver(struct sim *sim, struct sim_host *host, const struct sim_message *message,
                    struct delivery *ret_delivery)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};
    CLEANUP(freep) char *json = NULL;
    struct command command = {.kind = COMMAND_VISIT};
    const struct sim_prefix prefix = prefix_of(host);
    struct error err;

    *ret_delivery = (struct delivery){0};
    if (scheduler_request_decode(message->request, strlen(message->request), &request, &err) !=
        STATUS_OK)
        sim_fail(&sim->site, "request: %s", err.text);
    command.visit = (struct visit_command){.host = host->id,
                                           .prefix = prefix.text,
                                           .request = &request,
                                           .statement = message->statement,
                                           .statement_length = strlen(message->statement),
                                           .request_digest = message->digest,
                                           .reply = &reply};
    sim_run(&sim->site, &command);
    sim->counts.visits++;
    ret_delivery->status = command.status;
    ret_delivery->err = command.err;
    if (command.status != STATUS_OK)
        return;
    json = scheduler_reply_encode(&reply);
    if (scheduler_reply_decode(json, strlen(json), &request.visit, &ret_delivery->reply, &err) !=
        STATUS_OK)
        sim_fail(&sim->site, "reply: %s in %s", err.text, json);
}

/* I4: remembered from the moment the server said it, heard or not. */
static void remember(struct sim *sim, struct sim_host *host, const struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->grant_count; i++) {
        struct sim_shadow *shadow = sim_shadow_of(sim, reply->grants[i].task);

        if (shadow == NULL && sim->shadow_count < SIM_TASKS) {
            shadow = &sim->shadow[sim->shadow_count++];
            *shadow = (struct sim_shadow){.task = reply->grants[i].task, .host = host->id};
        }
        if (shadow == NULL || shadow->host != host->id)
            sim_fail(&sim->site, "I4: task %lld was granted to two hosts",
                     (long long)reply->grants[i].task);
        sim->counts.grants++;
    }
    for (size_t i = 0; i < reply->ack_count; i++) {
        struct sim_shadow *shadow = sim_shadow_of(sim, reply->acks[i].task);

        sim->counts.acks++;
        if (shadow == NULL)
            sim_fail(&sim->site, "task %lld was acknowledged and never granted",
                     (long long)reply->acks[i].task);
        if (reply->acks[i].state != ACK_DROPPED)
            shadow->is_acked = true;
    }
}

/* I5: asked twice in a row, the server says the same. */
static void check_same(struct sim *sim, const struct scheduler_reply *a,
                       const struct scheduler_reply *b)
{
    CLEANUP(freep) char *first = scheduler_reply_encode(a);
    CLEANUP(freep) char *second = scheduler_reply_encode(b);

    if (strcmp(first, second) != 0)
        sim_fail(&sim->site,
                 "I5: visit %lld was answered otherwise the second time (acks %zu/%zu,"
                 " grants %zu/%zu)",
                 (long long)a->visit, a->ack_count, b->ack_count, a->grant_count, b->grant_count);
}

static struct sim_task *task_of(struct sim_host *host, int64_t id)
{
    for (size_t i = 0; i < SIM_HELD; i++)
        if (host->tasks[i].id == id)
            return &host->tasks[i];
    return NULL;
}

static void forget(struct sim_host *host, int64_t id)
{
    struct sim_task *task = task_of(host, id);

    if (id != 0 && task != NULL)
        *task = (struct sim_task){0};
}

static void take_grants(struct sim *sim, struct sim_host *host, const struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->grant_count; i++) {
        CLEANUP(envelope_clear) struct envelope unit = {0};
        const struct scheduler_grant *grant = &reply->grants[i];
        struct sim_task *place = task_of(host, 0);

        if (task_of(host, grant->task) != NULL)
            continue;
        if (place == NULL)
            sim_fail(&sim->site, "host %lld was granted more than it asked for",
                     (long long)host->id);
        if (envelope_decode(grant->unit, strlen(grant->unit), ENVELOPE_PAYLOAD_MAX, &unit, NULL) !=
                STATUS_OK ||
            !envelope_is_signed_by(&unit, &sim->site.work_key.public_key))
            sim_fail(&sim->site, "I1: a unit that was not signed was granted");
        *place = (struct sim_task){
            .id = grant->task, .unit = unit.digest, .is_big = sim_is_big(&unit.digest)};
    }
}

static void upload(struct sim *sim, struct sim_host *host, const struct sim_task *task)
{
    CLEANUP(buffer_clear) struct buffer body;
    struct command ask = {.kind = COMMAND_MAY_UPLOAD};
    struct command done = {.kind = COMMAND_UPLOADED};

    sim_output(&task->unit, task->is_big, falsification(host), &body);
    ask.may_upload = (struct may_upload_command){
        .host = host->id, .task = task->id, .name = SIM_OUTPUT, .size_bytes = (int64_t)body.length};
    sim_run(&sim->site, &ask);
    if (ask.status != STATUS_OK)
        return; /* the unit ended meanwhile */
    done.uploaded = (struct uploaded_command){.host = host->id,
                                              .task = task->id,
                                              .name = SIM_OUTPUT,
                                              .digest = digest_of(body.bytes, body.length),
                                              .size_bytes = (int64_t)body.length};
    sim_run(&sim->site, &done);
    if (done.status == STATUS_OK)
        sim->counts.uploads++;
}

static void hear(struct sim *sim, struct sim_host *host, const struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->ack_count; i++) {
        struct sim_task *task = task_of(host, reply->acks[i].task);

        if (task != NULL && reply->acks[i].state == ACK_REPORTED)
            task->is_reported = true;
        else
            forget(host, reply->acks[i].task);
    }
    take_grants(sim, host, reply);
    for (size_t i = 0; i < reply->upload_count; i++) {
        struct sim_task *task = task_of(host, reply->uploads[i].task);

        if (task != NULL && host->temper != SIM_MISER)
            upload(sim, host, task);
    }
    for (size_t i = 0; i < reply->drop_count; i++)
        forget(host, reply->drops[i].task);
    for (size_t i = 0; i < reply->verdict_count; i++)
        forget(host, reply->verdicts[i].task);
}

/* Now and then an image of the machine is kept, which may come back. */
static void answered(struct sim *sim, struct sim_host *host)
{
    if (host->old.number != 0 && fake_env_below(&sim->site.env, 4) != 0) {
        message_clear(&host->pending);
        return;
    }
    message_clear(&host->old);
    host->old = host->pending;
    host->pending = (struct sim_message){0};
}

/* It was found to be a clone, or was withdrawn: a new host of the same volunteer. */
static void start_anew(struct sim *sim, struct sim_host *host)
{
    sim->counts.clones++;
    enrol(sim, host);
}

static void visit(struct sim *sim, struct sim_host *host)
{
    CLEANUP(delivery_clear) struct delivery first = {0};
    CLEANUP(delivery_clear) struct delivery second = {0};

    if (host->pending.number == 0)
        compose(sim, host);
    deliver(sim, host, &host->pending, &first);
    if (first.status != STATUS_OK) {
        start_anew(sim, host);
        return;
    }
    remember(sim, host, &first.reply);
    if (fake_env_below(&sim->site.env, 10) == 0) {
        sim->counts.repeats++;
        deliver(sim, host, &host->pending, &second);
        if (second.status != STATUS_OK)
            sim_fail(&sim->site, "I5: a repeated visit was refused: %s", second.err.text);
        check_same(sim, &first.reply, &second.reply);
    }
    if (fake_env_below(&sim->site.env, 8) == 0) {
        sim->counts.lost_replies++;
        return; /* the same message goes out again next time */
    }
    hear(sim, host, &first.reply);
    answered(sim, host);
}

static void work(struct sim *sim, struct sim_host *host)
{
    for (size_t i = 0; i < SIM_HELD; i++)
        if (host->tasks[i].id != 0 && fake_env_below(&sim->site.env, 3) != 0)
            host->tasks[i].is_done = true;
    if (host->temper == SIM_GHOST && host->tasks[0].id != 0) {
        memset(host->tasks, 0, sizeof host->tasks);
        host->away_until_mono_ms = sim->site.env.now_mono_ms + 20 * 3600 * 1000;
    }
}

/* A restored image sends what it sent long ago. */
static void come_back_from_the_past(struct sim *sim, struct sim_host *host)
{
    CLEANUP(delivery_clear) struct delivery delivery = {0};

    if (host->old.number == 0 || host->old.number == host->visit)
        return;
    sim->counts.late++;
    deliver(sim, host, &host->old, &delivery);
    if (delivery.status != STATUS_CONFLICT || !text_starts_with(delivery.err.text, "clone:"))
        sim_fail(&sim->site, "visit %lld after %lld was not taken for a clone: status %d %s",
                 (long long)host->old.number, (long long)host->visit, (int)delivery.status,
                 delivery.err.text);
    start_anew(sim, host);
}

void sim_host_step(struct sim *sim, struct sim_host *host)
{
    if (sim->site.env.now_mono_ms < host->away_until_mono_ms)
        return;
    if (fake_env_below(&sim->site.env, 200) == 0)
        come_back_from_the_past(sim, host);
    if (fake_env_below(&sim->site.env, 100) == 0)
        host->away_until_mono_ms =
            sim->site.env.now_mono_ms + (int64_t)fake_env_below(&sim->site.env, 30) * 3600 * 1000;
    if (host->pending.number == 0)
        work(sim, host);
    visit(sim, host);
}
