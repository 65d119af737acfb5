/* tasks/<number>.json. The report's words are those of the protocol, but kept in our own file. */
#include <string.h>

#include "client/state/records.h"
#include "common/crypto/base64.h"
#include "common/json/build.h"
#include "common/json/members.h"
#include "common/json/profile.h"
#include "work-units/limits.h"

static const char *const outcomes[] = {"done", "error", "refused", "abandoned"};
static const char *const verdicts[] = {"accepted", "outvoted", "inconclusive", "error",
                                       "unit-failed"};
static const char *const limits[] = {"cpu", "wall", "memory", "disk", "output", "processes"};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void report_clear(struct scheduler_report *report)
{
    bytes_clear(&report->stderr_tail);
    *report = (struct scheduler_report){0};
}

int64_t task_record_bytes(const struct task_record *record)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < record->outputs.count; i++)
        bytes += record->outputs.outputs[i].size;
    return bytes;
}

void task_record_clear(struct task_record *record)
{
    named_outputs_clear(&record->outputs);
    report_clear(&record->report);
    texts_clear(&record->wanted);
    *record = (struct task_record){0};
}

static void read_outputs(struct members *root, struct named_outputs *outputs)
{
    struct members_list list = members_list(root, "outputs", 0, VISIT_OUTPUTS_MAX);

    outputs->outputs = must_alloc(list.count, sizeof *outputs->outputs);
    for (size_t i = 0; i < list.count; i++) {
        struct named_output *output = &outputs->outputs[i];
        struct members item;

        list_object(&list, i, &item);
        (void)text_fit(output->name.text, sizeof output->name.text,
                       members_file_name(&item, "name"));
        output->digest = members_digest(&item, "digest");
        output->size = members_integer(&item, "size", 0, LIMITS_BYTES_MAX);
        members_end_part(&item);
        outputs->count = i + 1;
    }
}

static void read_stderr(struct members *root, struct bytes *tail)
{
    char bytes[SCHEDULER_STDERR_MAX];
    size_t length = members_base64(root, "stderr", bytes, sizeof bytes);

    if (members_failed(root) || length == 0)
        return;
    tail->bytes = must_alloc(length + 1, 1);
    memcpy(tail->bytes, bytes, length);
    tail->length = length;
}

static enum refusal read_refusal(struct members *root)
{
    enum refusal refusal = refusal_from_code(members_text(root, "refusal", 1, 64));

    if (refusal == REFUSAL_COUNT || refusal == REFUSAL_NONE)
        members_fail(root, "refusal", "malformed", "is not a refusal");
    return refusal < REFUSAL_COUNT ? refusal : REFUSAL_NONE;
}

static void read_report(struct members *root, struct scheduler_report *report)
{
    if (members_has(root, "exit_status")) {
        report->has_exit_status = true;
        report->exit_status = (int)members_integer(root, "exit_status", 0, 255);
    }
    report->signal = (int)members_integer_or(root, "signal", 1, 64, 0);
    if (members_has(root, "limit"))
        report->limit =
            (enum task_limit)(members_choice(root, "limit", limits, COUNT_OF(limits)) + 1);
    if (members_has(root, "refusal"))
        report->refusal = read_refusal(root);
    if (members_has(root, "refused"))
        report->refused = members_digest(root, "refused");
    members_copy_text(root, "why", report->why, sizeof report->why);
    report->is_unstarted = members_boolean_or(root, "unstarted", false);
    report->cpu_ms = members_integer(root, "cpu_ms", 0, SCHEDULER_SPAN_MAX_MS);
    report->wall_ms = members_integer(root, "wall_ms", 0, SCHEDULER_SPAN_MAX_MS);
    report->busy_ms = members_integer_or(root, "busy_ms", 0, SCHEDULER_SPAN_MAX_MS, 0);
    report->peak_memory_bytes = members_integer(root, "peak_memory", 0, LIMITS_BYTES_MAX);
    read_stderr(root, &report->stderr_tail);
}

static void read_wanted(struct members *root, struct texts *wanted)
{
    struct members_list list = members_list(root, "wanted", 0, VISIT_OUTPUTS_MAX);

    for (size_t i = 0; i < list.count; i++)
        texts_add(wanted, list_file_name(&list, i));
}

static void read_end(struct members *root, struct task_record *record)
{
    record->outcome =
        (enum visit_outcome)(members_choice(root, "outcome", outcomes, COUNT_OF(outcomes)) + 1);
    read_outputs(root, &record->outputs);
    record->report.task = record->task;
    read_report(root, &record->report);
    record->finished_s = members_time(root, "finished");
    record->settled_s = members_time(root, "settled");
    read_wanted(root, &record->wanted);
    if (members_has(root, "upload"))
        (void)text_fit(record->upload_url, sizeof record->upload_url,
                       members_text(root, "upload", 1, HTTP_URL_MAX - 1));
    if (members_has(root, "verdict"))
        record->verdict =
            (enum verdict)(members_choice(root, "verdict", verdicts, COUNT_OF(verdicts)) + 1);
    if (members_has(root, "verdict_visit"))
        record->verdict_visit = members_integer(root, "verdict_visit", 0, ID_MAX);
    record->credit = members_integer(root, "credit", 0, PROFILE_INTEGER_MAX);
}

