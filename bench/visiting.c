#include "bench/visiting.h"

#include <stdlib.h>
#include <string.h>

#include "bench/output.h"
#include "common/base/text.h"
#include "protocol/scheduler_reply.h"
#include "protocol/scheduler_request.h"

#define CLIENT      "dugnad-bench 0.1.0"
#define CORES       64 /* a new host has so many tasks until its first result agrees */
#define PLENTY      (INT64_C(1) << 46) /* bytes of memory and disk: never what a unit waits for */
#define OUTPUT_NAME "stdout"           /* before an app version said otherwise */

/* --- saying ------------------------------------------------------------------------------------*/

/* One app version is played as a rule; with more the first one's output serves them all. */
static const char *output_name(const struct kit *kit)
{
    return kit->app_count > 0 ? kit->apps[0].app.outputs[0].name.text : OUTPUT_NAME;
}

static bool is_inline(const struct kit *kit)
{
    return kit->output_bytes <= UNIT_INLINE_MAX_BYTES;
}

static struct named_outputs outputs_of(const struct actor *actor, const struct kit *kit,
                                       const struct digest *unit)
{
    struct named_output *output = must_alloc(1, sizeof *output);

    output->size = kit->output_bytes;
    output->digest = output_digest(unit, actor_lie(actor), (size_t)kit->output_bytes);
    (void)text_fit(output->name.text, sizeof output->name.text, output_name(kit));
    return (struct named_outputs){.outputs = output, .count = 1};
}

static void add_body(const struct actor *actor, const struct kit *kit,
                     const struct visit_task *finished, struct scheduler_report *report)
{
    size_t size = (size_t)kit->output_bytes;
    struct scheduler_body *body = must_alloc(1, sizeof *body);

    body->name = finished->outputs.outputs[0].name;
    body->body = (struct bytes){.bytes = must_alloc(size + 1, 1), .length = size};
    output_fill(&finished->unit, actor_lie(actor), 0, body->body.bytes, size);
    report->bodies = body;
    report->body_count = 1;
}

static void report_task(const struct actor *actor, const struct kit *kit,
                        const struct held_unit *held, struct visit_task *ret_finished,
                        struct scheduler_report *ret_report)
{
    *ret_finished = (struct visit_task){.task = held->task,
                                        .unit = held->unit,
                                        .outcome = VISIT_DONE,
                                        .outputs = outputs_of(actor, kit, &held->unit)};
    *ret_report = (struct scheduler_report){.task = held->task,
                                            .has_exit_status = true,
                                            .cpu_ms = 1000,
                                            .wall_ms = 1100,
                                            .busy_ms = 1200,
                                            .peak_memory_bytes = 1 << 20};
    if (is_inline(kit))
        add_body(actor, kit, ret_finished, ret_report);
}

static void say_work(const struct actor *actor, const struct kit *kit,
                     struct scheduler_request *request)
{
    size_t room = actor->held_count < VISIT_FINISHED_MAX ? actor->held_count : VISIT_FINISHED_MAX;

    request->visit.finished = must_alloc(room, sizeof *request->visit.finished);
    request->reports = must_alloc(room, sizeof *request->reports);
    request->held = must_alloc(actor->held_count, sizeof *request->held);
    for (size_t i = 0; i < actor->held_count; i++) {
        const struct held_unit *held = &actor->held[i];
        size_t at = request->visit.finished_count;

        if (!held->is_reported && at < room) {
            report_task(actor, kit, held, &request->visit.finished[at], &request->reports[at]);
            request->visit.finished_count++;
            continue;
        }
        request->held[request->held_count++] =
            (struct held_task){.task = held->task,
                               .state = HELD_FINISHED,
                               .progress_permille = SCHEDULER_PROGRESS_UNSAID};
    }
}

static void say_host(const struct actor *actor, const struct kit *kit,
                     struct scheduler_request *request)
{
    size_t room = SCHEDULER_HELD_MAX - actor->held_count;

