/*
 * One `submit`: what its units have in common, and the making of manifests from drafts. A manifest
 * depends on the batch's record and the command line alone, so that a repeated command signs the
 * same bytes.
 */
#ifndef OPERATOR_SUBMISSION_H
#define OPERATOR_SUBMISSION_H

#include "operator/batch_record.h"
#include "operator/unit_source.h"
#include "operator/upload.h"
#include "work-units/work_unit.h"

#define SUBMISSION_INLINE_MAX 4096 /* bytes of a unit's inputs that travel in its manifest */

/* From the command line. */
struct submission {
    const struct options *options; /* borrowed */
    const char *name;              /* of the batch; NULL: made up */
    bool is_appending;
    bool is_closing;
    bool is_dry_run;
    int64_t priority;
    int64_t needed_by_s; /* from now; 0: not said */
    int64_t valid_s;
    int64_t files_per_unit;
    struct work_unit common; /* owned; whatever all units share */
    bool lowers[3];          /* memory, disk, CPU time are given */
};

void submission_clear(struct submission *submission); /* for CLEANUP(), too */

/* STATUS_INVALID names the option. */
enum status submission_parse(struct submission *ret_submission, const struct options *options,
                             struct error *err) MUST_USE;

/* The source that the operands, --range or --units name. */
enum status submission_source(const struct submission *submission, struct session *session,
                              struct unit_source *ret_source, struct error *err) MUST_USE;

/* That files had to get other names, if any had to, and where the list of them is. */
void submission_say_renamed(struct session *session, const struct options *options,
                            const struct batch_record *record);

/* The command line's identity: everything that a manifest depends on. */
struct digest submission_fingerprint(const struct submission *submission);

/* What the app version and the record decide. Limits that are not given are the app's. */
void submission_settle(struct submission *submission, const struct app_version *app,
                       const struct batch_record *record);

/* A unit's manifest, and those input files that have to be sent (none, if they travel inline). */
struct prepared_unit {
    struct work_unit unit;    /* owned, but for what it shares with submission->common */
    struct local_file *files; /* owned */
    size_t file_count;
    char *payload; /* owned */
    char *renamed; /* owned; renames_of() it */
    struct digest digest;
};

void prepared_unit_clear(struct prepared_unit *prepared);
enum status submission_prepare(const struct submission *submission, struct disk *disk,
                               const struct unit_draft *draft, int64_t index,
                               struct prepared_unit *ret_prepared, struct error *err) MUST_USE;

#endif