static enum phase read_phase(struct members *root)
{
    enum phase phase = phase_from_name(members_text(root, "phase", 1, 32));

    if (phase == PHASE_COUNT)
        members_fail(root, "phase", "malformed", "is not a phase");
    return phase < PHASE_COUNT ? phase : PHASE_OFFERED;
}

enum status task_record_decode(const char *bytes, size_t length, struct task_record *ret_record,
                               struct error *err)
{
    static const struct profile_limits bounds = {.bytes = TASK_RECORD_MAX, .depth = 4};
    CLEANUP(task_record_clear) struct task_record record = {0};
    json_auto_t *json = NULL;
    struct members root;

    TRY(profile_parse(bytes, length, &bounds, &json, err));
    members_begin(&root, json, err);
    record.task = members_integer(&root, "task", 1, ID_MAX);
    record.unit = members_digest(&root, "unit");
    record.app_version = members_digest(&root, "app_version");
    record.variant = members_digest(&root, "variant");
    record.deadline_s = members_time(&root, "deadline");
    if (members_has(&root, "receipt"))
        record.receipt = members_digest(&root, "receipt");
    record.phase = read_phase(&root);
    record.starts = members_integer(&root, "starts", 0, RECORD_STARTS_MAX);
    if (!phase_is_unfinished(record.phase))
        read_end(&root, &record);
    TRY(members_end(&root));
    *ret_record = record;
    record = (struct task_record){0};
    return STATUS_OK;
}

/* --- and back --- */

static void set_digest(json_t *root, const char *name, const struct digest *digest)
{
    build_set(root, name, json_string(digest_format(digest).text));
}

static json_t *outputs_to_json(const struct named_outputs *outputs)
{
    json_t *list = build(json_array());

    for (size_t i = 0; i < outputs->count; i++) {
        json_t *item = build(json_object());

        build_set(item, "name", json_string(outputs->outputs[i].name.text));
        set_digest(item, "digest", &outputs->outputs[i].digest);
        build_set(item, "size", json_integer(outputs->outputs[i].size));
        build_append(list, item);
    }
    return list;
}

static void write_stderr(json_t *root, const struct bytes *tail)
{
    char text[BASE64_CHARS(SCHEDULER_STDERR_MAX) + 1];

    base64_encode(tail->bytes != NULL ? tail->bytes : "", tail->length, text);
    build_set(root, "stderr", json_string(text));
}

static void write_report(json_t *root, const struct scheduler_report *report)
{
    if (report->has_exit_status)
        build_set(root, "exit_status", json_integer(report->exit_status));
    if (report->signal != 0)
        build_set(root, "signal", json_integer(report->signal));
    if (report->limit != LIMIT_NONE)
        build_set(root, "limit", json_string(limits[report->limit - 1]));
    if (report->refusal != REFUSAL_NONE)
        build_set(root, "refusal", json_string(refusal_code(report->refusal)));
    if (!digest_is_none(&report->refused))
        set_digest(root, "refused", &report->refused);
    build_set(root, "why", build_text(report->why));
    if (report->is_unstarted)
        build_set(root, "unstarted", json_true());
    build_set(root, "cpu_ms", json_integer(report->cpu_ms));
    build_set(root, "wall_ms", json_integer(report->wall_ms));
    build_set(root, "busy_ms", json_integer(report->busy_ms));
    build_set(root, "peak_memory", json_integer(report->peak_memory_bytes));
    write_stderr(root, &report->stderr_tail);
}

static void write_end(json_t *root, const struct task_record *record)
{
    build_set(root, "outcome", json_string(outcomes[record->outcome - 1]));
    build_set(root, "outputs", outputs_to_json(&record->outputs));
    write_report(root, &record->report);
    build_set(root, "finished", json_integer(record->finished_s));
    build_set(root, "settled", json_integer(record->settled_s));
    build_set(root, "wanted", texts_to_json(&record->wanted));
    if (record->upload_url[0] != '\0')
        build_set(root, "upload", json_string(record->upload_url));
    if (record->verdict != 0)
        build_set(root, "verdict", json_string(verdicts[record->verdict - 1]));
    build_set(root, "verdict_visit", json_integer(record->verdict_visit));
    build_set(root, "credit", json_integer(record->credit));
}

char *task_record_encode(const struct task_record *record)
{
    json_auto_t *root = build(json_object());

    build_set(root, "task", json_integer(record->task));
    set_digest(root, "unit", &record->unit);
    set_digest(root, "app_version", &record->app_version);
    set_digest(root, "variant", &record->variant);
    build_set(root, "deadline", json_integer(record->deadline_s));
    if (!digest_is_none(&record->receipt))
        set_digest(root, "receipt", &record->receipt);
    build_set(root, "phase", json_string(phase_name(record->phase)));
    build_set(root, "starts", json_integer(record->starts));
    if (!phase_is_unfinished(record->phase))
        write_end(root, record);
    return profile_print(root);
}
