#include "operator/named_unit.h"

#include <string.h>

#include "common/base/text.h"
#include "operator/batch_record.h"
#include "operator/batches.h"

/* "sha256:<hex>" or the 64 digits alone. */
static bool is_digest(const char *what, struct digest *ret_digest)
{
    const char *hex = text_starts_with(what, "sha256:") ? what + strlen("sha256:") : what;

    return text_to_exact_bytes(hex, sizeof ret_digest->bytes, ret_digest->bytes);
}

/* false: it is no unit's name. */
static bool split(const struct options *options, char **ret_batch, const char **ret_unit)
{
    const char *first = options->operands[0];
    const char *slash = strchr(first, '/');

    if (options->operand_count > 1) {
        *ret_batch = text_copy(first);
        *ret_unit = options->operands[1];
        return true;
    }
    if (slash == NULL)
        return false;
    *ret_batch = text_copy_n(first, (size_t)(slash - first));
    *ret_unit = slash + 1;
    return true;
}

static enum status find_named(struct profile *profile, const char *batch, const char *unit,
                              struct digest *ret_digest, struct error *err)
{
    CLEANUP(batch_record_clear) struct batch_record record = {0};
    struct batch_status status;

    TRY(batch_ask(profile, batch, &status, err));
    TRY(batch_record_find(profile, &status.batch, &record, err));
    return batch_record_named(&record, unit, ret_digest, err);
}

enum status named_unit_check(const struct options *options, struct error *err)
{
    const char *what = options->operands[0];
    struct digest digest;

    if (!text_starts_with(what, "sha256:") || is_digest(what, &digest))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "\"%.40s\" is no digest: sha256: and 64 lower-case digits", what);
}

enum status named_unit_find(struct profile *profile, const struct options *options,
                            struct digest *ret_digest, struct error *err)
{
    CLEANUP(freep) char *batch = NULL;
    const char *unit;

    if (split(options, &batch, &unit))
        return find_named(profile, batch, unit, ret_digest, err);
    if (!is_digest(options->operands[0], ret_digest))
        *ret_digest = (struct digest){0};
    return STATUS_OK;
}
