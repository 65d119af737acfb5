#include "work-units/work_unit.h"

#include <string.h>

#include "common/json/profile.h"

static const char *const rule_names[] = {"quorum"};
static const char *const independence_names[] = {"host", "volunteer", "organisation"};
static const char *const data_class_names[] = {"public", "restricted"};

void work_unit_clear(struct work_unit *unit)
{
    for (size_t i = 0; i < unit->input_count; i++)
        free(unit->inputs[i].bytes);
    free(unit->inputs);
    for (size_t i = 0; i < unit->variable_count; i++)
        free(unit->environment[i].value);
    free(unit->environment);
    texts_clear(&unit->arguments);
    texts_clear(&unit->only.platforms);
    texts_clear(&unit->only.classes);
    texts_clear(&unit->only.organisations);
    *unit = (struct work_unit){0};
}

static void read_input(struct members *part, struct work_input *ret_input)
{
    ret_input->name = members_name(part, "name");
    ret_input->is_inline = members_has(part, "inline");
    if (ret_input->is_inline) {
        size_t count;

        ret_input->bytes = members_base64_copy(part, "inline", WORK_UNIT_INLINE_MAX, &count);
        ret_input->size = (int64_t)count;
        ret_input->digest = digest_of(ret_input->bytes, count);
    } else {
        ret_input->digest = members_digest(part, "digest");
        ret_input->size = members_integer(part, "size", 0, WORK_UNIT_INPUT_MAX);
    }
    members_end_part(part);
}

static void read_inputs(struct members *members, struct work_unit *unit)
{
    struct members_list list = members_list(members, "inputs", 0, WORK_UNIT_INPUTS_MAX);

    unit->inputs = must_alloc(list.count, sizeof *unit->inputs);
    unit->input_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        struct members part;

        list_object(&list, i, &part);
        read_input(&part, &unit->inputs[i]);
    }
    if (!file_names_are_unique(unit->inputs, unit->input_count, sizeof *unit->inputs))
        members_fail(members, "inputs", "bad-file-name", "has a name twice");
}

/* LD_... would steer the loader of whatever is run, DUGNAD_... is what the client itself sets. */
static bool is_variable_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

    return name[0] != '\0' && strspn(name, allowed) == strlen(name) &&
           (name[0] < '0' || name[0] > '9') && !text_starts_with(name, "LD_") &&
           !text_starts_with(name, "DUGNAD_");
}

static bool has_variable(const struct work_unit *unit, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(unit->environment[i].name.text, name) == 0)
            return true;
    return false;
}

static void read_environment(struct members *members, struct work_unit *unit)
{
    struct members_list list = members_list(members, "environment", 0, WORK_UNIT_VARIABLES_MAX);

    unit->environment = must_alloc(list.count, sizeof *unit->environment);
    unit->variable_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        struct work_variable *variable = &unit->environment[i];
        struct members part;

        list_object(&list, i, &part);
        members_copy_text(&part, "name", variable->name.text, sizeof variable->name.text);
        variable->value = text_copy(members_text(&part, "value", 0, ARGUMENT_MAX));
        if (!members_failed(members) &&
            (!is_variable_name(variable->name.text) || has_variable(unit, i, variable->name.text)))
            members_fail(&part, "name", "malformed",
                         "is not a variable's name: A-Z, 0-9, '_', not LD_ or DUGNAD_, once");
        members_end_part(&part);
    }
}

