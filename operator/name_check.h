/* That no two units of a batch share a name; as far as their source does not see to that itself. */
#ifndef OPERATOR_NAME_CHECK_H
#define OPERATOR_NAME_CHECK_H

#include "operator/batch_record.h"
#include "operator/name_list.h"
#include "operator/name_table.h"
#include "operator/unit_source.h"
#include "work-units/work_unit.h"

/* Zeroed: nothing is checked. */
struct name_check {
    bool is_on;              /* unit by unit, for a source that cannot be read twice: */
    struct name_table names; /* owned; of the batch so far */
    struct name_list ours;   /* owned; else of all units of the source, in a file */
    struct profile *profile; /* borrowed */
};

void name_check_clear(struct name_check *check); /* for CLEANUP(), too */

/*
 * A file of lines can be read twice: so what is wrong in its last line is said before anything is
 * sent. Looks only at names that lines give: numbers of units are not known yet. Other sources
 * pass. STATUS_INVALID names line and name.
 */
enum status name_check_file(struct name_check *check, struct profile *profile,
                            struct unit_source *source, struct error *err) MUST_USE;

/*
 * Before the first unit is taken from the source. Units of `record` before base + `known` have
 * their names already. STATUS_INVALID, for a source that can be read twice: as
 * name_check_claim().
 */
enum status name_check_begin(struct name_check *check, struct unit_source *source,
                             const struct batch_record *record, int64_t known, struct error *err)
    MUST_USE;

/* The same for a batch that is not made: its units begin with number 0. */
enum status name_check_begin_alone(struct name_check *check, struct unit_source *source,
                                   struct error *err) MUST_USE;

/* STATUS_INVALID: another unit of the batch has this one's name. */
enum status name_check_claim(struct name_check *check, const struct unit_source *source,
                             const struct work_unit *unit, struct error *err) MUST_USE;

#endif
