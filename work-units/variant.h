/*
 * A variant: the files that carry out an app version on one platform. Signed by an `app` key.
 *
 * {"type", "project": digest, "app_version": digest, "platform": word, "runner": "native"|"wasm",
 *  "class": word, "entry": one of the files, "arguments": [texts], "files": [{"name", "digest",
 *  "size", "executable"}], "derived_from"?: digest}
 */
#ifndef WORK_UNITS_VARIANT_H
#define WORK_UNITS_VARIANT_H

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "work-units/names.h"

#define VARIANT_TYPE          "application/vnd.dugnad.variant+json"
#define VARIANT_FILES_MAX     256
#define VARIANT_FILE_MAX      (INT64_C(1) << 40) /* bytes of one file */
#define VARIANT_ARGUMENTS_MAX 64

enum runner {
    RUNNER_NATIVE = 1,
    RUNNER_WASM = 2,
};

struct variant_file {
    struct file_name name; /* unique ignoring case */
    struct digest digest;
    int64_t size; /* bytes, 0..VARIANT_FILE_MAX */
    bool executable;
};

struct variant {
    struct digest project;
    struct digest app_version;
    struct word platform; /* such as x86_64-linux-gnu; wasm... if and only if RUNNER_WASM */
    enum runner runner;
    struct word class_name;     /* only tasks of one class are compared with each other */
    struct file_name entry;     /* which of the files is started; executable if RUNNER_NATIVE */
    struct texts arguments;     /* in front of the unit's; each up to ARGUMENT_MAX bytes */
    struct variant_file *files; /* owned, 1..VARIANT_FILES_MAX */
    size_t file_count;
    struct digest derived_from; /* what it was translated from; none */
};

/* As keyring_decode(), keyring_encode(). */
enum status variant_decode(const char *payload, size_t length, struct variant *ret_variant,
                           struct error *err) MUST_USE;
char *variant_encode(const struct variant *variant);
void variant_clear(struct variant *variant);

/* NULL: there is no file of this name. */
const struct variant_file *variant_file(const struct variant *variant, const char *name);

#endif
