#include "operator/variant_draft.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/platform.h"
#include "operator/session.h"

void variant_drafts_clear(struct variant_drafts *drafts)
{
    for (size_t i = 0; i < drafts->count; i++) {
        for (size_t j = 0; j < drafts->drafts[i].count; j++)
            local_file_clear(&drafts->drafts[i].files[j]);
        free(drafts->drafts[i].files);
    }
    *drafts = (struct variant_drafts){0};
}

/* --- reading --- */

static enum status detect(struct disk *disk, const char *path, struct word *ret_platform,
                          struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    unsigned char head[PLATFORM_HEAD];
    struct error why = {0};
    const char *platform;
    size_t count;

    if (disk->open_read(disk, path, &file, &why) != STATUS_OK ||
        disk->read_at(file, 0, head, sizeof head, &count, &why) != STATUS_OK)
        return error_set(err, why.status, "the program %.150s %s %.150s", path,
                         why.status == STATUS_INVALID ? "is" : "cannot be read:", why.text);
    platform = platform_of(head, count);
    if (platform == NULL)
        return error_set(
            err, STATUS_INVALID,
            "%.100s is neither a Linux program, a script nor WebAssembly; if it is, say "
            "--platform P=FILE",
            path);
    (void)text_fit(ret_platform->text, sizeof ret_platform->text, platform);
    return STATUS_OK;
}

static enum status begin_draft(struct variant_drafts *drafts, const struct word *platform,
                               struct error *err)
{
    for (size_t i = 0; i < drafts->count; i++)
        if (strcmp(drafts->drafts[i].platform.text, platform->text) == 0)
            return error_set(err, STATUS_INVALID, "there are two programs for %s", platform->text);
    if (drafts->count == VARIANT_DRAFTS_MAX)
        return error_set(err, STATUS_INVALID, "an app has at most %d variants", VARIANT_DRAFTS_MAX);
    drafts->drafts[drafts->count++] = (struct variant_draft){
        .platform = *platform, .files = must_alloc(VARIANT_FILES_MAX, sizeof(struct local_file))};
    return STATUS_OK;
}

static enum status add_file(struct variant_draft *draft, struct disk *disk, const char *path,
                            struct error *err)
{
    if (draft->count == VARIANT_FILES_MAX)
        return error_set(err, STATUS_INVALID, "a variant has at most %d files", VARIANT_FILES_MAX);
    TRY(local_file_look(disk, path, &draft->files[draft->count], err));
    draft->count++;
    return STATUS_OK;
}

static struct variant_draft *last_draft(struct variant_drafts *drafts)
{
    return &drafts->drafts[drafts->count - 1];
}

/* PROGRAM… : the program, and files that go along with it. */
static enum status add_programs(struct variant_drafts *drafts, const struct options *options,
                                struct disk *disk, struct error *err)
{
    struct word platform;

    if (options->operand_count < 2)
        return STATUS_OK;
    TRY(detect(disk, options->operands[1], &platform, err));
    TRY(begin_draft(drafts, &platform, err));
    for (size_t i = 1; i < options->operand_count; i++)
        TRY(add_file(last_draft(drafts), disk, options->operands[i], err));
    return STATUS_OK;
}

/* --platform P=FILE */
static enum status add_platforms(struct variant_drafts *drafts, const struct options *options,
                                 struct disk *disk, struct error *err)
{
    const char *text;

