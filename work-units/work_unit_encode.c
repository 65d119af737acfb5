#include <string.h>

#include "common/crypto/base64.h"
#include "common/json/build.h"
#include "common/json/profile.h"
#include "work-units/work_unit.h"

static json_t *input_to_json(const struct work_input *input)
{
    CLEANUP(freep) char *text = NULL;

    if (!input->is_inline)
        return json_pack("{s:s, s:o, s:I}", "name", input->name.text, "digest",
                         digest_to_json(&input->digest), "size", (json_int_t)input->size);
    text = must_alloc(BASE64_CHARS((size_t)input->size) + 1, 1);
    base64_encode(input->bytes, (size_t)input->size, text);
    return json_pack("{s:s, s:s}", "name", input->name.text, "inline", text);
}

static json_t *inputs_to_json(const struct work_unit *unit)
{
    json_t *list = json_array();

    for (size_t i = 0; i < unit->input_count; i++)
        build_append(list, input_to_json(&unit->inputs[i]));
    return list;
}

static json_t *environment_to_json(const struct work_unit *unit)
{
    json_t *list = json_array();

    for (size_t i = 0; i < unit->variable_count; i++)
        build_append(list, json_pack("{s:s, s:s}", "name", unit->environment[i].name.text, "value",
                                     unit->environment[i].value));
    return list;
}

static json_t *acceptance_to_json(const struct work_acceptance *acceptance)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "rule", "quorum", "quorum",
                     (json_int_t)acceptance->quorum, "copies", (json_int_t)acceptance->copies,
                     "max_failures", (json_int_t)acceptance->max_failures, "max_tasks",
                     (json_int_t)acceptance->max_tasks);
}

/* NULL: nothing is forbidden. */
static json_t *only_to_json(const struct work_only *only)
{
    if (only->platforms.count + only->classes.count + only->organisations.count == 0)
        return NULL;
    return json_pack("{s:o, s:o, s:o}", "platforms", texts_to_json(&only->platforms), "classes",
                     texts_to_json(&only->classes), "organisations",
                     texts_to_json(&only->organisations));
}

char *work_unit_encode(const struct work_unit *unit)
{
    char seed[2 * SEED_BYTES + 1];
    json_auto_t *root = NULL;

    text_from_bytes(unit->seed, SEED_BYTES, seed);
    root = json_pack(
        "{s:s, s:o, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:s, s:o*, s:s, s:I,"
        " s:I, s:I, s:I}",
        "type", WORK_UNIT_TYPE, "project", digest_to_json(&unit->project), "batch",
        batch_format(&unit->batch).text, "index", (json_int_t)unit->index, "name", unit->name.text,
        "seed", seed, "app_version", digest_to_json(&unit->app_version), "inputs",
        inputs_to_json(unit), "arguments", texts_to_json(&unit->arguments), "environment",
        environment_to_json(unit), "limits", limits_to_json(&unit->limits), "declared_ops",
        (json_int_t)unit->declared_ops, "acceptance", acceptance_to_json(&unit->acceptance),
        "independence", independence_name(unit->independence), "only", only_to_json(&unit->only),
        "data_class", data_class_name(unit->data_class), "deadline_s", (json_int_t)unit->deadline_s,
        "not_before", (json_int_t)unit->not_before_s, "not_after", (json_int_t)unit->not_after_s,
        "keyring", (json_int_t)unit->keyring_version);
    return profile_print(root);
}
