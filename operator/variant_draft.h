/* The programs that `app add` is given: one for each platform, and the signed variant it becomes.
 */
#ifndef OPERATOR_VARIANT_DRAFT_H
#define OPERATOR_VARIANT_DRAFT_H

#include "common/base/options.h"
#include "operator/upload.h"
#include "work-units/app_version.h"
#include "work-units/variant.h"

#define VARIANT_DRAFTS_MAX 64

/* A platform, and the files for it, the program itself first. */
struct variant_draft {
    struct word platform;
    struct local_file *files; /* owned */
    size_t count;
    bool is_there; /* the site has the variant */
};

struct variant_drafts {
    const char *class_name; /* --class; borrowed; NULL: the platform's */
    size_t count;
    struct variant_draft drafts[VARIANT_DRAFTS_MAX];
};

void variant_drafts_clear(struct variant_drafts *drafts); /* for CLEANUP(), too */

/*
 * Operands from the second on, --platform and --class. Each file is looked at and hashed, and all
 * that could be refused once the app version is published is refused here: names that no variant
 * may have, files that are larger than the task's folder may be. STATUS_INVALID names option or
 * file.
 */
enum status variant_drafts_read(const struct options *options, struct disk *disk,
                                const struct app_version *app, struct variant_drafts *ret_drafts,
                                struct error *err) MUST_USE;

/* What it becomes for this app version of that digest. */
enum status variant_draft_fill(const struct variant_drafts *drafts,
                               const struct variant_draft *draft, const struct app_version *app,
                               const struct digest *app_version, struct variant *ret_variant,
                               struct error *err) MUST_USE;

#endif
