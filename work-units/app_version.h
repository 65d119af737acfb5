/*
 * An app version: the contract of a program, whatever the platform. Signed by an `app` key.
 *
 * {"type", "project": digest, "name": word, "version": 1.., "outputs": [{"name", "max_bytes"}],
 *  "stdout"?: one of the outputs, "limits": {...}, "agreement": {"rule": "exact"},
 *  "layers": [words]}
 */
#ifndef WORK_UNITS_APP_VERSION_H
#define WORK_UNITS_APP_VERSION_H

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "work-units/limits.h"
#include "work-units/names.h"

#define APP_VERSION_TYPE "application/vnd.dugnad.app-version+json"
#define APP_OUTPUTS_MAX  64
#define APP_LAYERS_MAX   16

enum agreement_rule {
    AGREEMENT_EXACT = 1, /* the same names with the same digests */
};

struct app_output {
    struct file_name name; /* unique ignoring case */
    int64_t max_bytes;     /* 0..LIMITS_BYTES_MAX */
};

struct app_version {
    struct digest project;
    struct word name;
    int64_t version;            /* 1.. */
    struct app_output *outputs; /* owned, 1..APP_OUTPUTS_MAX */
    size_t output_count;
    struct file_name stdout_name; /* the output that standard output becomes; "": none */
    struct limits limits;         /* ceilings of its units' limits */
    enum agreement_rule agreement;
    struct texts layers; /* sandbox layers without which it must not run */
};

/* As keyring_decode(), keyring_encode(). */
enum status app_version_decode(const char *payload, size_t length, struct app_version *ret_app,
                               struct error *err) MUST_USE;
char *app_version_encode(const struct app_version *app);
void app_version_clear(struct app_version *app);

/* NULL: there is no output of this name. */
const struct app_output *app_version_output(const struct app_version *app, const char *name);

#endif
