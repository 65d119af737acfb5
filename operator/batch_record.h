/*
 * What this profile remembers of a batch it submitted, in batches/NAME/ :
 *
 *   batch.json  the members below
 *   app.json    the app version's envelope
 *   units       the digest of each unit, DIGEST_BYTES each, at its index; only ever longer
 *   rounds      which submissions it was made of (operator/rounds.h)
 *   lock        held by the one `submit` that adds to it
 *   names       likewise what stands for its name, UNIT_NAME_KEY_BYTES each; never shorter a list
 *   names.tsv   which files had to get other names (operator/renames.h); only if any had to
 *
 * A unit's digest is durable here before the site gets the unit: what `fetch` is shown later is
 * ours only if it is listed.
 */
#ifndef OPERATOR_BATCH_RECORD_H
#define OPERATOR_BATCH_RECORD_H

#include "operator/name_table.h"
#include "operator/profile.h"
#include "operator/renames.h"
#include "operator/unit_names.h"
#include "protocol/batch.h"

struct batch_record {
    struct disk *disk; /* borrowed */
    struct disk_path folder;
    struct batch_id batch;
    char name[BATCH_NAME_MAX + 1];
    struct digest app_version;
    int64_t created_s; /* of the manifests: a repeated submission signs the same bytes */
    int64_t not_after_s;
    int64_t keyring_version;
    int64_t needed_by_s;       /* 0: not said */
    int64_t base;              /* the index at which the submission below began */
    struct digest fingerprint; /* of its command line */
    bool is_sent;              /* it came to its end */
    struct disk_file *units;   /* owned */
    struct disk_file *names;   /* owned */
    struct renames renames;    /* owned; opened when the first unit is listed */
};

struct listed_unit {
    struct digest digest;
    struct unit_name_key name;
    char *renamed; /* its lines for names.tsv; NULL: none. The caller's */
};

void batch_record_clear(struct batch_record *record); /* for CLEANUP(), too */

/* STATUS_NOT_FOUND: this profile submitted no batch of that name. */
enum status batch_record_open(struct profile *profile, const char *name,
                              struct batch_record *ret_record, struct error *err) MUST_USE;

/*
 * Be the only one who submits to the batch of that name, whether there is one or not, until the
 * file is closed. STATUS_BUSY, code SESSION_HELD: another command is.
 */
enum status batch_record_hold(struct profile *profile, const char *name,
                              struct disk_file **ret_lock, struct error *err) MUST_USE;

/* By the batch's id. */
enum status batch_record_find(struct profile *profile, const struct batch_id *batch,
                              struct batch_record *ret_record, struct error *err) MUST_USE;

/* A new folder for record->name; writes it with the app's envelope. */
enum status batch_record_make(struct profile *profile, struct batch_record *record,
                              const struct envelope *app, struct error *err) MUST_USE;
enum status batch_record_save(const struct batch_record *record, struct error *err) MUST_USE;
enum status batch_record_app(const struct batch_record *record, struct envelope *ret_app,
                             struct error *err) MUST_USE;

/* How many units are listed. */
enum status batch_record_count(const struct batch_record *record, int64_t *ret_count,
                               struct error *err) MUST_USE;

/* STATUS_NOT_FOUND: no unit of that index is listed. */
enum status batch_record_unit(const struct batch_record *record, int64_t index,
                              struct digest *ret_digest, struct error *err) MUST_USE;

/*
 * List units from `index` on, durably, and before that the names that were changed.
 * STATUS_CONFLICT: another unit is listed there: the inputs or options are not those of before.
 */
enum status batch_record_list(struct batch_record *record, int64_t index,
                              const struct listed_unit *units, size_t count, struct error *err)
    MUST_USE;

/* The unit of that name, whatever its case. STATUS_NOT_FOUND: none is listed. */
enum status batch_record_named(const struct batch_record *record, const char *name,
                               struct digest *ret_digest, struct error *err) MUST_USE;

/* Where names.tsv is, if anywhere, and how much of it is about units that are listed. */
enum status batch_record_renames(const struct batch_record *record, struct disk_path *ret_path,
                                 struct renames_extent *ret_extent, struct error *err) MUST_USE;

/* Claim the names of the first `count` units. STATUS_STORAGE: so many are not listed. */
enum status batch_record_names(const struct batch_record *record, int64_t count,
                               struct name_table *names, struct error *err) MUST_USE;

#endif