    for (size_t i = 0; (text = options_nth(options, "platform", i)) != NULL; i++) {
        const char *equals = strchr(text, '=');
        struct word platform = {0};

        if (equals != NULL && equals - text <= WORD_MAX)
            memcpy(platform.text, text, (size_t)(equals - text));
        if (!text_is_word(platform.text))
            return error_set(err, STATUS_INVALID,
                             "--platform %.60s: write PLATFORM=FILE, such as "
                             "aarch64-linux-gnu=primes.arm",
                             text);
        TRY(begin_draft(drafts, &platform, err));
        TRY(add_file(last_draft(drafts), disk, equals + 1, err));
    }
    if (drafts->count == 0)
        return error_set(err, STATUS_INVALID, "no program is given");
    return STATUS_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* --- what they become --- */

static enum status fill_files(const struct variant_draft *draft, bool is_wasm,
                              struct variant *variant, struct error *err)
{
    variant->files = must_alloc(draft->count, sizeof *variant->files);
    for (size_t i = 0; i < draft->count; i++) {
        struct variant_file *file = &variant->files[variant->file_count++];
        const char *name = base_name(draft->files[i].path);

        *file = (struct variant_file){.digest = draft->files[i].digest,
                                      .size = draft->files[i].size,
                                      .executable = i == 0 && !is_wasm};
        if (!text_fit(file->name.text, sizeof file->name.text, name) ||
            !text_is_file_name(file->name.text))
            return error_set(err, STATUS_INVALID,
                             "%.100s: a file of an app has a name of letters, digits, '.', '_' and "
                             "'-', up to %d",
                             name, TEXT_FILE_NAME_MAX);
    }
    variant->entry = variant->files[0].name;
    return STATUS_OK;
}

enum status variant_draft_fill(const struct variant_drafts *drafts,
                               const struct variant_draft *draft, const struct app_version *app,
                               const struct digest *app_version, struct variant *ret_variant,
                               struct error *err)
{
    CLEANUP(variant_clear) struct variant variant = {0};
    bool is_wasm = strcmp(draft->platform.text, PLATFORM_WASM) == 0;
    const char *class_name = is_wasm ? "wasm" : draft->platform.text;

    if (drafts->class_name != NULL)
        class_name = drafts->class_name;
    variant.project = app->project;
    variant.app_version = *app_version;
    variant.platform = draft->platform;
    variant.runner = is_wasm ? RUNNER_WASM : RUNNER_NATIVE;
    if (!text_is_word(class_name) ||
        !text_fit(variant.class_name.text, sizeof variant.class_name.text, class_name))
        return error_set(err, STATUS_INVALID, "--class is a word of small letters and digits");
    TRY(fill_files(draft, is_wasm, &variant, err));
    *ret_variant = variant;
    variant = (struct variant){0};
    return STATUS_OK;
}

/* --- what would be refused later --- */

/* A task begins with the files in its folder, and may not have more there than its limit. */
static enum status check_room(const struct variant_draft *draft, const struct app_version *app,
                              struct error *err)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < draft->count; i++)
        bytes += draft->files[i].size;
    if (bytes <= app->limits.disk_bytes)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "the files for %s are %s, but a task's folder may hold %s: say --disk %" PRId64
                     "M or more",
                     draft->platform.text, shown_bytes(bytes).text,
                     shown_bytes(app->limits.disk_bytes).text, 2 * (bytes >> 20) + 1);
}

static enum status check_variant(const struct variant_drafts *drafts,
                                 const struct variant_draft *draft, const struct app_version *app,
                                 struct error *err)
{
    CLEANUP(variant_clear) struct variant variant = {0}, again = {0};
    CLEANUP(freep) char *payload = NULL;
    static const struct digest any = {{1}};

    TRY(variant_draft_fill(drafts, draft, app, &any, &variant, err));
    variant.project = any; /* neither is known yet, and neither matters here */
    payload = variant_encode(&variant);
    TRY(variant_decode(payload, strlen(payload), &again, err));
    return check_room(draft, app, err);
}

static enum status read_all(struct variant_drafts *drafts, const struct options *options,
                            struct disk *disk, struct error *err)
{
    drafts->class_name = options_text(options, "class");
    TRY(add_programs(drafts, options, disk, err));
    return add_platforms(drafts, options, disk, err);
}

enum status variant_drafts_read(const struct options *options, struct disk *disk,
                                const struct app_version *app, struct variant_drafts *ret_drafts,
                                struct error *err)
{
    TRY(read_all(ret_drafts, options, disk, err));
    for (size_t i = 0; i < ret_drafts->count; i++)
        TRY(check_variant(ret_drafts, &ret_drafts->drafts[i], app, err));
    return STATUS_OK;
}
