#include "operator/submission.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "operator/publish.h"
#include "operator/renames.h"
#include "operator/template.h"

#define DEADLINE_DEFAULT_S (3 * DAY_S)
#define VALID_DEFAULT_S    (30 * DAY_S)
#define QUORUM_DEFAULT     2
#define FAILURES_DEFAULT   5
#define TASKS_DEFAULT      10

void submission_clear(struct submission *submission)
{
    work_unit_clear(&submission->common);
    *submission = (struct submission){0};
}

/* --- the command line --- */

static int64_t at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum status parse_acceptance(const struct options *options, struct work_acceptance *rule,
                                    struct error *err)
{
    const int64_t most = WORK_UNIT_TASKS_MAX;

    TRY(options_integer(options, "quorum", 1, most, QUORUM_DEFAULT, &rule->quorum, err));
    TRY(options_integer(options, "copies", 1, most, rule->quorum, &rule->copies, err));
    TRY(options_integer(options, "max-failures", 0, most, FAILURES_DEFAULT, &rule->max_failures,
                        err));
    TRY(options_integer(options, "max-tasks", 1, most, at_least(TASKS_DEFAULT, rule->copies),
                        &rule->max_tasks, err));
    if (rule->copies < rule->quorum)
        return error_set(err, STATUS_INVALID, "--copies is at least --quorum");
    if (rule->max_tasks < rule->copies)
        return error_set(err, STATUS_INVALID, "--max-tasks is at least --copies");
    return STATUS_OK;
}

static enum status parse_independence(const struct options *options, struct work_unit *unit,
                                      struct error *err)
{
    static const char *const words[] = {"host", "volunteer", "organisation"};
    size_t index;

    TRY(options_choice(options, "independence", words, 3, INDEPENDENCE_VOLUNTEER - 1, &index, err));
    unit->independence = (enum independence)(index + 1);
    return STATUS_OK;
}

/* Words parted by commas; an empty one is no word. */
static bool add_words(struct texts *list, const char *words)
{
    for (;;) {
        size_t length = strcspn(words, ",");
        CLEANUP(freep) char *word = text_copy_n(words, length);

        if (length == 0)
            return false;
        texts_add(list, word);
        if (words[length] == '\0')
            return true;
        words += length + 1;
    }
}

/* platform=P,…  class=C,… */
static enum status parse_only(const struct options *options, struct work_only *only,
                              struct error *err)
{
    const char *text;

    for (size_t i = 0; (text = options_nth(options, "only", i)) != NULL; i++) {
        bool is_understood = false;

        if (!text_is_plain(text, strlen(text), false)) {
            CLEANUP(freep) char *shown = text_sanitised(text);

            return error_set(err, STATUS_INVALID,
                             "--only %.100s: this is no UTF-8 text without control characters",
                             shown);
        }
        if (text_starts_with(text, "platform="))
            is_understood = add_words(&only->platforms, strchr(text, '=') + 1);
        else if (text_starts_with(text, "class="))
            is_understood = add_words(&only->classes, strchr(text, '=') + 1);
        else if (text_starts_with(text, "organisation="))
            return error_set(err, STATUS_INVALID,
                             "--only %.60s: hosts are of no organisation yet, so none could run it",
                             text);
        if (!is_understood)
            return error_set(err, STATUS_INVALID, "--only %.60s: write platform=… or class=…",
                             text);
    }
    return STATUS_OK;
}

static enum status parse_limits(struct submission *submission, struct error *err)
{
    const struct options *options = submission->options;
    struct limits *limits = &submission->common.limits;

    submission->lowers[0] = options_has(options, "memory");
    submission->lowers[1] = options_has(options, "disk");
    submission->lowers[2] = options_has(options, "cpu-time");
    TRY(options_bytes(options, "memory", 1, LIMITS_BYTES_MAX, 0, &limits->memory_bytes, err));
    TRY(options_bytes(options, "disk", 0, LIMITS_BYTES_MAX, 0, &limits->disk_bytes, err));
    return options_seconds(options, "cpu-time", 1, LIMITS_SECONDS_MAX, 0, &limits->cpu_s, err);
}

static enum status parse_times(struct submission *submission, struct error *err)
{
    const struct options *options = submission->options;

    TRY(options_seconds(options, "deadline", 1, LIMITS_SECONDS_MAX, DEADLINE_DEFAULT_S,
                        &submission->common.deadline_s, err));
    TRY(options_seconds(options, "needed-by", 1, LIMITS_SECONDS_MAX, 0, &submission->needed_by_s,
                        err));
    TRY(options_seconds(options, "valid", 1, WORK_UNIT_LIFE_MAX_S - SIGNED_BEFORE_S,
                        VALID_DEFAULT_S, &submission->valid_s, err));
    return STATUS_OK;
}

