/* A project to measure with: keys made on the spot, one app, units that cost nothing. */
#ifndef BENCH_SERVER_PROJECT_H
#define BENCH_SERVER_PROJECT_H

#include "common/crypto/envelope.h"
#include "common/crypto/keys.h"
#include "work-units/limits.h"
#include "work-units/work_unit.h"

struct env;

/* The one file that its variant consists of. */
#define BENCH_PROGRAM "#!/bin/sh\n"

struct bench_project {
    struct private_key root, app, work, fresh; /* owned */
    int64_t now_s;
    struct envelope keyring, freshness, app_version, variant; /* owned; signed */
    struct digest file; /* the one that the variant consists of */
    struct batch_id batch;
    struct limits limits;
};

/* `output_bytes`: the most that an output may have. */
void bench_project_make(struct bench_project *ret_project, struct env *env, const char *url,
                        int64_t output_bytes);
void bench_project_clear(struct bench_project *project);

/*
 * Unit number `index`, quorum 2, with one small input; valid for 30 days. Release both. The digest
 * is the envelope's.
 */
void bench_project_unit(const struct bench_project *project, int64_t index,
                        struct work_unit *ret_unit, struct envelope *ret_envelope);

#endif
