/* That no two units of a batch share a name; as far as their source does not see to that itself. */
#ifndef OPERATOR_NAME_CHECK_H
#define OPERATOR_NAME_CHECK_H

#include "operator/batch_record.h"
#include "operator/unit_source.h"
#include "work-units/work_unit.h"

/* Zeroed: nothing is checked. */
struct name_check {
    bool is_on;
    struct unit_names names; /* owned; of the batch so far */
};

void name_check_clear(struct name_check *check); /* for CLEANUP(), too */

/*
 * A file of lines can be read twice: so what is wrong in its last line is said before anything is
 * sent. Looks only at names that lines give: numbers of units are not known yet. Other sources
 * pass. STATUS_INVALID names line and name.
 */
enum status name_check_file(struct unit_source *source, struct error *err) MUST_USE;

/* Units of `record` before base + `known` have their names already. */
enum status name_check_begin(struct name_check *check, const struct unit_source *source,
                             const struct batch_record *record, int64_t known, struct error *err)
    MUST_USE;

/* STATUS_INVALID: another unit of the batch has this one's name. */
enum status name_check_claim(struct name_check *check, const struct unit_source *source,
                             const struct work_unit *unit, struct error *err) MUST_USE;

#endif
