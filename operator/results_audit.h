/* Is what was fetched still there? Every output that counts is read and compared with its digest.
 */
#ifndef OPERATOR_RESULTS_AUDIT_H
#define OPERATOR_RESULTS_AUDIT_H

#include "operator/results_folder.h"

struct results_audit {
    bool is_list_damaged;  /* results.ndjson is not what we wrote */
    int64_t damaged_units; /* those with an output that is missing or changed */
};

/*
 * `units`: how many the batch has, so that no line names another; 8 bytes of memory are taken for
 * each. What cannot be read counts as damaged. STATUS_STORAGE: the list itself cannot be read.
 */
enum status results_audit(const struct results_folder *folder, int64_t units,
                          struct results_audit *ret_audit, struct error *err) MUST_USE;

#endif
