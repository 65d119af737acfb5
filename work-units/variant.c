#include "work-units/variant.h"

#include <string.h>

#include "common/json/build.h"
#include "common/json/profile.h"

static const char *const runner_names[] = {"native", "wasm"};

void variant_clear(struct variant *variant)
{
    texts_clear(&variant->arguments);
    free(variant->files);
    *variant = (struct variant){0};
}

static void read_file(struct members *part, struct variant_file *ret_file)
{
    ret_file->name = members_name(part, "name");
    ret_file->digest = members_digest(part, "digest");
    ret_file->size = members_integer(part, "size", 0, VARIANT_FILE_MAX);
    ret_file->executable = members_boolean(part, "executable");
    members_end_part(part);
}

static void read_files(struct members *members, struct variant *variant)
{
    struct members_list list = members_list(members, "files", 1, VARIANT_FILES_MAX);

    variant->files = must_alloc(list.count, sizeof *variant->files);
    variant->file_count = list.count;
    for (size_t i = 0; i < list.count; i++) {
        struct members part;

        list_object(&list, i, &part);
        read_file(&part, &variant->files[i]);
    }
    if (!file_names_are_unique(variant->files, variant->file_count, sizeof *variant->files))
        members_fail(members, "files", "bad-file-name", "has a name twice");
}

static void check_platform(struct members *members, const struct variant *variant)
{
    bool is_wasm = text_starts_with(variant->platform.text, "wasm");

    if (!members_failed(members) && is_wasm != (variant->runner == RUNNER_WASM))
        members_fail(members, "platform", "malformed", "does not fit the runner");
}

static void check_entry(struct members *members, const struct variant *variant)
{
    const struct variant_file *entry;

    if (members_failed(members))
        return;
    entry = variant_file(variant, variant->entry.text);
    if (entry == NULL)
        members_fail(members, "entry", "bad-file-name", "is not one of the files");
    else if (variant->runner == RUNNER_NATIVE && !entry->executable)
        members_fail(members, "entry", "malformed", "is a native file that is not executable");
}

enum status variant_decode(const char *payload, size_t length, struct variant *ret_variant,
                           struct error *err)
{
    CLEANUP(variant_clear) struct variant variant = {.file_count = 0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(payload, length, &profile_payload, &root, err));
    members_begin(&members, root, err);
    members_type(&members, VARIANT_TYPE);
    variant.project = members_digest(&members, "project");
    variant.app_version = members_digest(&members, "app_version");
    variant.platform = members_word(&members, "platform");
    variant.runner =
        (enum runner)(members_choice(&members, "runner", runner_names, 2) + RUNNER_NATIVE);
    variant.class_name = members_word(&members, "class");
    variant.entry = members_name(&members, "entry");
    variant.arguments = members_texts(&members, "arguments", VARIANT_ARGUMENTS_MAX, ARGUMENT_MAX);
    read_files(&members, &variant);
    if (members_has(&members, "derived_from"))
        variant.derived_from = members_digest(&members, "derived_from");
    check_platform(&members, &variant);
    check_entry(&members, &variant);
    TRY(members_end(&members));

    *ret_variant = variant;
    variant = (struct variant){.file_count = 0};
    return STATUS_OK;
}

static json_t *files_to_json(const struct variant *variant)
{
    json_t *list = json_array();

    for (size_t i = 0; i < variant->file_count; i++) {
        const struct variant_file *file = &variant->files[i];

        build_append(list, json_pack("{s:s, s:o, s:I, s:b}", "name", file->name.text, "digest",
                                     digest_to_json(&file->digest), "size", (json_int_t)file->size,
                                     "executable", (int)file->executable));
    }
    return list;
}

char *variant_encode(const struct variant *variant)
{
    json_t *derived_from =
        digest_is_none(&variant->derived_from) ? NULL : digest_to_json(&variant->derived_from);
    json_auto_t *root = json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o*}", "type", VARIANT_TYPE, "project",
        digest_to_json(&variant->project), "app_version", digest_to_json(&variant->app_version),
        "platform", variant->platform.text, "runner", runner_names[variant->runner - RUNNER_NATIVE],
        "class", variant->class_name.text, "entry", variant->entry.text, "arguments",
        texts_to_json(&variant->arguments), "files", files_to_json(variant), "derived_from",
        derived_from);

    return profile_print(root);
}

const struct variant_file *variant_file(const struct variant *variant, const char *name)
{
    for (size_t i = 0; i < variant->file_count; i++)
        if (strcmp(variant->files[i].name.text, name) == 0)
            return &variant->files[i];
    return NULL;
}