static void read_acceptance(struct members *members, struct work_acceptance *ret_acceptance)
{
    struct members part;

    members_object(members, "acceptance", &part);
    (void)members_choice(&part, "rule", rule_names, 1);
    ret_acceptance->quorum = members_integer(&part, "quorum", 1, WORK_UNIT_TASKS_MAX);
    ret_acceptance->copies = members_integer(&part, "copies", 1, WORK_UNIT_TASKS_MAX);
    ret_acceptance->max_failures = members_integer(&part, "max_failures", 0, WORK_UNIT_TASKS_MAX);
    ret_acceptance->max_tasks = members_integer(&part, "max_tasks", 1, WORK_UNIT_TASKS_MAX);
    if (!members_failed(members) && (ret_acceptance->quorum > ret_acceptance->copies ||
                                     ret_acceptance->copies > ret_acceptance->max_tasks))
        members_fail(&part, "copies", "bad-number", "is not between quorum and max_tasks");
    members_end_part(&part);
}

static void read_only(struct members *members, struct work_only *only)
{
    struct members part;

    if (!members_has(members, "only"))
        return;
    members_object(members, "only", &part);
    only->platforms = members_words(&part, "platforms", WORK_UNIT_ONLY_MAX);
    only->classes = members_words(&part, "classes", WORK_UNIT_ONLY_MAX);
    only->organisations =
        members_texts(&part, "organisations", WORK_UNIT_ONLY_MAX, WORK_UNIT_ORG_MAX);
    members_end_part(&part);
}

static void read_validity(struct members *members, struct work_unit *unit)
{
    unit->deadline_s = members_integer(members, "deadline_s", 1, LIMITS_SECONDS_MAX);
    unit->not_before_s = members_time(members, "not_before");
    unit->not_after_s = members_time(members, "not_after");
    unit->keyring_version = members_integer(members, "keyring", 1, PROFILE_INTEGER_MAX);
    if (!members_failed(members) && (unit->not_after_s <= unit->not_before_s ||
                                     unit->not_after_s - unit->not_before_s > WORK_UNIT_LIFE_MAX_S))
        members_fail(members, "not_after", "bad-number", "is not up to 400 days after not_before");
}

static void read_identity(struct members *members, struct work_unit *unit)
{
    members_type(members, WORK_UNIT_TYPE);
    unit->project = members_digest(members, "project");
    members_hex(members, "batch", unit->batch.bytes, BATCH_BYTES);
    unit->index = members_integer(members, "index", 0, PROFILE_INTEGER_MAX);
    unit->name = members_name(members, "name");
    members_hex(members, "seed", unit->seed, SEED_BYTES);
    unit->app_version = members_digest(members, "app_version");
}

static void read_rules(struct members *members, struct work_unit *unit)
{
    limits_read(members, "limits", &unit->limits);
    unit->declared_ops = members_integer(members, "declared_ops", 0, PROFILE_INTEGER_MAX);
    read_acceptance(members, &unit->acceptance);
    unit->independence = (enum independence)(
        members_choice(members, "independence", independence_names, 3) + INDEPENDENCE_HOST);
    read_only(members, &unit->only);
    unit->data_class =
        (enum data_class)(members_choice(members, "data_class", data_class_names, 2) + DATA_PUBLIC);
    read_validity(members, unit);
}

enum status work_unit_decode(const char *payload, size_t length, struct work_unit *ret_unit,
                             struct error *err)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {.index = 0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(payload, length, &profile_payload, &root, err));
    members_begin(&members, root, err);
    read_identity(&members, &unit);
    read_inputs(&members, &unit);
    unit.arguments = members_texts(&members, "arguments", WORK_UNIT_ARGUMENTS_MAX, ARGUMENT_MAX);
    read_environment(&members, &unit);
    read_rules(&members, &unit);
    TRY(members_end(&members));

    *ret_unit = unit;
    unit = (struct work_unit){.index = 0};
    return STATUS_OK;
}

const struct work_input *work_unit_input(const struct work_unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->input_count; i++)
        if (strcmp(unit->inputs[i].name.text, name) == 0)
            return &unit->inputs[i];
    return NULL;
}

const char *independence_name(enum independence independence)
{
    return independence_names[independence - INDEPENDENCE_HOST];
}

const char *data_class_name(enum data_class data_class)
{
    return data_class_names[data_class - DATA_PUBLIC];
}
