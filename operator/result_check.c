#include "operator/result_check.h"

#include <inttypes.h>
#include <string.h>

#include "common/crypto/envelope.h"
#include "protocol/visit.h"

static enum status refuse(struct error *err, const char *code, const char *words)
{
    error_set(err, STATUS_UNTRUSTED, "%s", words);
    error_code(err, code);
    return STATUS_UNTRUSTED;
}

static enum status refuse_task(struct error *err, const char *code, int64_t task, const char *words)
{
    error_set(err, STATUS_UNTRUSTED, "task %" PRId64 ": %s", task, words);
    error_code(err, code);
    return STATUS_UNTRUSTED;
}

/* The manifest, whose identity is the unit that we listed at that index. */
static enum status check_manifest(const struct result_line *line,
                                  const struct result_ground *ground, const struct digest *listed,
                                  struct work_unit *ret_unit, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(work_unit_clear) struct work_unit unit = {0};

    if (digest_is_none(listed) || !digest_equals(listed, &line->unit))
        return refuse(err, RESULT_FOREIGN_UNIT, "this profile never submitted that unit");
    if (envelope_decode(line->manifest, strlen(line->manifest), WORK_UNIT_PAYLOAD_MAX, &envelope,
                        NULL) != STATUS_OK ||
        strcmp(envelope.type, WORK_UNIT_TYPE) != 0 ||
        !digest_equals(&envelope.digest, &line->unit) ||
        work_unit_decode(envelope.payload, envelope.payload_length, &unit, NULL) != STATUS_OK)
        return refuse(err, RESULT_OTHER_MANIFEST, "the manifest shown is not the unit's");
    if (unit.index != line->index || strcmp(unit.name.text, line->name.text) != 0 ||
        batch_compare(&unit.batch, &ground->batch) != 0)
        return refuse(err, RESULT_OTHER_MANIFEST, "the manifest has another name or number");
    *ret_unit = unit;
    unit = (struct work_unit){0};
    return STATUS_OK;
}

static const struct result_output *find_output(const struct result_line *line, const char *name)
{
    for (size_t i = 0; i < line->output_count; i++)
        if (strcmp(line->outputs[i].output.name.text, name) == 0)
            return &line->outputs[i];
    return NULL;
}

/* Exactly those that the app version was signed with, each within its limit. */
static enum status check_outputs(const struct result_line *line, const struct result_ground *ground,
                                 const struct work_unit *unit, struct error *err)
{
    const struct app_version *app = ground->app;
    int64_t all_bytes = 0;

    if (!digest_equals(&unit->app_version, &ground->app_version) ||
        line->output_count != app->output_count)
        return refuse(err, RESULT_WRONG_OUTPUTS, "its outputs are not those of the app");
    for (size_t i = 0; i < app->output_count; i++) {
        const struct result_output *output = find_output(line, app->outputs[i].name.text);

        if (output == NULL)
            return refuse(err, RESULT_WRONG_OUTPUTS, "an output of the app is missing");
        if (output->output.size > app->outputs[i].max_bytes)
            return refuse(err, RESULT_WRONG_OUTPUTS, "an output is larger than was signed");
        all_bytes += output->output.size;
    }
    if (all_bytes > unit->limits.output_bytes)
        return refuse(err, RESULT_WRONG_OUTPUTS, "its outputs together are larger than was signed");
    return STATUS_OK;
}

static enum status check_bodies(const struct result_line *line, struct error *err)
{
    for (size_t i = 0; i < line->output_count; i++) {
        const struct result_output *output = &line->outputs[i];
        struct digest digest = digest_of(output->body.bytes, output->body.length);

        if (output->is_inline && !digest_equals(&digest, &output->output.digest))
            return refuse(err, RESULT_WRONG_BODY, "the bytes of an output are not of its digest");
    }
    return STATUS_OK;
}

/* No two hosts the same; no two volunteers either, unless the unit allows it. */
static enum status check_identities(const struct result_line *line, const struct work_unit *unit,
                                    struct error *err)
{
    bool apart = unit->independence != INDEPENDENCE_HOST;

    for (size_t i = 0; i < line->task_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct result_task *a = &line->tasks[i], *b = &line->tasks[j];

            if (a->task == b->task || public_key_equals(&a->host, &b->host))
                return refuse_task(err, RESULT_SAME_HOST, a->task, "its host counts twice");
            if (apart && a->volunteer == b->volunteer)
                return refuse_task(err, RESULT_SAME_VOLUNTEER, a->task,
                                   "its volunteer counts twice");
        }
    }
    return STATUS_OK;
}

/* The visit said the same as the result does. */
static bool says_same(const struct visit_task *finished, const struct result_line *line)
{
    if (finished->outputs.count != line->output_count)
        return false;
    for (size_t i = 0; i < line->output_count; i++) {
        const struct named_output *shown = &line->outputs[i].output;
        const struct named_output *said = named_outputs_find(&finished->outputs, shown->name.text);

        if (said == NULL || said->size != shown->size ||
            !digest_equals(&said->digest, &shown->digest))
            return false;
    }
    return true;
}

static enum status check_visit(const struct result_line *line, const struct result_ground *ground,
                               const struct result_task *task, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(visit_clear) struct visit visit = {0};
    const struct visit_task *finished;

    if (envelope_decode(task->statement, strlen(task->statement), VISIT_PAYLOAD_MAX, &envelope,
                        NULL) != STATUS_OK ||
        strcmp(envelope.type, VISIT_TYPE) != 0 || !envelope_is_signed_by(&envelope, &task->host))
        return refuse_task(err, RESULT_BAD_SIGNATURE, task->task,
                           "its host did not sign the visit");
    if (visit_decode(envelope.payload, envelope.payload_length, &visit, NULL) != STATUS_OK ||
        !digest_equals(&visit.project, &ground->project))
        return refuse_task(err, RESULT_OTHER_VISIT, task->task, "its visit is of another project");
    finished = visit_find_task(&visit, task->task);
    if (finished == NULL || finished->outcome != VISIT_DONE ||
        !digest_equals(&finished->unit, &line->unit))
        return refuse_task(err, RESULT_OTHER_VISIT, task->task,
                           "its visit does not say that it finished this unit");
    if (!says_same(finished, line))
        return refuse_task(err, RESULT_OTHER_OUTPUTS, task->task, "its visit names other outputs");
    return STATUS_OK;
}

static enum status check_acceptance(const struct result_line *line,
                                    const struct result_ground *ground,
                                    const struct work_unit *unit, struct error *err)
{
    TRY(check_outputs(line, ground, unit, err));
    if ((int64_t)line->task_count < unit->acceptance.quorum)
        return refuse(err, RESULT_TOO_FEW, "fewer tasks agree than the unit demands");
    TRY(check_identities(line, unit, err));
    for (size_t i = 0; i < line->task_count; i++)
        TRY(check_visit(line, ground, &line->tasks[i], err));
    return check_bodies(line, err);
}

enum status result_check(const struct result_line *line, const struct result_ground *ground,
                         const struct digest *listed, struct error *err)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {0};

    TRY(check_manifest(line, ground, listed, &unit, err));
    return line->state == RESULT_ACCEPTED ? check_acceptance(line, ground, &unit, err) : STATUS_OK;
}