    (void)text_fit(request->host.client, sizeof request->host.client, CLIENT);
    texts_add(&request->host.platforms, kit->platform);
    request->host.cores = CORES;
    request->host.memory_bytes = PLENTY;
    request->host.disk_bytes = PLENTY;
    request->host.time_s = kit->now_s;
    request->want_tasks = kit->tasks < (int64_t)room ? kit->tasks : (int64_t)room;
    request->have_app_versions.digests = must_alloc(kit->app_count, sizeof(struct digest));
    for (size_t i = 0; i < kit->app_count; i++)
        request->have_app_versions.digests[request->have_app_versions.count++] =
            kit->apps[i].digest;
    request->have_variants.digests = must_alloc(kit->variant_count, sizeof(struct digest));
    for (size_t i = 0; i < kit->variant_count; i++)
        request->have_variants.digests[request->have_variants.count++] = kit->variants[i];
}

enum status visiting_say(struct actor *actor, const struct kit *kit, struct visit *ret_visit,
                         char **ret_body, struct error *err)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(freep) char *payload = NULL;

    request.visit.project = kit->project;
    request.visit.number = actor->next_visit++;
    say_work(actor, kit, &request);
    say_host(actor, kit, &request);
    payload = visit_encode(&request.visit);
    envelope_init(&request.statement, VISIT_TYPE, payload, strlen(payload));
    TRY(envelope_sign(&request.statement, &actor->key, err));
    *ret_body = scheduler_request_encode(&request);
    visit_clear(ret_visit);
    *ret_visit = request.visit;
    /* Only the report list's length is the visit's; what it owns goes before that is lost. */
    request.visit = (struct visit){
        .finished_count = ret_visit->finished_count,
        .finished = must_alloc(ret_visit->finished_count, sizeof *request.visit.finished)};
    return STATUS_OK;
}

/* --- hearing -----------------------------------------------------------------------------------*/

static enum status refuse(enum refusal refusal, const struct error *why, struct error *err)
{
    if (refusal == REFUSAL_NONE)
        return STATUS_OK;
    return error_set(err, STATUS_UNTRUSTED, "a manifest is refused: %.200s", why->text);
}

static enum status learn_app(struct kit *kit, const struct envelope *envelope, struct error *err)
{
    struct trust_moment moment = {.purpose = TRUST_START, .now_s = kit->now_s};
    struct known_app known = {.digest = envelope->digest};
    struct error why = {0};

    for (size_t i = 0; i < kit->app_count; i++)
        if (digest_equals(&kit->apps[i].digest, &envelope->digest))
            return STATUS_OK;
    if (kit->app_count == KIT_APPS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "work of more than %d app versions", KIT_APPS_MAX);
    if (kit->trust != NULL)
        TRY(refuse(trust_check_app_version(kit->trust, envelope, &moment, &known.app, &why), &why,
                   err));
    else
        TRY(app_version_decode(envelope->payload, envelope->payload_length, &known.app, err));
    kit->apps[kit->app_count++] = known;
    return STATUS_OK;
}

static void learn_variant(struct kit *kit, const struct envelope *envelope)
{
    for (size_t i = 0; i < kit->variant_count; i++)
        if (digest_equals(&kit->variants[i], &envelope->digest))
            return;
    if (kit->variant_count < KIT_APPS_MAX)
        kit->variants[kit->variant_count++] = envelope->digest;
}

static enum status learn(struct kit *kit, const struct texts *envelopes, struct error *err)
{
    for (size_t i = 0; i < envelopes->count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        const char *text = envelopes->texts[i];

        TRY(envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, err));
        if (strcmp(envelope.type, APP_VERSION_TYPE) == 0)
            TRY(learn_app(kit, &envelope, err));
        else if (strcmp(envelope.type, VARIANT_TYPE) == 0)
            learn_variant(kit, &envelope);
    }
    return STATUS_OK;
}

