#include "operator/name_check.h"

#include <inttypes.h>

#include "common/base/text.h"

void name_check_clear(struct name_check *check)
{
    unit_names_clear(&check->names);
    *check = (struct name_check){0};
}

static enum status claim(struct unit_names *names, const struct unit_source *source,
                         const char *name, int64_t index, struct error *err)
{
    struct unit_name_key key = unit_name_key(name);
    CLEANUP(freep) char *where = NULL;
    int64_t other;

    if (unit_names_claim(names, &key, index, &other))
        return STATUS_OK;
    where = source->line > 0 ? text_format("line %" PRId64 " of the units: ", source->line)
                             : text_copy("");
    return error_set(err, STATUS_INVALID,
                     "%sunit %" PRId64 " of this batch has the name \"%s\" already, and their "
                     "results would share a folder",
                     where, other, name);
}

enum status name_check_file(struct unit_source *source, struct error *err)
{
    CLEANUP(unit_names_clear) struct unit_names names = {0};
    bool is_there = true;

    if (!unit_source_can_rewind(source))
        return STATUS_OK;
    for (int64_t index = 0; is_there; index++) {
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};

        TRY(unit_source_next(source, &draft, &is_there, err));
        if (is_there && draft.name.text[0] != '\0')
            TRY(claim(&names, source, draft.name.text, index, err));
    }
    unit_source_rewind(source);
    return STATUS_OK;
}

/* The parts of one range differ in their names, as do groups of files; nothing is kept for them. */
enum status name_check_begin(struct name_check *check, const struct unit_source *source,
                             const struct batch_record *record, int64_t known, struct error *err)
{
    check->is_on = source->kind == SOURCE_LINES || record->base > 0;
    if (!check->is_on)
        return STATUS_OK;
    return batch_record_names(record, record->base + known, &check->names, err);
}

enum status name_check_claim(struct name_check *check, const struct unit_source *source,
                             const struct work_unit *unit, struct error *err)
{
    if (!check->is_on)
        return STATUS_OK;
    return claim(&check->names, source, unit->name.text, unit->index, err);
}
