/*
 * The manifest of a work unit: everything about it that nobody but the operator decides. Signed by
 * a `work` key. What becomes of a unit on the server is another thing (struct unit).
 *
 * {"type", "project": digest, "batch": 32 hex, "index": 0.., "name": file name, "seed": 32 hex,
 *  "app_version": digest, "inputs": [{"name", "digest", "size"} or {"name", "inline": base64}],
 *  "arguments": [texts], "environment": [{"name", "value"}], "limits": {...}, "declared_ops",
 *  "acceptance": {"rule": "quorum", "quorum", "copies", "max_failures", "max_tasks"},
 *  "independence": "host"|"volunteer"|"organisation",
 *  "only"?: {"platforms": [words], "classes": [words], "organisations": [texts]},
 *  "data_class": "public"|"restricted", "deadline_s", "not_before", "not_after", "keyring"}
 */
#ifndef WORK_UNITS_WORK_UNIT_H
#define WORK_UNITS_WORK_UNIT_H

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "work-units/independence.h"
#include "work-units/limits.h"
#include "work-units/names.h"

#define WORK_UNIT_TYPE          "application/vnd.dugnad.work-unit+json"
#define WORK_UNIT_PAYLOAD_MAX   (64 * 1024)
#define WORK_UNIT_INPUTS_MAX    1024
#define WORK_UNIT_INPUT_MAX     (INT64_C(1) << 40) /* bytes of one input */
#define WORK_UNIT_INLINE_MAX    (48 * 1024)        /* bytes of one inline input */
#define WORK_UNIT_ARGUMENTS_MAX 256
#define WORK_UNIT_VARIABLES_MAX 64
#define WORK_UNIT_TASKS_MAX     16  /* copies ever made of one unit */
#define WORK_UNIT_ONLY_MAX      16  /* words or names of each kind */
#define WORK_UNIT_ORG_MAX       100 /* bytes of an organisation's name */
#define WORK_UNIT_LIFE_MAX_S    (400 * DAY_S)

/*
 * Operations that the reference host does in a second: declared_ops divided by it is the time that
 * a unit takes there. The figure of the field: BOINC's credit, too, counts a machine of 10^9
 * floating-point operations a second. Other hosts are measured against it.
 */
#define WORK_UNIT_OPS_PER_SECOND INT64_C(1000000000)

/* A file in the task's folder, fetched by its digest or carried along. */
struct work_input {
    struct file_name name; /* unique ignoring case */
    bool is_inline;
    struct digest digest; /* of inline ones, too */
    int64_t size;         /* bytes, 0..WORK_UNIT_INPUT_MAX */
    char *bytes;          /* owned; only of inline ones */
};

struct work_variable {
    struct word name; /* [A-Z_][A-Z0-9_]{0,63}, neither LD_... nor DUGNAD_...; unique */
    char *value;      /* owned, up to ARGUMENT_MAX bytes */
};

/* The rule `quorum`. 1 <= quorum <= copies <= max_tasks <= WORK_UNIT_TASKS_MAX. */
struct work_acceptance {
    int64_t quorum;       /* agreeing independent tasks that make a result accepted */
    int64_t copies;       /* made at once; more only on need */
    int64_t max_failures; /* 0..WORK_UNIT_TASKS_MAX; one more fails the unit */
    int64_t max_tasks;    /* ever made that brought evidence: see unit_tasks_charged() */
};

/* Where it may run. An empty list forbids nothing. */
struct work_only {
    struct texts platforms;
    struct texts classes;
    struct texts organisations;
};

enum data_class {
    DATA_PUBLIC = 1,
    DATA_RESTRICTED = 2,
};

struct work_unit {
    struct digest project;
    struct batch_id batch;
    int64_t index;         /* 0.., its place in the batch */
    struct file_name name; /* unique in the batch; the folder its outputs are fetched into */
    uint8_t seed[SEED_BYTES];
    struct digest app_version;
    struct work_input *inputs; /* owned */
    size_t input_count;
    struct texts arguments;
    struct work_variable *environment; /* owned */
    size_t variable_count;
    struct limits limits;
    int64_t declared_ops; /* 0..2^53-1: WORK_UNIT_OPS_PER_SECOND; credit and estimates come from it;
                           * 0: not declared */
    struct work_acceptance acceptance;
    enum independence independence;
    struct work_only only;
    enum data_class data_class;
    int64_t deadline_s; /* seconds a task may take until its report, 1..400 days */
    int64_t not_before_s;
    int64_t not_after_s;     /* inclusive; up to WORK_UNIT_LIFE_MAX_S after not_before_s */
    int64_t keyring_version; /* the least one to judge it by */
};

/* As keyring_decode(), keyring_encode(). */
enum status work_unit_decode(const char *payload, size_t length, struct work_unit *ret_unit,
                             struct error *err) MUST_USE;
char *work_unit_encode(const struct work_unit *unit);
void work_unit_clear(struct work_unit *unit);

/* NULL: there is no input of this name. */
const struct work_input *work_unit_input(const struct work_unit *unit, const char *name);

/* The words of the payload. */
const char *independence_name(enum independence independence);
const char *data_class_name(enum data_class data_class);

#endif