static enum status parse_batch(struct submission *submission, struct error *err)
{
    const struct options *options = submission->options;

    submission->name = options_text(options, "name");
    submission->is_appending = options_has(options, "append");
    submission->is_closing = !submission->is_appending || options_has(options, "close");
    submission->is_dry_run = options_has(options, "dry-run");
    if (submission->is_appending && submission->name == NULL)
        return error_set(err, STATUS_INVALID, "--append needs the batch's --name");
    if (submission->name != NULL && !batch_is_name(submission->name))
        return error_set(err, STATUS_INVALID,
                         "--name has letters, digits, '.', '_', '-', up to %d, and is not 32 hex "
                         "digits: that is how a batch's id looks",
                         BATCH_NAME_MAX);
    return options_integer(options, "priority", -BATCH_PRIORITY_MAX, BATCH_PRIORITY_MAX, 0,
                           &submission->priority, err);
}

/* What a unit is worth: said as operations, or as the time that they take the reference host. */
static enum status parse_worth(const struct options *options, struct work_unit *common,
                               struct error *err)
{
    static const int64_t most_s = ID_MAX / WORK_UNIT_OPS_PER_SECOND;
    int64_t unit_s = 0;

    if (options_has(options, "ops") && options_has(options, "unit-time"))
        return error_set(err, STATUS_INVALID, "--ops and --unit-time say the same: choose one");
    TRY(options_integer(options, "ops", 0, ID_MAX, 0, &common->declared_ops, err));
    TRY(options_seconds(options, "unit-time", 1, most_s, 0, &unit_s, err));
    if (options_has(options, "unit-time"))
        common->declared_ops = unit_s * WORK_UNIT_OPS_PER_SECOND;
    return STATUS_OK;
}

static enum status check_arguments(const struct options *options, struct error *err)
{
    for (size_t i = 0; i < options->rest_count; i++)
        TRY(template_check(options->rest[i], err));
    return STATUS_OK;
}

enum status submission_parse(struct submission *ret_submission, const struct options *options,
                             struct error *err)
{
    CLEANUP(submission_clear) struct submission submission = {.options = options};
    struct work_unit *common = &submission.common;

    TRY(parse_batch(&submission, err));
    TRY(parse_acceptance(options, &common->acceptance, err));
    TRY(parse_independence(options, common, err));
    TRY(parse_only(options, &common->only, err));
    TRY(parse_limits(&submission, err));
    TRY(parse_times(&submission, err));
    TRY(check_arguments(options, err));
    TRY(parse_worth(options, common, err));
    TRY(options_integer(options, "files-per-unit", 1, WORK_UNIT_INPUTS_MAX, 0,
                        &submission.files_per_unit, err));
    common->data_class = options_has(options, "restricted") ? DATA_RESTRICTED : DATA_PUBLIC;
    *ret_submission = submission;
    submission = (struct submission){0};
    return STATUS_OK;
}

/* --- where units come from --- */

static enum status check_one_source(const struct options *options, struct error *err)
{
    int kinds = options_has(options, "range") + options_has(options, "units") +
                (options->operand_count > 1);

    if (kinds > 1)
        return error_set(err, STATUS_INVALID,
                         "units come from input files, from --range or from --units: choose one");
    TRY(options_belong(options, options_has(options, "range"), "step", "--range", err));
    return options_belong(options, options->operand_count > 1, "files-per-unit",
                          "input files: name some", err);
}

static void say_skipped(struct session *session, const struct options *options,
                        const struct input_groups *groups)
{
    CLEANUP(buffer_clear) struct buffer names = {.max = INPUTS_SKIPPED_SHOWN * DISK_PATH_MAX};

    for (size_t i = 0; i < groups->skipped_first.count; i++)
        (void)buffer_printf(&names, NULL, "%s%s", i > 0 ? ", " : "",
                            groups->skipped_first.texts[i]);
    if (groups->skipped > 0)
        session_say(session, options, "skipped %zu %s: %s%s", groups->skipped,
                    groups->skipped == 1 ? "entry that is no plain file"
                                         : "entries that are no plain files",
                    buffer_text(&names),
                    groups->skipped > groups->skipped_first.count ? ", …" : "");
}

/* For people's eyes only: that it cannot be read is no failure of what was submitted. */
void submission_say_renamed(struct session *session, const struct options *options,
                            const struct batch_record *record)
{
    struct renames_extent extent;
    struct disk_path path;

    if (batch_record_renames(record, &path, &extent, NULL) != STATUS_OK || extent.lines == 0)
        return;
    session_say(session, options,
                "%" PRId64 " %s had to be changed: %s tells which is which; 'dugnad fetch' puts it "
                "beside the results.",
                extent.lines, extent.lines == 1 ? "name" : "names", path.text);
}

