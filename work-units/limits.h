/* What a task may use. An app version signs ceilings, each of its units signs limits below them. */
#ifndef WORK_UNITS_LIMITS_H
#define WORK_UNITS_LIMITS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/json/members.h"

/* Each also says its bounds in a signed payload. */
struct limits {
    int64_t cores;        /* 1..1024 */
    int64_t memory_bytes; /* 1..2^48 */
    int64_t disk_bytes;   /* 0..2^48, of the slot folder, outputs included */
    int64_t output_bytes; /* 0..2^48, of all outputs together */
    int64_t cpu_s;        /* 1..400 days */
    int64_t wall_s;       /* 1..400 days of running, pauses not counted */
};

#define LIMITS_CORES_MAX   1024
#define LIMITS_BYTES_MAX   (INT64_C(1) << 48)
#define LIMITS_SECONDS_MAX (INT64_C(400) * 86400)

void limits_read(struct members *members, const char *name, struct limits *ret_limits);
json_t *limits_to_json(const struct limits *limits);

/* The name of the first limit that exceeds its ceiling; NULL: none does. */
const char *limits_exceeding(const struct limits *limits, const struct limits *ceilings);

#endif
