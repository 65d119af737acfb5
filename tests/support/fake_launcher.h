/*
 * A launcher whose tasks are a matter of the clock: each runs for some time, then has ended as the
 * test says, with the output that the test says.
 */
#ifndef TESTS_SUPPORT_FAKE_LAUNCHER_H
#define TESTS_SUPPORT_FAKE_LAUNCHER_H

#include "sandbox/launcher.h"

struct fake_launcher {
    struct launcher base; /* first */
    struct env *env;
    int64_t duration_ms;
    int64_t shorter_ms;     /* each task takes so much less than the one started before it */
    struct run_outcome end; /* of every task; its times are filled in, and a peak of memory */

    /*
     * The output of the task in this slot; to be freed. NULL: it is missing. No function: outputs
     * are what lies in the slot.
     */
    char *(*output)(void *context, const char *slot, const char *name);
    void *context;
    enum status start_fails; /* with this; STATUS_OK: it does not */
    enum status collect_fails;
    const char *collect_fails_in; /* only for slots whose path has this in it; NULL: for all */
    int64_t memory_bytes;         /* that the machine allows; INT64_MAX: whatever is asked */
    int proof_fails; /* with this errno; 0: the client's own script runs, at once and uncounted */
    int64_t proofs;
    bool tells_progress; /* its tasks say how far they are */
    int64_t started;
    int64_t alive;          /* not yet released */
    int64_t most_alive;     /* at a time, so far */
    int64_t polls;          /* of any task */
    int64_t killed;         /* released while they ran */
    char last_argument[64]; /* of the last one started */
    bool executable_was_there;
};

/* A minute each; exit 0; every output is "42\n". */
void fake_launcher_init(struct fake_launcher *ret_launcher, struct env *env);

#endif