enum status submission_source(const struct submission *submission, struct session *session,
                              struct unit_source *ret_source, struct error *err)
{
    const struct options *options = submission->options;
    const char *lines = options_text(options, "units");
    CLEANUP(input_groups_clear) struct input_groups groups = {0};
    int64_t step;

    TRY(check_one_source(options, err));
    TRY(options_integer(options, "step", 1, UNIT_RANGE_MAX, 1, &step, err));
    if (options_has(options, "range"))
        return unit_source_range(ret_source, options_text(options, "range"), step, err);
    if (lines != NULL && strcmp(lines, "-") != 0)
        return unit_source_file(ret_source, session->env->disk, lines, err);
    if (lines != NULL)
        unit_source_stream(ret_source, session->in);
    if (lines == NULL && options->operand_count == 1)
        unit_source_one(ret_source);
    if (lines != NULL || options->operand_count == 1)
        return STATUS_OK;
    TRY(input_groups_gather(session->env->disk, options->operands + 1, options->operand_count - 1,
                            submission->files_per_unit, &groups, err));
    say_skipped(session, options, &groups);
    unit_source_groups(ret_source, &groups);
    return STATUS_OK;
}

static void add_to_fingerprint(struct hasher *hasher, const char *text)
{
    const char *said = text != NULL ? text : "";

    hasher_add(hasher, said, strlen(said) + 1); /* with its end: no two lists look the same */
}

struct digest submission_fingerprint(const struct submission *submission)
{
    static const char *const personal[] = {"json",  "profile", "passphrase-file", "dry-run",
                                           "close", "name",    "append"};
    const struct options *options = submission->options;
    CLEANUP(hasher_clear) struct hasher hasher = {0};

    hasher_init(&hasher);
    for (size_t i = 0; i < options->value_count; i++) {
        const struct option_value *value = &options->values[i];
        bool counts = true;

        for (size_t j = 0; j < sizeof personal / sizeof *personal; j++)
            counts = counts && strcmp(value->rule->name, personal[j]) != 0;
        if (!counts)
            continue;
        add_to_fingerprint(&hasher, value->rule->name);
        add_to_fingerprint(&hasher, value->text);
    }
    for (size_t i = 0; i < options->operand_count; i++)
        add_to_fingerprint(&hasher, options->operands[i]);
    add_to_fingerprint(&hasher, "--");
    for (size_t i = 0; i < options->rest_count; i++)
        add_to_fingerprint(&hasher, options->rest[i]);
    return hasher_end(&hasher);
}

/* --- manifests --- */

void submission_settle(struct submission *submission, const struct app_version *app,
                       const struct batch_record *record)
{
    struct work_unit *common = &submission->common;
    struct limits limits = app->limits;

    if (submission->lowers[0])
        limits.memory_bytes = common->limits.memory_bytes;
    if (submission->lowers[1])
        limits.disk_bytes = common->limits.disk_bytes;
    if (submission->lowers[2])
        limits.cpu_s = common->limits.cpu_s;
    common->limits = limits;
    common->project = app->project;
    common->batch = record->batch;
    common->app_version = record->app_version;
    common->not_before_s = record->created_s - SIGNED_BEFORE_S;
    common->not_after_s = record->not_after_s;
    common->keyring_version = record->keyring_version;
}

/* What the copy shares with submission->common is not its own to release. */
void prepared_unit_clear(struct prepared_unit *prepared)
{
    prepared->unit.only = (struct work_only){0};
    work_unit_clear(&prepared->unit);
    for (size_t i = 0; i < prepared->file_count; i++)
        local_file_clear(&prepared->files[i]);
    free(prepared->files);
    free(prepared->payload);
    free(prepared->renamed);
    *prepared = (struct prepared_unit){0};
}

static void make_seed(struct work_unit *unit)
{
    CLEANUP(hasher_clear) struct hasher hasher = {0};
    CLEANUP(freep)
    char *text =
        text_format("dugnad-seed-v1 %s %" PRId64, batch_format(&unit->batch).text, unit->index);
    struct digest digest;

    hasher_init(&hasher);
    hasher_add(&hasher, text, strlen(text));
    digest = hasher_end(&hasher);
    memcpy(unit->seed, digest.bytes, sizeof unit->seed);
}

static enum status look_at_files(struct disk *disk, const struct texts *paths,
                                 struct prepared_unit *prepared, int64_t *ret_bytes,
                                 struct error *err)
{
    *ret_bytes = 0;
    prepared->files = must_alloc(paths->count, sizeof *prepared->files);
    for (size_t i = 0; i < paths->count; i++) {
        TRY(local_file_look(disk, paths->texts[i], &prepared->files[i], err));
        prepared->file_count = i + 1;
        *ret_bytes += prepared->files[i].size;
    }
    return STATUS_OK;
}