static enum status check_unit(const struct kit *kit, const struct envelope *envelope,
                              const struct digest *app_version, struct error *err)
{
    struct trust_moment moment = {.purpose = TRUST_START, .now_s = kit->now_s};
    CLEANUP(work_unit_clear) struct work_unit unit = {0};
    struct checked_app checked = {.digest = *app_version};
    struct error why = {0};

    for (size_t i = 0; i < kit->app_count; i++)
        if (digest_equals(&kit->apps[i].digest, app_version))
            checked.app = &kit->apps[i].app;
    if (checked.app == NULL)
        return error_set(err, STATUS_UNTRUSTED, "work of an app version that did not come along");
    return refuse(trust_check_unit(kit->trust, envelope, &checked, &moment, &unit, &why), &why,
                  err);
}

static enum status take_grants(struct actor *actor, struct kit *kit,
                               const struct scheduler_reply *reply, struct error *err)
{
    for (size_t i = 0; i < reply->grant_count; i++) {
        const struct scheduler_grant *grant = &reply->grants[i];
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        TRY(envelope_decode(grant->unit, strlen(grant->unit), WORK_UNIT_PAYLOAD_MAX, &envelope,
                            err));
        if (kit->trust != NULL)
            TRY(check_unit(kit, &envelope, &grant->app_version, err));
        actor_hold(actor, grant->task, &envelope.digest);
    }
    kit->figures->granted += (int64_t)reply->grant_count;
    return STATUS_OK;
}

static void take_acks(struct actor *actor, struct kit *kit, const struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->ack_count; i++) {
        const struct scheduler_ack *ack = &reply->acks[i];
        struct held_unit *held = actor_find(actor, ack->task);

        if (ack->state == ACK_DROPPED)
            kit->figures->dropped++;
        else
            kit->figures->reported++;
        if (ack->state == ACK_REPORTED && !is_inline(kit) && held != NULL)
            held->is_reported = true;
        else
            actor_forget(actor, ack->task);
    }
}

static void take_news(struct actor *actor, struct kit *kit, const struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->drop_count; i++)
        actor_forget(actor, reply->drops[i].task);
    for (size_t i = 0; i < reply->verdict_count; i++) {
        const struct scheduler_verdict *verdict = &reply->verdicts[i];

        actor_forget(actor, verdict->task);
        kit->figures->accepted += verdict->verdict == VERDICT_ACCEPTED;
        kit->figures->outvoted += verdict->verdict == VERDICT_OUTVOTED;
    }
}

/* Before the news: a body may be wanted of a task whose verdict comes along. */
static void take_wishes(struct actor *actor, const struct scheduler_reply *reply,
                        struct wanted_output **ret_wanted, size_t *ret_count)
{
    struct wanted_output *wanted = must_alloc(reply->upload_count, sizeof *wanted);
    size_t count = 0;

    for (size_t i = 0; i < reply->upload_count; i++) {
        const struct scheduler_upload *upload = &reply->uploads[i];
        const struct held_unit *held = actor_find(actor, upload->task);

        if (held == NULL)
            continue;
        wanted[count] = (struct wanted_output){.task = upload->task, .unit = held->unit};
        if (text_fit(wanted[count].name.text, sizeof wanted[count].name.text,
                     upload->names.texts[0]))
            count++;
    }
    *ret_wanted = wanted;
    *ret_count = count;
}

enum status visiting_hear(struct actor *actor, struct kit *kit, const struct visit *visit,
                          const struct response *response, struct wanted_output **ret_wanted,
                          size_t *ret_wanted_count, struct error *err)
{
    CLEANUP(scheduler_reply_clear) struct scheduler_reply reply = {0};

    TRY(scheduler_reply_decode(response->body, response->body_length, visit, &reply, err));
    TRY(learn(kit, &reply.envelopes, err));
    take_acks(actor, kit, &reply);
    take_wishes(actor, &reply, ret_wanted, ret_wanted_count);
    take_news(actor, kit, &reply);
    TRY(take_grants(actor, kit, &reply, err));
    kit->figures->visits++;
    kit->figures->visits_without_work += reply.grant_count == 0;
    return STATUS_OK;
}
