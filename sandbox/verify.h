/*
 * Everything that is signed about one task, checked against its project's chain of trust (I1), and
 * what else keeps it from running here.
 */
#ifndef SANDBOX_VERIFY_H
#define SANDBOX_VERIFY_H

#include "common/base/error.h"
#include "work-units/trust.h"

/* This machine, for what an app version or unit may ask of it. */
struct machine {
    const char *platform; /* "x86_64-linux-gnu" */
    uint32_t layers;      /* LAYER_BIT()s of the launcher */
};

/* What a task is made of, checked. Zeroed: nothing. */
struct prepared {
    struct app_version app;
    struct variant variant;
    struct work_unit unit;
};

void prepared_clear(struct prepared *prepared); /* for CLEANUP(), too */

struct signed_task {
    const struct envelope *unit;
    const struct envelope *app_version;
    const struct envelope *variant;
};

/*
 * REFUSAL_NONE: *ret_prepared is filled. Otherwise *ret_refused is the digest of what is refused
 * and `err` says why. Names of files, inputs and outputs that would meet in the slot are
 * REFUSAL_BAD_FILE_NAME; a platform, runner or layer that is not here REFUSAL_NOT_ALLOWED_HERE.
 */
enum refusal verify_task(const struct trust *trust, const struct signed_task *task,
                         const struct trust_moment *moment, const struct machine *machine,
                         struct prepared *ret_prepared, struct digest *ret_refused,
                         struct error *err) MUST_USE;

/* The platform this program was built for. */
const char *platform_here(void);

#endif
