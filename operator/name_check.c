#include "operator/name_check.h"

#include <inttypes.h>

#include "common/base/text.h"

void name_check_clear(struct name_check *check)
{
    name_table_clear(&check->names);
    name_list_clear(&check->ours);
    *check = (struct name_check){0};
}

static enum status say_twice(const struct unit_source *source, const char *name, int64_t other,
                             struct error *err)
{
    CLEANUP(freep)
    char *where = source->line > 0 ? text_format("line %" PRId64 " of the units: ", source->line)
                                   : text_copy("");

    return error_set(err, STATUS_INVALID,
                     "%sunit %" PRId64 " of this batch has the name \"%s\" already, and their "
                     "results would share a folder",
                     where, other, name);
}

/* --- a source that can be read twice --- */

static enum status list_names(struct name_list *list, struct unit_source *source, struct error *err)
{
    bool is_there = true;

    while (is_there) {
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
        struct unit_name_key key = {{0}};

        TRY(unit_source_next(source, &draft, &is_there, err));
        if (!is_there)
            break;
        if (draft.name.text[0] != '\0')
            key = unit_name_key(draft.name.text);
        TRY(name_list_add(list, &key, err));
    }
    unit_source_rewind(source);
    return name_list_end(list, err);
}

/* Of nobody else; what is made there goes with the process. */
static enum status draw_path(const struct name_check *check, struct disk_path *ret_path,
                             struct error *err)
{
    struct env *env = check->profile->session->env;
    uint64_t random;

    env->random(env, &random, sizeof random);
    return profile_path(check->profile, ret_path, err, "names-%016" PRIx64 ".tmp", random);
}

static enum status collect(struct name_check *check, struct unit_source *source, struct error *err)
{
    struct env *env = check->profile->session->env;
    struct disk_path path;

    TRY(draw_path(check, &path, err));
    TRY(name_list_make(&check->ours, env->disk, path.text, err));
    return list_names(&check->ours, source, err);
}

/* Unit `place` of the source has the name of `other`. */
static enum status find_and_say(struct unit_source *source, int64_t place, int64_t base,
                                int64_t other, struct error *err)
{
    CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
    CLEANUP(freep) char *name = NULL;
    bool is_there = true;

    for (int64_t i = 0; i <= place && is_there; i++) {
        unit_draft_clear(&draft);
        TRY(unit_source_next(source, &draft, &is_there, err));
    }
    name = draft.name.text[0] != '\0' ? text_copy(draft.name.text)
                                      : text_format("unit-%" PRId64, base + place);
    return say_twice(source, name, other, err);
}

/* Names of earlier units, which are numbered up to `base`, may be none. */
static enum status compare(struct name_check *check, struct unit_source *source,
                           const struct name_list *earlier, struct error *err)
{
    const struct name_list *const lists[] = {earlier, &check->ours};
    struct name_twice twice;

    TRY(name_lists_compare(lists, 2, &twice, err));
    if (!twice.is_there)
        return STATUS_OK;
    return find_and_say(source, twice.second - earlier->count, earlier->count, twice.first, err);
}

enum status name_check_file(struct name_check *check, struct profile *profile,
                            struct unit_source *source, struct error *err)
{
    static const struct name_list none = {.count = 0};

    check->profile = profile;
    if (source->kind != SOURCE_LINES || !unit_source_can_rewind(source))
        return STATUS_OK;
    TRY(collect(check, source, err));
    return compare(check, source, &none, err);
}

static struct unit_name_key name_by_number(int64_t index)
{
    CLEANUP(freep) char *name = text_format("unit-%" PRId64, index);

    return unit_name_key(name);
}

static enum status compare_all(struct name_check *check, struct unit_source *source,
                               const struct name_list *earlier, struct error *err)
{
    if (check->ours.file == NULL)
        TRY(collect(check, source, err));
    TRY(name_list_fill(&check->ours, name_by_number, earlier->count, err));
    TRY(compare(check, source, earlier, err));
    name_list_clear(&check->ours);
    return STATUS_OK;
}

/* --- one that cannot --- */

static enum status begin_table(struct name_check *check, int64_t expected, struct error *err)
{
    struct disk_path path;

    TRY(draw_path(check, &path, err));
    TRY(name_table_make(&check->names, check->profile->session->env->disk, path.text, expected,
                        err));
    check->is_on = true;
    return STATUS_OK;
}

/* --- all sources --- */

/* The parts of one range differ in their names, as do groups of files; nothing is kept for them. */
enum status name_check_begin(struct name_check *check, struct unit_source *source,
                             const struct batch_record *record, int64_t known, struct error *err)
{
    const struct name_list earlier = {
        .disk = record->disk, .file = record->names, .count = record->base};

    if (source->kind != SOURCE_LINES && record->base == 0)
        return STATUS_OK;
    if (unit_source_can_rewind(source))
        return compare_all(check, source, &earlier, err);
    TRY(begin_table(check, record->base + known, err));
    return batch_record_names(record, record->base + known, &check->names, err);
}

enum status name_check_begin_alone(struct name_check *check, struct unit_source *source,
                                   struct error *err)
{
    static const struct name_list none = {.count = 0};

    if (source->kind != SOURCE_LINES)
        return STATUS_OK;
    if (unit_source_can_rewind(source))
        return compare_all(check, source, &none, err);
    return begin_table(check, 0, err);
}

enum status name_check_claim(struct name_check *check, const struct unit_source *source,
                             const struct work_unit *unit, struct error *err)
{
    struct unit_name_key key;
    int64_t other;

    if (!check->is_on)
        return STATUS_OK;
    key = unit_name_key(unit->name.text);
    TRY(name_table_claim(&check->names, &key, unit->index, &other, err));
    if (other == unit->index)
        return STATUS_OK;
    return say_twice(source, unit->name.text, other, err);
}