static enum status read_inline(struct disk *disk, const struct local_file *file,
                               struct work_input *input, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};

    buffer_init(&content, SUBMISSION_INLINE_MAX);
    TRY(disk->read(disk, file->path, &content, err));
    input->is_inline = true;
    input->size = (int64_t)content.length;
    input->digest = digest_of(buffer_text(&content), content.length);
    input->bytes = buffer_take(&content);
    return STATUS_OK;
}

static enum status add_inputs(struct disk *disk, const struct texts *paths,
                              const struct texts *names, struct prepared_unit *prepared,
                              struct error *err)
{
    struct work_unit *unit = &prepared->unit;
    int64_t bytes;

    TRY(look_at_files(disk, paths, prepared, &bytes, err));
    unit->inputs = must_alloc(paths->count, sizeof *unit->inputs);
    for (size_t i = 0; i < paths->count; i++) {
        struct work_input *input = &unit->inputs[i];

        (void)text_fit(input->name.text, sizeof input->name.text, names->texts[i]);
        unit->input_count = i + 1;
        input->digest = prepared->files[i].digest;
        input->size = prepared->files[i].size;
        if (bytes <= SUBMISSION_INLINE_MAX)
            TRY(read_inline(disk, &prepared->files[i], input, err));
    }
    if (bytes > SUBMISSION_INLINE_MAX)
        return STATUS_OK;
    for (size_t i = 0; i < prepared->file_count; i++)
        local_file_clear(&prepared->files[i]);
    prepared->file_count = 0;
    return STATUS_OK;
}

static enum status add_arguments(const struct submission *submission,
                                 const struct unit_draft *draft, const struct texts *names,
                                 struct work_unit *unit, struct error *err)
{
    const struct options *options = submission->options;
    const struct template_values values = {
        .name = unit->name.text,
        .index = unit->index,
        .has_range = draft->has_range,
        .from = draft->from,
        .to = draft->to,
        .inputs = names,
    };
    size_t count = draft->has_arguments ? draft->arguments.count : options->rest_count;

    for (size_t i = 0; i < count; i++)
        TRY(template_expand(draft->has_arguments ? draft->arguments.texts[i] : options->rest[i],
                            &values, &unit->arguments, err));
    return STATUS_OK;
}

/* `fetch` makes a folder of the name, beside files of its own. */
static enum status name_unit(const struct unit_draft *draft, struct work_unit *unit,
                             struct error *err)
{
    unit->name = draft->name;
    if (unit->name.text[0] == '\0')
        (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%" PRId64, unit->index);
    if (strcasecmp(unit->name.text, "results.ndjson") == 0 ||
        strcasecmp(unit->name.text, RENAMES_FILE) == 0)
        return error_set(err, STATUS_INVALID,
                         "a unit cannot be named %s: 'dugnad fetch' puts a list of that name "
                         "beside the results",
                         unit->name.text);
    return STATUS_OK;
}

/* What is signed is what others accept: decode it, so that no mistake is signed. */
static enum status encode(struct prepared_unit *prepared, struct error *err)
{
    CLEANUP(work_unit_clear) struct work_unit again = {0};
    struct error why = {0};
    size_t length;

    prepared->payload = work_unit_encode(&prepared->unit);
    length = strlen(prepared->payload);
    prepared->digest = envelope_identity(WORK_UNIT_TYPE, prepared->payload, length);
    if (work_unit_decode(prepared->payload, length, &again, &why) == STATUS_OK)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "unit %.60s: %s", prepared->unit.name.text, why.text);
}

enum status submission_prepare(const struct submission *submission, struct disk *disk,
                               const struct unit_draft *draft, int64_t index,
                               struct prepared_unit *ret_prepared, struct error *err)
{
    CLEANUP(prepared_unit_clear) struct prepared_unit prepared = {.unit = submission->common};
    CLEANUP(texts_clear) struct texts names = {0};

    prepared.unit.index = index;
    TRY(name_unit(draft, &prepared.unit, err));
    make_seed(&prepared.unit);
    input_names(&draft->paths, &names);
    TRY(add_inputs(disk, &draft->paths, &names, &prepared, err));
    TRY(add_arguments(submission, draft, &names, &prepared.unit, err));
    TRY(encode(&prepared, err));
    prepared.renamed = renames_of(draft, &prepared.unit);
    *ret_prepared = prepared;
    prepared = (struct prepared_unit){0};
    return STATUS_OK;
}
