#include "work-units/app_version.h"

#include <string.h>

#include "common/json/build.h"
#include "common/json/profile.h"

static const char *const rule_names[] = {"exact"};

void app_version_clear(struct app_version *app)
{
    free(app->outputs);
    texts_clear(&app->layers);
    *app = (struct app_version){0};
}

static void read_outputs(struct members *members, struct app_version *app)
{
    struct members_list list = members_list(members, "outputs", 1, APP_OUTPUTS_MAX);

    app->outputs = must_alloc(list.count, sizeof *app->outputs);
    app->output_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        struct members part;

        list_object(&list, i, &part);
        app->outputs[i].name = members_name(&part, "name");
        app->outputs[i].max_bytes = members_integer(&part, "max_bytes", 0, LIMITS_BYTES_MAX);
        members_end_part(&part);
    }
    if (!file_names_are_unique(app->outputs, app->output_count, sizeof *app->outputs))
        members_fail(members, "outputs", "bad-file-name", "has a name twice");
    if (members_has(members, "stdout"))
        app->stdout_name = members_name(members, "stdout");
    if (app->stdout_name.text[0] != '\0' && app_version_output(app, app->stdout_name.text) == NULL)
        members_fail(members, "stdout", "bad-file-name", "is not one of the outputs");
}

static void read_agreement(struct members *members, struct app_version *app)
{
    struct members part;

    members_object(members, "agreement", &part);
    app->agreement =
        (enum agreement_rule)(members_choice(&part, "rule", rule_names, 1) + AGREEMENT_EXACT);
    members_end_part(&part);
}

enum status app_version_decode(const char *payload, size_t length, struct app_version *ret_app,
                               struct error *err)
{
    CLEANUP(app_version_clear) struct app_version app = {.version = 0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(payload, length, &profile_payload, &root, err));
    members_begin(&members, root, err);
    members_type(&members, APP_VERSION_TYPE);
    app.project = members_digest(&members, "project");
    app.name = members_word(&members, "name");
    app.version = members_integer(&members, "version", 1, PROFILE_INTEGER_MAX);
    read_outputs(&members, &app);
    limits_read(&members, "limits", &app.limits);
    read_agreement(&members, &app);
    app.layers = members_words(&members, "layers", APP_LAYERS_MAX);
    TRY(members_end(&members));

    *ret_app = app;
    app = (struct app_version){0};
    return STATUS_OK;
}

char *app_version_encode(const struct app_version *app)
{
    const char *stdout_name = app->stdout_name.text[0] != '\0' ? app->stdout_name.text : NULL;
    json_t *outputs = json_array();
    json_auto_t *root = NULL;

    for (size_t i = 0; i < app->output_count; i++)
        build_append(outputs, json_pack("{s:s, s:I}", "name", app->outputs[i].name.text,
                                        "max_bytes", (json_int_t)app->outputs[i].max_bytes));
    root = json_pack("{s:s, s:o, s:s, s:I, s:o, s:s*, s:o, s:{s:s}, s:o}", "type", APP_VERSION_TYPE,
                     "project", digest_to_json(&app->project), "name", app->name.text, "version",
                     (json_int_t)app->version, "outputs", outputs, "stdout", stdout_name, "limits",
                     limits_to_json(&app->limits), "agreement", "rule",
                     rule_names[app->agreement - AGREEMENT_EXACT], "layers",
                     texts_to_json(&app->layers));
    return profile_print(root);
}

const struct app_output *app_version_output(const struct app_version *app, const char *name)
{
    for (size_t i = 0; i < app->output_count; i++)
        if (strcmp(app->outputs[i].name.text, name) == 0)
            return &app->outputs[i];
    return NULL;
}
